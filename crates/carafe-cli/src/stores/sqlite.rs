//! The scheme `sqlite:FILE`.

use std::{io::ErrorKind, time::Duration};

#[cfg(feature = "flask-session")]
use carafe_core::flask::stored::{FlaskSession, Walk};
use carafe_core::{
    error::ErrorChain,
    store::{BoxFuture, Health, StoreError},
};
#[cfg(feature = "flask-session")]
use carafe_sqlite::FlaskSessionStore;
use carafe_sqlite::{OpenError, SqliteOptions, SqliteStore};

#[cfg(feature = "flask-session")]
use super::flask_session;
use super::{Initialized, OpenStore, StoreUrl, opened::Operated};
use crate::failure::Failure;

/// Longer than the deadlines of a service, because an operator can wait.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn open(url: &StoreUrl) -> Result<OpenStore, Failure> {
    let store = store(url, false).map_err(|error| refused(url, &error))?;
    Ok(OpenStore::new(url, store))
}

pub(super) fn init(url: &StoreUrl) -> Result<Initialized, Failure> {
    match store(url, false) {
        Ok(_) => return Ok(Initialized::WereThere),
        // Older tables, or none. A newer version is rejected below.
        Err(OpenError::Schema(_)) => {}
        Err(OpenError::File(_, why)) if why.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(refused(url, &error)),
    }
    let made = store(url, true);
    made.map_err(|error| refused(url, &error))?;
    Ok(Initialized::Made)
}

#[cfg(feature = "flask-session")]
pub(super) fn open_flask_session(
    url: &StoreUrl,
    layout: FlaskSession,
) -> Result<Box<dyn Walk>, Failure> {
    let [prefix, lifetime, format] = flask_session::PARAMETERS;
    let known = [prefix, lifetime, format, flask_session::TABLE];
    let checked = url.inner().check_parameters(&known);
    checked.map_err(|error| Failure::usage(format_args!("{url}: {error}")))?;
    let place = url.inner().place();
    let file = place.strip_prefix("//").unwrap_or(place);
    let options = SqliteOptions::default().deadline(DEADLINE);
    let store = FlaskSessionStore::open(file, &flask_session::table(url), layout, options);
    let store = store
        .map_err(|error| Failure::unavailable(format_args!("{url}: {}", ErrorChain::of(&error))))?;
    Ok(Box::new(store))
}

fn store(url: &StoreUrl, migrate: bool) -> Result<SqliteStore, OpenError> {
    let options = SqliteOptions::default().deadline(DEADLINE).migrate(migrate);
    SqliteStore::from_url(&url.inner().for_driver(), options)
}

fn refused(url: &StoreUrl, error: &OpenError) -> Failure {
    let is_to_be_made = match error {
        OpenError::Schema(0) => true,
        OpenError::File(_, why) => why.kind() == ErrorKind::NotFound,
        _ => false,
    };
    match (is_to_be_made, error) {
        (true, _) => Failure::unavailable(format_args!(
            "{url}: not a session store; `carafe store init --store {url}` creates the file and its tables"
        )),
        (false, OpenError::Url(_)) => Failure::usage(error),
        (false, _) => Failure::unavailable(format_args!("{url}: {}", ErrorChain::of(error))),
    }
}

impl Operated for SqliteStore {
    fn health(&self) -> BoxFuture<'_, Result<Health, StoreError>> {
        Box::pin(self.health())
    }
}
