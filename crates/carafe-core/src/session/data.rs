//! The session's dictionary as it came: one JSON text, and where its members stand in it.

use std::borrow::Cow;

use crate::json::{self, Member, Members, ScanError, Style};

/// An ordered dictionary whose values keep the JSON text they came as.
///
/// The top level is scanned once; a value is parsed only when it is read. What is not written is not
/// touched, so tagged values, unknown tags, big integers, `NaN` and lone surrogates survive.
///
/// ```
/// use carafe_core::{json::Style, session::SessionData};
///
/// let data = SessionData::parse(r#"{"n":7,"t":{" t":[1,NaN]}}"#.to_owned(), Style::FLASK)?;
/// assert_eq!(data.text_of("t"), Some(r#"{" t":[1,NaN]}"#));
/// assert_eq!(data.len(), 2);
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
#[derive(Clone, Default)]
pub struct SessionData {
    text: String,
    members: Members,
}

impl SessionData {
    /// Reads the JSON text of a session, as Flask would (`style.tags`) or Starlette.
    ///
    /// # Errors
    /// [`ScanError`] if the text is not JSON in Python's grammar, not a dictionary, nests deeper than
    /// [`json::MAX_DEPTH`], or misuses a tag.
    pub fn parse(payload: String, style: Style) -> Result<Self, ScanError> {
        let root = json::scan_root(&payload, style.tags)?;
        let members = root.members;
        let rewritten = match root.text {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        };
        Ok(Self {
            text: rewritten.unwrap_or(payload),
            members,
        })
    }

    /// Of members that were checked, with distinct keys. `None` beyond 4 GiB.
    pub(super) fn joined(members: &[(&str, &str)]) -> Option<Self> {
        let length = members.iter().map(|(key, value)| key.len() + value.len());
        let length = u32::try_from(length.sum::<usize>()).ok()?;
        let mut text = String::with_capacity(length as usize);
        for (key, value) in members {
            text.push_str(key);
            text.push_str(value);
        }
        let lengths = members.iter().map(|(key, value)| (key.len(), value.len()));
        Some(Self::checked(text, json::adjacent(lengths)))
    }

    /// Of a text that was checked, and where its members stand, with distinct keys.
    pub(crate) const fn checked(text: String, members: Members) -> Self {
        Self { text, members }
    }

    /// The JSON text of a value.
    #[must_use]
    pub fn text_of(&self, key: &str) -> Option<&str> {
        let text = self.text.as_str();
        let is_it = |member: &&Member| json::string::key_equals(member.key.of(text), key);
        Some(self.members.iter().find(is_it)?.value.of(text))
    }

    /// The members in order: each key as JSON text with its quotes, each value as JSON text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        let text = self.text.as_str();
        self.members
            .iter()
            .map(move |member| (member.key.of(text), member.value.of(text)))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl std::fmt::Debug for SessionData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionData({} keys)", self.len())
    }
}
