//! Tests of Flask's configuration.

mod cookies;
mod environment;
mod keys;
mod messages;

use std::sync::Arc;

use futures_executor::block_on;

use super::{ConfigError, FlaskConfig};
use crate::{
    clock::Timestamp,
    json::Value,
    session::{SessionManager, Slot},
};

/// The key of the vectors.
const SECRET: &str = "flask-spec-secret";

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// Loads settings with a valid key.
fn with(settings: &str) -> Result<FlaskConfig, ConfigError> {
    FlaskConfig::loader()
        .map([("SECRET_KEY", Value::from(SECRET))])
        .json(settings)
        .load()
}

/// Returns the cookie of a view that creates a permanent session.
fn first_cookie(flask: &FlaskConfig) -> Option<String> {
    let manager = SessionManager::new(flask.client_side(), flask.session_config()).unwrap();
    let slot: Slot = Arc::new(manager).begin();
    let manager = slot.manager();
    block_on(manager.open(&slot, [], NOW))
        .unwrap()
        .set_permanent(true)
        .unwrap();
    block_on(manager.commit(&slot, [], 200, NOW))
        .unwrap()
        .set_cookie
}
