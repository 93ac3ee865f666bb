//! Claims of a token to be signed.

use carafe_core::clock::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::json::{self, Object};

/// The claims of a token.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_tokens::jwt::Claims;
///
/// let claims = Claims::new().with_time("exp", Timestamp::from_unix(60));
/// assert_eq!(claims.to_json(), r#"{"exp":60}"#);
/// let claims = claims.with("groups", &["admin", "staff"])?;
/// # Ok::<(), carafe_tokens::jwt::NotJson>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(pub(crate) Object);

/// The error of a value that JSON cannot represent, such as a map with keys that are not strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotJson;

impl Claims {
    /// Returns an empty set of claims.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a claim.
    ///
    /// # Errors
    /// [`NotJson`].
    pub fn with<T: Serialize + ?Sized>(mut self, name: &str, value: &T) -> Result<Self, NotJson> {
        let value = serde_json::to_value(value).map_err(|_| NotJson)?;
        self.0.insert(name.to_owned(), value);
        Ok(self)
    }

    /// Sets a claim to a string.
    #[must_use]
    pub fn with_text(mut self, name: &str, text: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), Value::String(text.into()));
        self
    }

    /// Sets a claim to a time, in seconds (RFC 7519's `NumericDate`).
    #[must_use]
    pub fn with_time(mut self, name: &str, time: Timestamp) -> Self {
        self.0.insert(name.to_owned(), time.unix().into());
        self
    }

    /// Returns the claims as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::text(&self.0)
    }
}

impl std::fmt::Display for NotJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON cannot represent the value of the claim")
    }
}

impl std::error::Error for NotJson {}
