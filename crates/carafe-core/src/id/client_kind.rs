//! The kind of client that a session belongs to.

use std::fmt;

use serde::{Serialize, Serializer};

/// The kind of client that a session belongs to: how the client presents its token.
///
/// A session has the kind of the client that began the session. [`PublicId::client`] returns the
/// kind of any session in a list.
///
/// [`PublicId::client`]: super::PublicId::client
///
/// ```
/// use carafe_core::store::ClientKind;
///
/// // `Display` is for people, the code and serde are for programs.
/// assert_eq!(ClientKind::Bearer.to_string(), "bearer token");
/// assert_eq!(serde_json::to_string(&ClientKind::Bearer)?, "\"bearer\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientKind {
    /// A browser with a cookie.
    Cookie,
    /// A client with a bearer token.
    Bearer,
    /// A client with a token in another header.
    Header,
    /// A client with refresh tokens.
    RefreshToken,
}

impl ClientKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Cookie, Self::Bearer, Self::Header, Self::RefreshToken];

    /// Returns a stable name for programs.
    ///
    /// ```
    /// use carafe_core::store::ClientKind;
    ///
    /// assert_eq!(ClientKind::RefreshToken.code(), "refresh-token");
    /// ```
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Cookie => "cookie",
            Self::Bearer => "bearer",
            Self::Header => "header",
            Self::RefreshToken => "refresh-token",
        }
    }

    /// Returns the number that marks public ids. The numbers never change.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Cookie => 0,
            Self::Bearer => 1,
            Self::Header => 2,
            Self::RefreshToken => 3,
        }
    }
}

/// Writes a short text for people.
impl fmt::Display for ClientKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cookie => "cookie",
            Self::Bearer => "bearer token",
            Self::Header => "header token",
            Self::RefreshToken => "refresh token",
        })
    }
}

/// For programs: the code.
impl Serialize for ClientKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
