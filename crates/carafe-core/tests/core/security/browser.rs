//! Sequential requests to a manager, as a browser sends them.

use futures_executor::block_on;
use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    session::{
        ClientSide, CommitError, HeaderChanges, Session, SessionBackend, SessionConfig,
        SessionManager,
    },
};

pub(crate) const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);
pub(crate) const KEY: &str = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
pub(crate) const OTHER_KEY: &str =
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(crate) fn key(text: &str) -> SecretKey {
    SecretKey::new(text).unwrap()
}

pub(crate) fn ring() -> KeyRing {
    key(KEY).into()
}

pub(crate) fn manager(
    side: impl Into<SessionBackend>,
    config: SessionConfig,
) -> Arc<SessionManager> {
    Arc::new(SessionManager::new(side, config).unwrap())
}

/// Returns managers of both formats under both presets.
pub(crate) fn all_managers() -> Vec<Arc<SessionManager>> {
    let sides = [
        ClientSide::signed(ring()),
        ClientSide::encrypted(ring(), "shop"),
    ];
    let presets = [SessionConfig::flask(), SessionConfig::default()];
    sides
        .iter()
        .flat_map(|side| {
            presets
                .iter()
                .map(|preset| manager(side.clone(), preset.clone()))
        })
        .collect()
}

/// Sends a request with these `Cookie` lines to `handler`, which responds with 200.
pub(crate) fn request(
    manager: &Arc<SessionManager>,
    lines: &[&[u8]],
    now: Timestamp,
    handler: impl FnOnce(&Session),
) -> Result<HeaderChanges, CommitError> {
    answered(manager, lines, now, 200, handler)
}

/// Sends a request to a handler that responds with `status`.
pub(crate) fn answered(
    manager: &Arc<SessionManager>,
    lines: &[&[u8]],
    now: Timestamp,
    status: u16,
    handler: impl FnOnce(&Session),
) -> Result<HeaderChanges, CommitError> {
    let slot = manager.begin();
    handler(&block_on(manager.open(&slot, lines.iter().copied(), now)).unwrap());
    block_on(manager.commit(&slot, lines.iter().copied(), status, now))
}

/// Returns the `name=value` of a `Set-Cookie`, as a browser sends it back.
pub(crate) fn pair(effects: &HeaderChanges) -> String {
    let header = effects.set_cookie.as_deref().unwrap();
    header.split(';').next().unwrap().to_owned()
}

/// Returns the `Cookie` line of a session that `fill` has filled at `now`.
pub(crate) fn cookie_of(
    manager: &Arc<SessionManager>,
    now: Timestamp,
    fill: impl FnOnce(&Session),
) -> String {
    pair(&request(manager, &[], now, fill).unwrap())
}

/// Returns the value of `user` that a request with this `Cookie` line reads.
pub(crate) fn user_of(manager: &Arc<SessionManager>, line: &str, now: Timestamp) -> Option<String> {
    let slot = manager.begin();
    block_on(manager.open(&slot, [line.as_bytes()], now))
        .unwrap()
        .get("user")
        .unwrap()
}
