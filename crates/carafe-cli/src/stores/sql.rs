//! `postgres://` and `mysql://`. `?table=name` names the table of an application that has set one.

use std::time::Duration;

use carafe_core::store::{BoxFuture, Deadlines, Health, StoreError};
#[cfg(feature = "mysql")]
use carafe_sqlx::MySqlStore;
#[cfg(feature = "postgres")]
use carafe_sqlx::PostgresStore;

use super::{
    Initialized, OpenStore, StoreUrl,
    opened::{Operated, failure, probe},
};
use crate::failure::Failure;

/// The parameter that is not the driver's.
const TABLE: &str = "table";

/// An operator waits where a visitor would not.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    read: Duration::from_secs(10),
    write: Duration::from_secs(10),
};

/// What the two databases have in common, without their types.
macro_rules! database {
    ($store:ident, $scheme:literal, $connect:ident, $open:ident, $init:ident) => {
        pub(super) async fn $open(url: &StoreUrl) -> Result<OpenStore, Failure> {
            let store = $connect(url).await?;
            if let Err(error) = probe(&store).await {
                return Err(without_tables(url, &error));
            }
            Ok(OpenStore::new(url, store))
        }

        pub(super) async fn $init(url: &StoreUrl) -> Result<Initialized, Failure> {
            let store = $connect(url).await?;
            let were_there = probe(&store).await.is_ok();
            let migrated = store.migrate().await;
            migrated.map_err(|error| failure(url, &error))?;
            Ok(made(were_there))
        }

        async fn $connect(url: &StoreUrl) -> Result<$store, Failure> {
            let store = $store::connect(&url.for_driver($scheme, &[TABLE])).await;
            let store = store.map_err(|error| failure(url, &error))?;
            let store = match url.own(TABLE) {
                Some(table) => store.table(table).map_err(Failure::usage)?,
                None => store,
            };
            Ok(store.deadlines(DEADLINES))
        }

        impl Operated for $store {
            fn health(&self) -> BoxFuture<'_, Result<Health, StoreError>> {
                Box::pin(self.health())
            }
        }
    };
}

#[cfg(feature = "postgres")]
database!(
    PostgresStore,
    "postgres",
    connect_postgres,
    open_postgres,
    init_postgres
);
#[cfg(feature = "mysql")]
database!(MySqlStore, "mysql", connect_mysql, open_mysql, init_mysql);

fn made(were_there: bool) -> Initialized {
    match were_there {
        true => Initialized::WereThere,
        false => Initialized::Made,
    }
}

/// The most common reason for a database that lets us in and cannot answer.
fn without_tables(url: &StoreUrl, error: &StoreError) -> Failure {
    let text = error.to_string();
    match text.contains("does not exist") || text.contains("doesn't exist") {
        true => Failure::unavailable(format_args!(
            "{url}: there are no sessions; `carafe store init` makes the table"
        )),
        false => failure(url, error),
    }
}
