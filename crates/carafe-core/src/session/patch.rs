//! What a request changed. A patch says nothing about keys that were not written, so two patches of
//! different keys merge.

use super::SessionData;
use crate::json::{self, Style, string};

/// The changes of one request, applicable to the state it saw or to any later one.
///
/// ```
/// use carafe_core::{json::Style, session::{Patch, SessionData}};
///
/// let mut patch = Patch::default();
/// patch.set("n", "8".to_owned());
/// let later = SessionData::parse(r#"{"n":7,"other":1}"#.to_owned(), Style::FLASK)?;
/// assert_eq!(patch.render(&later, Style::FLASK), r#"{"n":8,"other":1}"#);
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
#[derive(Clone, Default)]
pub struct Patch {
    clear: bool,
    /// In the order of the first write to each key, as a Python dictionary would have them.
    changes: Vec<Entry>,
}

/// What happens to one key.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// It gets this JSON text.
    Set(String),
    /// It goes.
    Remove,
}

#[derive(Clone)]
struct Entry {
    /// The key as JSON text.
    raw: String,
    change: Change,
}

impl Patch {
    /// Gives `key` the value with this JSON text.
    pub fn set(&mut self, key: &str, text: String) {
        self.write(key, Change::Set(text));
    }

    /// Takes `key` away.
    pub fn remove(&mut self, key: &str) {
        self.write(key, Change::Remove);
    }

    /// Takes every key away that exists when the patch is applied, and forgets earlier changes.
    pub fn clear(&mut self) {
        *self = Self {
            clear: true,
            changes: Vec::new(),
        };
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.clear && self.changes.is_empty()
    }

    /// Whether everything that was there goes.
    #[must_use]
    pub const fn clears(&self) -> bool {
        self.clear
    }

    /// What happens to `key`.
    #[must_use]
    pub fn change_of(&self, key: &str) -> Option<&Change> {
        self.changes
            .iter()
            .find(|entry| string::key_equals(&entry.raw, key))
            .map(|entry| &entry.change)
    }

    /// The JSON text of `key` after this patch.
    #[must_use]
    pub fn text_of<'a>(&'a self, key: &str, base: &'a SessionData) -> Option<&'a str> {
        match self.change_of(key) {
            Some(Change::Set(text)) => Some(text),
            Some(Change::Remove) => None,
            None if self.clear => None,
            None => base.text_of(key),
        }
    }

    /// The members after this patch: what `base` had in its order, then new keys in theirs.
    pub fn members<'a>(
        &'a self,
        base: &'a SessionData,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        let kept = base
            .iter()
            .filter(|_| !self.clear)
            .filter_map(|(raw, value)| match self.entry_of_raw(raw) {
                None => Some((raw, value)),
                Some(Entry {
                    change: Change::Set(text),
                    ..
                }) => Some((raw, text.as_str())),
                Some(_) => None,
            });
        let added = self
            .changes
            .iter()
            .filter_map(move |entry| match &entry.change {
                Change::Set(text) if self.clear || !base.has_raw(&entry.raw) => {
                    Some((entry.raw.as_str(), text.as_str()))
                }
                _ => None,
            });
        kept.chain(added)
    }

    /// The JSON text of `base` after this patch.
    #[must_use]
    pub fn render(&self, base: &SessionData, style: Style) -> String {
        // Each look at the members compares all keys of both, and writing looks at them several times.
        let mut members = Vec::with_capacity(base.len() + self.changes.len());
        members.extend(self.members(base));
        json::write_object(members.iter().copied(), style)
    }

    fn write(&mut self, key: &str, change: Change) {
        let entries = &mut self.changes;
        match entries
            .iter_mut()
            .find(|entry| string::key_equals(&entry.raw, key))
        {
            Some(entry) => entry.change = change,
            None => entries.push(Entry {
                raw: quote(key),
                change,
            }),
        }
    }

    fn entry_of_raw(&self, raw: &str) -> Option<&Entry> {
        self.changes
            .iter()
            .find(|entry| string::compare(raw, &entry.raw).is_eq())
    }
}

/// A key as JSON text. ASCII, which every style reads alike.
fn quote(key: &str) -> String {
    let mut raw = String::new();
    string::write(key, true, &mut raw);
    raw
}

impl std::fmt::Debug for Patch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Patch {{ clear: {}, {} keys }}",
            self.clear,
            self.changes.len()
        )
    }
}
