//! The capabilities of a store's layout.

use crate::id::KeyScheme;

/// How a store names its records, and which values the records can hold.
///
/// A layout that another framework defines, such as Flask-Session's, may lack capabilities; the
/// conformance suite then tests the fallback behavior.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The key under which a record is stored.
    pub key_scheme: KeyScheme,
    /// Whether the store supports timed renewals and remembers retired ids.
    ///
    /// If so, an old id may refer to the record until the new id is in use. Otherwise no session is
    /// renewed by time, and a rotation invalidates the old id immediately.
    pub aliases: bool,
    /// Whether the time of the last use is stored. Otherwise the time is derived from the expiry.
    pub notes_uses: bool,
    /// Whether each value is returned as exactly the text that was written.
    ///
    /// Otherwise a value is returned as its format represents it: Flask-Session's tuples become
    /// lists.
    pub preserves_text: bool,
    /// Whether the store can hold a sweep lease. Otherwise each request for the lease is granted.
    pub keeps_claims: bool,
}

impl Capabilities {
    /// The capabilities of Carafe's own layout: all of them.
    pub const CARAFE: Self = Self {
        key_scheme: KeyScheme::Hashed,
        aliases: true,
        notes_uses: true,
        preserves_text: true,
        keeps_claims: true,
    };
    /// The capabilities of Flask-Session's layout.
    pub const FLASK_SESSION: Self = Self {
        key_scheme: KeyScheme::RawId,
        aliases: false,
        notes_uses: false,
        preserves_text: false,
        keeps_claims: false,
    };
}
