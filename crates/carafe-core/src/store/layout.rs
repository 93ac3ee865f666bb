//! What a store's layout is like, where it is not Carafe's own.

/// How a store names its records, and what they can hold. A layout that others have chosen, such as
/// Flask-Session's, may lack something; the conformance suite then checks what happens instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// What a record is filed under.
    pub naming: Naming,
    /// Whether an old id may lead to the record for a moment. Otherwise a rotation ends the old id at once,
    /// whatever grace time was asked for.
    pub aliases: bool,
    /// Whether a use is noted beside the expiry. Otherwise the last use is what the expiry tells.
    pub notes_uses: bool,
    /// Whether each value comes back as the very text that was written. Otherwise it comes back as what the
    /// format made of it: Flask-Session's tuples are lists.
    pub keeps_text: bool,
    /// Whether there is a place where nodes agree on who sweeps. Otherwise each claim is granted.
    pub keeps_claims: bool,
}

/// What a record is filed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// The SHA-256 of the session id: whoever reads the store has no usable id (CVE-2019-16782).
    Hashed,
    /// The session id: the [`StoreKey`](super::StoreKey) is its 32 bytes. Whoever reads the store can be any
    /// user. Only for layouts that others have chosen.
    Plain,
}

impl Layout {
    /// Carafe's own: nothing is missing.
    pub const CARAFE: Self = Self {
        naming: Naming::Hashed,
        aliases: true,
        notes_uses: true,
        keeps_text: true,
        keeps_claims: true,
    };
    /// Flask-Session's.
    pub const FLASK_SESSION: Self = Self {
        naming: Naming::Plain,
        aliases: false,
        notes_uses: false,
        keeps_text: false,
        keeps_claims: false,
    };
}
