//! A cookie of a handler's that cannot be written, as adapters answer it.

use super::CookieError;

/// Why a response could not have a [`SetCookie`](super::SetCookie): a mistake of the program, so the client gets a
/// plain 500 and the log says why.
#[derive(Debug)]
pub struct InvalidCookie(pub(crate) CookieError);

impl std::fmt::Display for InvalidCookie {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "a handler set a cookie that cannot be written: {}",
            self.0
        )
    }
}

impl std::error::Error for InvalidCookie {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
