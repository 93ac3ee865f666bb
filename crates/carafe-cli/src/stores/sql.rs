//! The schemes `postgres://` and `mysql://`. `?table=name` is the table of an application that has
//! set one; the store parses it itself.

use std::time::Duration;

#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::{FlaskSession, Walk};
use carafe_core::{
    error::ErrorChain,
    store::{BoxFuture, Deadlines, Health, StoreError},
};
#[cfg(feature = "mysql")]
use carafe_sqlx::MySqlStore;
#[cfg(feature = "postgres")]
use carafe_sqlx::PostgresStore;

#[cfg(feature = "flask-session")]
use super::flask_session;
use super::{
    Initialized, OpenStore, StoreUrl,
    opened::{Operated, probe},
};
use crate::failure::Failure;

/// Longer than the deadlines of a service, because an operator can wait.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    read: Duration::from_secs(10),
    write: Duration::from_secs(10),
};

/// Generates the code for both databases, because their types differ.
macro_rules! database {
    ($store:ident, $connect:ident, $open:ident, $init:ident, $flask_session:ident) => {
        pub(super) async fn $open(url: &StoreUrl) -> Result<OpenStore, Failure> {
            let store = $connect(url, url.inner()).await?;
            if let Err(error) = probe(&store).await {
                return Err(without_tables(url, &error));
            }
            Ok(OpenStore::new(url, store))
        }

        pub(super) async fn $init(url: &StoreUrl) -> Result<Initialized, Failure> {
            let store = $connect(url, url.inner()).await?;
            let were_there = probe(&store).await.is_ok();
            let migrated = store.migrate().await;
            migrated.map_err(|error| url.failure(&error))?;
            Ok(made(were_there))
        }

        #[cfg(feature = "flask-session")]
        pub(super) async fn $flask_session(
            url: &StoreUrl,
            layout: FlaskSession,
        ) -> Result<Box<dyn Walk>, Failure> {
            let mut own = url.inner().clone();
            flask_session::PARAMETERS
                .into_iter()
                .for_each(|name| drop(own.take(name)));
            own.take(flask_session::TABLE);
            let store = $connect(url, &own).await?.flask_session(layout);
            let store = store.table(&flask_session::table(url));
            let store = store.map_err(Failure::usage)?;
            match probe(&store).await {
                Ok(()) => Ok(Box::new(store)),
                Err(error) => Err(without_flask_session(url, &error)),
            }
        }

        async fn $connect(
            url: &StoreUrl,
            given: &carafe_core::store::StoreUrl,
        ) -> Result<$store, Failure> {
            let store = $store::connect(&given.for_driver()).await;
            let store = store.map_err(|error| url.failure(&error))?;
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
    connect_postgres,
    open_postgres,
    init_postgres,
    open_flask_session_in_postgres
);
#[cfg(feature = "mysql")]
database!(
    MySqlStore,
    connect_mysql,
    open_mysql,
    init_mysql,
    open_flask_session_in_mysql
);

fn made(were_there: bool) -> Initialized {
    match were_there {
        true => Initialized::WereThere,
        false => Initialized::Made,
    }
}

#[cfg(feature = "flask-session")]
fn without_flask_session(url: &StoreUrl, error: &StoreError) -> Failure {
    let text = ErrorChain::of(error).to_string();
    match text.contains("does not exist") || text.contains("doesn't exist") {
        true => Failure::unavailable(format_args!(
            "{url}: Flask-Session's table {:?} does not exist; ?table=NAME is SESSION_SQLALCHEMY_TABLE",
            flask_session::table(url)
        )),
        false => url.failure(error),
    }
}

/// Returns the failure of a store, with a hint if its tables are missing, which is the most common
/// reason after a successful connection.
fn without_tables(url: &StoreUrl, error: &StoreError) -> Failure {
    let text = ErrorChain::of(error).to_string();
    match text.contains("does not exist") || text.contains("doesn't exist") {
        true => Failure::unavailable(format_args!(
            "{url}: the table does not exist; `carafe store init` creates it"
        )),
        false => url.failure(error),
    }
}
