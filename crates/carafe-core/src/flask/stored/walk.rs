//! Iterates over all sessions of a Flask-Session layout, for a migration.

use super::{FlaskSession, Unreadable};
use crate::{
    base64,
    clock::Timestamp,
    store::{BoxFuture, Cursor, ErasedStore, Record, StoreError, StoreKey},
};

/// Iterates over a store in Flask-Session's layout.
///
/// The trait has no other methods of [`SessionListing`](crate::store::SessionListing): in this
/// layout, a session can only be found by its ID.
pub trait Walk: ErasedStore {
    /// Returns a page of all sessions after `after`, in the store's own order.
    ///
    /// A page has about `limit` sessions, including expired ones that are still stored, and may be
    /// empty although more sessions follow. Iteration from `None` until `next` is `None` returns
    /// every session that exists throughout at least once.
    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Walked, StoreError>>;

    /// Returns the approximate number of live sessions.
    ///
    /// A table is counted row by row, so call this method only once and not for each page.
    fn count<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>>;
}

/// A page of sessions.
#[derive(Debug)]
pub struct Walked {
    /// The sessions.
    ///
    /// Names without the layout's prefix belong to other applications and are skipped.
    pub met: Vec<Met>,
    /// The position of the next page, or `None` at the end. Never contains a session ID.
    pub next: Option<Cursor>,
}

/// A session of a page.
#[derive(Debug)]
pub struct Met {
    /// The SHA-256 of the session ID, which is the session's key in Carafe's own layout.
    pub hashed: StoreKey,
    /// The session's key in this layout and its record, or the reason why it cannot be read.
    pub found: Result<(StoreKey, Record), StoreError>,
}

impl Met {
    /// Returns the session with this name. `record` reads the record under the session's key.
    ///
    /// Returns `None` if the name belongs to another application.
    pub fn under(
        layout: &FlaskSession,
        name: &[u8],
        record: impl FnOnce(&StoreKey) -> Result<Record, StoreError>,
    ) -> Option<Self> {
        let (hashed, key) = layout.key_of(name)?;
        let read = |key: StoreKey| Ok((key, record(&key)?));
        let found = key.map_err(StoreError::corrupt).and_then(read);
        Some(Self { hashed, found })
    }
}

impl FlaskSession {
    /// Returns the keys of the session with this name, in Carafe's layout and in this layout.
    ///
    /// The inverse of [`FlaskSession::name`]. Returns `None` without the prefix.
    ///
    /// ```
    /// use carafe_core::{flask::stored::FlaskSession, store::StoreKey};
    ///
    /// let (layout, key) = (FlaskSession::default(), StoreKey::from_bytes([7; 32]));
    /// let name = layout.name(&key);
    /// let (hashed, found) = layout.key_of(name.as_bytes()).expect("it has the prefix");
    /// assert_eq!(found, Ok(key));
    /// assert_eq!(hashed, StoreKey::of_id(&name["session:".len()..]));
    /// ```
    #[must_use]
    pub fn key_of(&self, name: &[u8]) -> Option<(StoreKey, Result<StoreKey, Unreadable>)> {
        let id = name.strip_prefix(self.prefix().as_bytes())?;
        let hashed = StoreKey::of_id(&String::from_utf8_lossy(id));
        let mut bytes = [0; 32];
        let key = match base64::decode_url_exact(id, &mut bytes) {
            true => Ok(StoreKey::from_bytes(bytes)),
            false => Err(Unreadable::Id { length: id.len() }),
        };
        Some((hashed, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{error::ErrorChain, flask::stored::Format};

    #[test]
    fn only_ids_of_32_bytes_are_taken_and_others_say_so() {
        let layout = FlaskSession::new(Format::Json).with_prefix("shop:");
        let id = "A".repeat(43);
        let (hashed, key) = layout.key_of(format!("shop:{id}").as_bytes()).unwrap();
        assert_eq!(hashed, StoreKey::of_id(&id));
        assert_eq!(key, Ok(StoreKey::from_bytes([0; 32])));
        for id in [
            &*"A".repeat(22),
            "",
            &format!("{}B", "A".repeat(42)),
            "lock:x",
        ] {
            let (hashed, key) = layout.key_of(format!("shop:{id}").as_bytes()).unwrap();
            assert_eq!(hashed, StoreKey::of_id(id));
            assert_eq!(key, Err(Unreadable::Id { length: id.len() }));
        }
        assert!(layout.key_of(format!("session:{id}").as_bytes()).is_none());
    }

    #[test]
    fn what_is_read_is_met_under_both_keys() {
        let layout = FlaskSession::default();
        let name = layout.name(&StoreKey::from_bytes([1; 32]));
        let now = Timestamp::from_unix(1_700_000_000);
        let met = |value: &[u8]| {
            Met::under(&layout, name.as_bytes(), |key| {
                layout.record(key, value, now, now)
            })
        };
        let (key, record) = met(b"\x81\xa1a\x01").unwrap().found.unwrap();
        assert_eq!(key, StoreKey::from_bytes([1; 32]));
        assert_eq!(record.data.text_of("a"), Some("1"));
        let pickle = met(b"\x80\x04}\x94.").unwrap().found.unwrap_err();
        let text = ErrorChain::of(&pickle).to_string();
        assert!(text.contains("pickle"), "{text}");
    }
}
