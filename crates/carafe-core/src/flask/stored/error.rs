//! The errors of reading a stored value and of writing a session, without any byte of either.

use std::{error::Error, fmt};

/// The reason why a stored value cannot be read. The value is left unchanged.
///
/// ```
/// use carafe_core::{clock::Timestamp, error::ErrorChain, flask::stored::FlaskSession};
/// use carafe_core::store::StoreKey;
///
/// let (layout, key) = (FlaskSession::default(), StoreKey::from_bytes([0; 32]));
/// let now = Timestamp::from_unix(0);
/// let pickle = b"\x80\x04\x95\x0b\x00.";
/// let error = layout.record(&key, pickle, now, now).unwrap_err();
/// let text = ErrorChain::of(&error).to_string();
/// assert!(text.starts_with("a session record cannot be read: it is a Python pickle"), "{text}");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// A pickle, as written by Flask-Session before 0.7. Reading a pickle executes its code.
    Pickle,
    /// The value is neither MessagePack nor JSON.
    Neither,
    /// The value is not a dictionary.
    NotADictionary,
    /// The value nests deeper than [`MAX_DEPTH`](crate::json::MAX_DEPTH).
    TooDeep,
    /// Two keys of a dictionary differ in Python, such as `1` and `"1"`, but are equal in JSON.
    TwoKeys,
    /// A key contains a dictionary, which Python does not allow.
    MapInKey,
    /// The key that Carafe reserves contains a value of another program.
    Facts,
    /// The ID is not 32 bytes as 43 characters, the default of `SESSION_ID_LENGTH`.
    ///
    /// The session is served from its store, but Carafe's own layout does not accept the ID, so the
    /// session cannot be migrated.
    Id {
        /// Length of the ID, in bytes.
        length: usize,
    },
}

/// The reason why a session cannot be written in the chosen format.
///
/// ```
/// use carafe_core::clock::Timestamp;
/// use carafe_core::flask::stored::{FlaskSession, Format};
/// use carafe_core::session::SessionData;
/// use carafe_core::store::{PublicId, Record, SessionMeta, StoreError, StoreKey};
///
/// let now = Timestamp::from_unix(0);
/// let data = format!(r#"{{"n":{}}}"#, u128::MAX);
/// let meta = SessionMeta::new(PublicId::from_bytes([0; 12]), now, now);
/// let record = Record::new(meta, SessionData::parse(data, Record::STYLE)?);
/// let key = StoreKey::from_bytes([0; 32]);
/// let msgpack = FlaskSession::new(Format::MsgPack).value(&key, &record);
/// assert!(matches!(msgpack, Err(StoreError::Unstorable(_))));
/// assert!(FlaskSession::new(Format::Json).value(&key, &record).is_ok());
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unwritable {
    /// An integer below -2⁶³ or above 2⁶⁴-1, which MessagePack cannot represent.
    Integer,
    /// A lone surrogate, which UTF-8 cannot represent.
    Surrogate,
    /// A key that JSON cannot represent: `None`, a boolean or a tuple.
    Key,
    /// An extension type of MessagePack, which JSON cannot represent.
    Extension,
    /// The text is not JSON.
    Text,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Id { length } => {
                return write!(
                    f,
                    "its ID has {length} characters instead of 43; SESSION_ID_LENGTH was not the default"
                );
            }
            Self::Pickle => {
                "it is a Python pickle, which Carafe never reads, because unpickling executes code; load and save \
                 the session once with Flask-Session 0.7 or 0.8, which converts it to MessagePack or JSON, or \
                 delete it"
            }
            Self::Neither => "it is neither MessagePack nor JSON",
            Self::NotADictionary => "it is not a dictionary",
            Self::TooDeep => "it nests too deeply",
            Self::TwoKeys => "it has two keys that differ only in their type, such as 1 and \"1\"",
            Self::MapInKey => "one of its keys contains a dictionary",
            Self::Facts => "its key \"_carafe\" contains a value that Carafe did not write",
        })
    }
}

impl Error for Unreadable {}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Integer => "MessagePack has no integers of more than 64 bits",
            Self::Surrogate => "a text contains a lone surrogate, which UTF-8 cannot represent",
            Self::Key => "JSON cannot represent a key that is neither text nor a number",
            Self::Extension => "JSON cannot represent an extension type of MessagePack",
            Self::Text => "a value is not JSON text",
        })
    }
}

impl Error for Unwritable {}
