//! The session's dictionary in its original form: one JSON text and the positions of its members.
//!
//! `packed` contains a dictionary that has already been scanned.

use std::{borrow::Cow, slice};

use super::packed::{Packed, PackedMembers, pack};
use crate::json::{self, JsonDialect, Member, Members, ScanError};

/// An ordered dictionary that keeps the original JSON text of its values.
///
/// The top level is scanned once, and a value is only parsed when it is read. Unwritten values are
/// never re-encoded, so tagged values, unknown tags, big integers, `NaN` and lone surrogates
/// survive.
///
/// ```
/// use carafe_core::{json::JsonDialect, session::SessionData};
///
/// let data = SessionData::parse(r#"{"n":7,"t":{" t":[1,NaN]}}"#.to_owned(), JsonDialect::FLASK)?;
/// assert_eq!(data.text_of("t"), Some(r#"{" t":[1,NaN]}"#));
/// assert_eq!(data.len(), 2);
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
#[derive(Clone, Default)]
pub struct SessionData(Form);

#[derive(Clone)]
enum Form {
    /// JSON text from outside, after a scan.
    Scanned { text: String, members: Members },
    /// Carafe's own format.
    Packed(Packed),
}

/// The members of a dictionary, in order.
#[derive(Clone)]
enum Iter<'d> {
    Scanned(&'d str, slice::Iter<'d, Member>),
    Packed(PackedMembers<'d>),
}

/// Like [`Iter`], but yields bytes, which need no UTF-8 check.
#[derive(Clone)]
struct RawIter<'d>(Iter<'d>);

