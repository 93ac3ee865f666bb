//! The two formats of `SESSION_SERIALIZATION_FORMAT`, and their detection.

use super::{Members, Unreadable, Unwritable, json, msgpack};

/// Flask-Session's `SESSION_SERIALIZATION_FORMAT`.
///
/// The format determines how sessions are written. Both formats are read, as in Flask-Session.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::flask::stored::{FlaskSession, Format};
/// use carafe_core::store::StoreKey;
///
/// // Both formats are read, whichever is configured.
/// let (key, now) = (StoreKey::from_bytes([0; 32]), Timestamp::from_unix(0));
/// let layout = FlaskSession::new(Format::Json);
/// let record = layout.record(&key, b"\x81\xa1n\x07", now, now)?;
/// assert_eq!(layout.value(&key, &record)?, br#"{"n":7}"#);
/// # Ok::<(), carafe_core::store::StoreError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `"msgpack"`, the default: preserves bytes, aware datetimes and keys of any type.
    #[default]
    MsgPack,
    /// `"json"`: types that JSON lacks become strings, as in Flask-Session.
    Json,
}

impl Format {
    /// Returns the members of a stored dictionary in either format.
    ///
    /// The formats are unambiguous: in MessagePack, the JSON text of a dictionary is a small number
    /// with trailing bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Members, Unreadable> {
        match msgpack::read(bytes) {
            Err(Unreadable::Neither) => {}
            read => return read,
        }
        match json::read(bytes) {
            Err(Unreadable::Neither) if is_pickle(bytes) => Err(Unreadable::Pickle),
            read => read,
        }
    }

    /// Returns the stored form of a dictionary.
    pub(super) fn write<'m>(
        self,
        members: impl Iterator<Item = (&'m str, &'m str)>,
    ) -> Result<Vec<u8>, Unwritable> {
        match self {
            Self::MsgPack => msgpack::write(members),
            Self::Json => json::write(members),
        }
    }
}

/// Returns whether bytes in neither format look like a pickle.
///
/// A pickle begins with a header of protocol 2 to 5, or with the first opcode of a dictionary or an
/// object in protocols 0 and 1 and the final opcode `STOP`.
fn is_pickle(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x80, 2..=5, ..] | [b'(' | b'}' | b'c' | b'd' | b']', .., b'.']
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pickles_are_refused_by_name() {
        // pickle.dumps({"n": 1}, protocol) for 0 to 5, an empty dict, and a pickle that would run a
        // command.
        for pickle in [
            &b"(dp0\nVn\np1\nI1\ns."[..],
            b"}q\x00X\x01\x00\x00\x00nq\x01K\x01s.",
            b"\x80\x02}q\x00X\x01\x00\x00\x00nq\x01K\x01s.",
            b"\x80\x03}q\x00X\x01\x00\x00\x00nq\x01K\x01s.",
            b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01n\x94K\x01s.",
            b"\x80\x05\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01n\x94K\x01s.",
            b"(dp0\n.",
            b"}.",
            b"cos\nsystem\n(S'id'\ntR.",
            // truncated: still recognized as a pickle
            b"\x80\x04\x95\x0a\x00",
        ] {
            assert_eq!(Format::read(pickle), Err(Unreadable::Pickle), "{pickle:?}");
        }
    }

    #[test]
    fn what_is_neither_says_so() {
        for bytes in [
            &b""[..],
            b"not a session",
            b"{]",
            b"\x81\xc1\x01",
            b"\x81\xa1a\x92\x01\xc1",
            b"\x81\xa1a",
            b"\x80\x01",
            b"\x81\xa1a\x01.",
            b"\xff\xfe{}",
        ] {
            assert_eq!(Format::read(bytes), Err(Unreadable::Neither), "{bytes:?}");
        }
        for bytes in [&b"[]"[..], b"\x90", b"null", b"\xc0", b"7", b"\"a\""] {
            assert_eq!(
                Format::read(bytes),
                Err(Unreadable::NotADictionary),
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn either_format_is_read() {
        let members = Ok(vec![("\"n\"".to_owned(), "1".to_owned())]);
        assert_eq!(Format::read(b"{\"n\":1}"), members);
        assert_eq!(Format::read(b"\x81\xa1n\x01"), members);
        assert_eq!(Format::read(b"\x80"), Ok(vec![]));
    }
}
