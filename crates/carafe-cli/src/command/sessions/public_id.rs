//! A public ID as an argument.

use carafe_core::store::PublicId;

/// Parses a public ID for clap.
pub(super) fn parse(text: &str) -> Result<PublicId, &'static str> {
    text.parse()
        .map_err(|_| "a public ID has 16 characters, such as `carafe sessions list` shows")
}
