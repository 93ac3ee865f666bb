//! The modes to carry a session, by name.

use serde::Deserialize;

/// The name that keeps the demo's encrypted cookies apart from those of other applications.
pub(super) const APPLICATION: &str = "carafe demo";
/// The names of the cookies that are not Flask's.
pub(super) const ENCRYPTED: &str = "__Host-Http-session";

/// A mode, as it is written in addresses.
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
