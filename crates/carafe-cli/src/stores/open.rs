//! Opens the store that a URL names, of whatever kind.

#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::Walk;

#[cfg(feature = "flask-session")]
use super::flask_session;
#[cfg(feature = "redis")]
use super::redis;
#[cfg(any(feature = "postgres", feature = "mysql"))]
use super::sql;
use super::{Initialized, OpenStore, StoreKind, StoreUrl, sqlite, url::not_built_in};
use crate::failure::Failure;

/// Opens a store. Makes no tables.
pub(crate) async fn open(url: &StoreUrl) -> Result<OpenStore, Failure> {
    url.check_ours()?;
    match url.kind() {
        StoreKind::Sqlite => sqlite::open(url),
        #[cfg(feature = "redis")]
        StoreKind::Redis => redis::open(url).await,
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => sql::open_postgres(url).await,
        #[cfg(feature = "mysql")]
        StoreKind::MySql => sql::open_mysql(url).await,
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        other => Err(not_built_in(other)),
    }
}

/// Makes a store's tables, where it needs some and they are not there.
pub(crate) async fn init(url: &StoreUrl) -> Result<Initialized, Failure> {
    url.check_ours()?;
    match url.kind() {
        StoreKind::Sqlite => sqlite::init(url),
        #[cfg(feature = "redis")]
        StoreKind::Redis => {
            open(url).await?;
            Ok(Initialized::NeedsNothing)
        }
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => sql::init_postgres(url).await,
        #[cfg(feature = "mysql")]
        StoreKind::MySql => sql::init_mysql(url).await,
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        other => Err(not_built_in(other)),
    }
}

/// Opens a store in Flask-Session's layout, which Flask-Session has made.
#[cfg(feature = "flask-session")]
pub(crate) async fn open_flask_session(url: &StoreUrl) -> Result<Box<dyn Walk>, Failure> {
    url.check_built_in()?;
    let layout = flask_session::layout(url)?;
    match url.kind() {
        StoreKind::Sqlite => sqlite::open_flask_session(url, layout),
        #[cfg(feature = "redis")]
        StoreKind::Redis => redis::open_flask_session(url, layout).await,
        #[cfg(feature = "postgres")]
        StoreKind::Postgres => sql::open_flask_session_in_postgres(url, layout).await,
        #[cfg(feature = "mysql")]
        StoreKind::MySql => sql::open_flask_session_in_mysql(url, layout).await,
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        other => Err(not_built_in(other)),
    }
}