impl SessionData {
    /// Parses the JSON text of a session, as Flask (`style.tags`) or Starlette would.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::SessionData};
    ///
    /// let tuple = r#"{"point":{" t":[1,2]}}"#.to_owned();
    /// let data = SessionData::parse(tuple, JsonDialect::FLASK)?;
    /// assert_eq!(data.text_of("point"), Some(r#"{" t":[1,2]}"#));
    ///
    /// assert!(SessionData::parse("[1,2]".to_owned(), JsonDialect::FLASK).is_err());
    /// assert!(SessionData::parse("{}".to_owned(), JsonDialect::FLASK)?.is_empty());
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScanError`] if the text is not JSON in Python's grammar, not a dictionary, nests deeper
    /// than [`json::MAX_DEPTH`], or misuses a tag.
    pub fn parse(payload: String, style: JsonDialect) -> Result<Self, ScanError> {
        let root = json::scan_root(&payload, style.tags)?;
        let members = root.members;
        let rewritten = match root.text {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        };
        Ok(Self(Form::Scanned {
            text: rewritten.unwrap_or(payload),
            members,
        }))
    }

    /// Joins validated members with distinct keys. `room` is the initial capacity.
    pub(super) fn joined<'m>(
        room: usize,
        members: impl Iterator<Item = (&'m [u8], &'m [u8])>,
    ) -> Self {
        Self(Form::Packed(Packed::written(pack(room, members))))
    }

    /// Returns the dictionary that [`SessionData::packed_bytes`] wrote at `start`. Shares `bytes`.
    pub(crate) fn packed(bytes: std::sync::Arc<[u8]>, start: usize) -> Self {
        Self(Form::Packed(Packed::at(bytes, start)))
    }

    /// Returns the dictionary as bytes that can be read without a scan.
    pub(crate) fn packed_bytes(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Form::Scanned { text, .. } => Cow::Owned(pack(text.len(), self.raw_members())),
            Form::Packed(packed) => Cow::Borrowed(packed.bytes()),
        }
    }

    /// Returns the approximate length of the packed bytes.
    pub(crate) fn length(&self) -> usize {
        match &self.0 {
            Form::Scanned { text, .. } => text.len(),
            Form::Packed(packed) => packed.bytes().len(),
        }
    }

    /// Returns the JSON text of the dictionary, as Flask (`style.tags`) or Starlette writes it.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::SessionData};
    ///
    /// let text = r#"{"b":"é","a":1}"#.to_owned();
    /// let data = SessionData::parse(text, JsonDialect::QUART)?;
    /// assert_eq!(data.payload(JsonDialect::FLASK), r#"{"a":1,"b":"é"}"#);
    /// assert_eq!(data.payload(JsonDialect::QUART), r#"{"b":"é","a":1}"#);
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    #[must_use]
    pub fn payload(&self, style: JsonDialect) -> String {
        match &self.0 {
            // A single member may have a tag as its key, which needs another encoding.
            Form::Packed(packed) if !style.sort_keys && packed.len() != 1 => {
                let room = packed.bytes().len() + 2 * packed.len() + 2;
                json::join(packed.members(), room, style)
            }
            _ => json::write_object(self.members(), style),
        }
    }

    /// Returns the JSON text of a value.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::SessionData};
    ///
    /// // The text stays as it was written, including the number's precision.
    /// let text = r#"{"pi":3.14000, "caf\u00e9":true}"#.to_owned();
    /// let data = SessionData::parse(text, JsonDialect::FLASK)?;
    /// assert_eq!(data.text_of("pi"), Some("3.14000"));
    /// assert_eq!(data.text_of("café"), Some("true"), "keys are compared after decoding");
    /// assert_eq!(data.text_of("e"), None);
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&str> {
        match &self.0 {
            Form::Scanned { text, members } => {
                let is_it = |member: &&Member| json::string::key_equals(member.key.of(text), key);
                Some(members.iter().find(is_it)?.value.of(text))
            }
            Form::Packed(packed) => str::from_utf8(packed.value_of(key)?).ok(),
        }
    }

    /// Returns the JSON texts of several values, in one pass.
    pub(crate) fn texts_of<const N: usize>(&self, keys: [&str; N]) -> [Option<&str>; N] {
        let mut texts = [None; N];
        for (raw, value) in self.raw_members() {
            for (text, key) in texts.iter_mut().zip(keys) {
                if json::string::raw_key_equals(raw, key) {
                    *text = str::from_utf8(value).ok();
                }
            }
        }
        texts
    }

    /// Returns the members in order, with keys (including quotes) and values as JSON text.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::SessionData};
    ///
    /// let data = SessionData::parse(r#"{"b":2,"a":1}"#.to_owned(), JsonDialect::FLASK)?;
    /// let members: Vec<_> = data.iter().collect();
    /// assert_eq!(members, [("\"b\"", "2"), ("\"a\"", "1")]);
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.members()
    }

    /// Returns the number of keys.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::SessionData};
    ///
    /// // As in Python, the last value of a repeated key wins.
    /// let data = SessionData::parse(r#"{"a":1,"a":2}"#.to_owned(), JsonDialect::FLASK)?;
    /// assert_eq!((data.len(), data.text_of("a")), (1, Some("2")));
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Scanned { members, .. } => members.len(),
            Form::Packed(packed) => packed.len(),
        }
    }

    /// Returns whether the dictionary has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Scanned { members, .. } => members.is_empty(),
            Form::Packed(packed) => packed.is_empty(),
        }
    }

    /// Returns the members as bytes, in order.
    pub(super) fn raw_members(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        RawIter(self.members())
    }

    pub(super) fn contains_key(&self, key: &str) -> bool {
        match &self.0 {
            Form::Scanned { .. } => self.text_of(key).is_some(),
            Form::Packed(packed) => packed.value_of(key).is_some(),
        }
    }

    fn members(&self) -> Iter<'_> {
        match &self.0 {
            Form::Scanned { text, members } => Iter::Scanned(text, members.iter()),
            Form::Packed(packed) => Iter::Packed(packed.members()),
        }
    }
}

impl<'d> Iterator for Iter<'d> {
    type Item = (&'d str, &'d str);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Scanned(text, members) => {
                let member = members.next()?;
                Some((member.key.of(text), member.value.of(text)))
            }
            Self::Packed(members) => {
                let (key, value) = members.next()?;
                Some((str::from_utf8(key).ok()?, str::from_utf8(value).ok()?))
            }
        }
    }
}

impl<'d> Iterator for RawIter<'d> {
    type Item = (&'d [u8], &'d [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Iter::Packed(members) => members.next(),
            scanned @ Iter::Scanned(..) => {
                let (key, value) = scanned.next()?;
                Some((key.as_bytes(), value.as_bytes()))
            }
        }
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::Scanned {
            text: String::new(),
            members: Members::default(),
        }
    }
}

impl std::fmt::Debug for SessionData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionData({} keys)", self.len())
    }
}
