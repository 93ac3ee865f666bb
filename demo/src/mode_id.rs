//! The modes to carry a session, by name.

use serde::Deserialize;

/// The application name that encrypted cookies are bound to, which separates them from those of
/// other applications.
pub(super) const APPLICATION: &str = "carafe demo";
/// The cookie names of the other two modes.
pub(super) const ENCRYPTED: &str = "__Host-Http-session";

/// A mode, as in URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModeId {
    Signed,
    Encrypted,
    Stored,
}

impl ModeId {
    pub(super) const ALL: [Self; 3] = [Self::Signed, Self::Encrypted, Self::Stored];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Encrypted => "encrypted",
            Self::Stored => "stored",
        }
    }
}
