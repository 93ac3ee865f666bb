//! The capabilities of a store's layout.

use crate::id::KeyScheme;

/// The key scheme of a store, and the values that its records can hold.
///
/// A layout that is defined by another framework, such as Flask-Session's, may lack capabilities.
/// The conformance suite then tests the fallback behavior.
///
/// ```
/// use carafe_core::store::{Capabilities, KeyScheme, MemoryStore, SessionStore};
///
/// assert_eq!(MemoryStore::new().capabilities(), Capabilities::CARAFE);
/// assert_eq!(Capabilities::FLASK_SESSION.key_scheme, KeyScheme::RawId);
/// assert!(!Capabilities::FLASK_SESSION.aliases, "no session is renewed by time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The key under which a record is stored.
    pub key_scheme: KeyScheme,
    /// Whether the store supports timed renewals and remembers retired IDs.
    ///
    /// If so, an old ID may refer to the record until the new ID is in use. Otherwise no session is
    /// renewed by time, and a rotation invalidates the old ID immediately.
    pub aliases: bool,
    /// Whether the time of the last use is stored. Otherwise the time is derived from the expiry.
    pub notes_uses: bool,
    /// Whether each value is returned exactly as it was written.
    ///
    /// Otherwise a value is returned as its format represents it: tuples become lists in
    /// Flask-Session's layout.
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
