//! Session keys that have a meaning to Carafe.

/// The secret of the tokens of `csrf_token`.
pub(super) const CSRF: &str = "_csrf";
/// The lifetime in seconds, set by `set_lifetime`.
pub(super) const LIFETIME: &str = "_lifetime";
/// Flask's key for `session.permanent`.
pub(super) const PERMANENT: &str = "_permanent";
/// The name of the provider's session that `ProviderSessions` has logged in with.
pub(super) const PROVIDER_SESSION: &str = "_provider_session";
/// The ID of the logged-in user. Flask-Login uses the same key.
pub(super) const USER: &str = "_user_id";
