//! Session keys that have a meaning to Carafe.

/// The secret behind the tokens of `csrf_token`.
pub(super) const CSRF: &str = "_csrf";
/// The seconds of `set_lifetime`.
pub(super) const LIFETIME: &str = "_lifetime";
/// Flask's key for `session.permanent`.
pub(super) const PERMANENT: &str = "_permanent";
/// The id of the logged-in user. Flask-Login uses the same key.
pub(super) const USER: &str = "_user_id";
