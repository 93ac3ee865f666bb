//! The `SameSite` attribute: three values, parsed case-insensitively and written in one form.
//!
//! Whether a value is allowed depends on `Secure`, which the policy checks.

use std::{fmt, str::FromStr};

use super::CookieError;

/// The cross-site requests that carry the cookie (RFC 6265bis §5.6.7).
///
/// ```
/// use carafe_core::cookie::SameSite;
/// assert_eq!("lax".parse(), Ok(SameSite::Lax));
/// let error = "".parse::<SameSite>().unwrap_err();
/// assert_eq!(error.to_string(), "SameSite must be 'Strict', 'Lax', or 'None'.");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SameSite {
    /// Only top-level navigations with a safe method.
    Lax,
    /// No cross-site requests.
    Strict,
    /// All cross-site requests. Browsers require `Secure`.
    None,
}

impl SameSite {
    /// Returns the attribute's value as rendered.
    ///
    /// ```
    /// assert_eq!(carafe_core::cookie::SameSite::Strict.as_str(), "Strict");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

impl fmt::Display for SameSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SameSite {
    type Err = CookieError;

    fn from_str(text: &str) -> Result<Self, CookieError> {
        [Self::Lax, Self::Strict, Self::None]
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(text))
            .ok_or(CookieError::SameSite)
    }
}

#[cfg(test)]
mod tests {
    use super::SameSite;

    #[test]
    fn any_case_is_read_and_nothing_else() {
        for (text, want) in [
            ("LAX", SameSite::Lax),
            ("sTrIcT", SameSite::Strict),
            ("none", SameSite::None),
        ] {
            assert_eq!(text.parse(), Ok(want), "{text}");
        }
        for text in ["", "Lax ", " Lax", "bogus", "Lax; Secure", "lа\u{445}"] {
            assert!(text.parse::<SameSite>().is_err(), "{text:?}");
        }
    }
}
