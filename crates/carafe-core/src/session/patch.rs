//! What a request changed. A patch says nothing about keys that were not written, so patches of different
//! keys merge; an update of one key runs again on whatever value it finds.

use std::sync::Arc;

use super::{SessionData, SessionError};
use crate::{
    clock::Timestamp,
    json::{self, Style, string},
};

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
    /// What changes beside the dictionary.
    pub facts: FactChanges,
}

/// Changes to what a store knows of a session beside its dictionary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactChanges {
    /// The user it belongs to from now on. Only a rotation may carry this: a session never changes
    /// hands under the same id.
    pub user: Option<String>,
    /// When that user proved who they are.
    pub authenticated: Option<Timestamp>,
    /// A note of the device.
    pub device: Option<String>,
    /// When it was used, and the expiry that follows. A later expiry in the store stays.
    pub seen: Option<Seen>,
}

/// A use of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// The first second in which the session is over if it is not used again.
    pub expires: Timestamp,
}

/// What happens to one key.
#[derive(Clone)]
pub enum Change {
    /// It gets this JSON text.
    Set(String),
    /// It goes.
    Remove,
    /// It gets what a function makes of its newest value.
    Update(Update),
}

/// A change that depends on the value it finds.
#[derive(Clone)]
pub struct Update {
    before: Option<String>,
    after: String,
    again: Rerun,
}

/// From the JSON text that is there, if any, to the one that shall be.
pub type Rerun = Arc<dyn Fn(Option<&str>) -> Result<String, SessionError> + Send + Sync>;

#[derive(Clone)]
struct Entry {
    key: Key,
    change: Change,
}

#[derive(Clone)]
struct Key {
    /// As JSON text, for writing.
    raw: String,
    /// As it is, if that is not what stands between the quotation marks.
    plain: Option<String>,
}

impl Patch {
    /// No change.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            clear: false,
            changes: Vec::new(),
            facts: FactChanges {
                user: None,
                authenticated: None,
                device: None,
                seen: None,
            },
        }
    }

    /// Gives `key` the value with this JSON text.
    pub fn set(&mut self, key: &str, text: String) {
        self.write(key, Change::Set(text));
    }

    /// Takes `key` away.
    pub fn remove(&mut self, key: &str) {
        self.write(key, Change::Remove);
    }

    /// Gives `key` what `again` makes of its newest value: `after`, as long as that is still `before`.
    pub fn update(&mut self, key: &str, before: Option<String>, after: String, again: Rerun) {
        let change = match self.change_of(key) {
            None if self.clear => Change::Set(after),
            None => Change::Update(Update {
                before,
                after,
                again,
            }),
            Some(Change::Set(_) | Change::Remove) => Change::Set(after),
            Some(Change::Update(first)) => Change::Update(first.then(after, again)),
        };
        self.write(key, change);
    }

    /// Takes every key away that exists when the patch is applied, and forgets earlier changes of keys.
    pub fn clear(&mut self) {
        self.clear = true;
        self.changes.clear();
    }

    /// Whether the dictionary stays as it is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.clear && self.changes.is_empty()
    }

    /// Whether everything that was there goes.
    #[must_use]
    pub const fn clears(&self) -> bool {
        self.clear
    }

    /// What happens to each key, in the order of the first writes.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.changes
            .iter()
            .map(|entry| (entry.key.plain(), &entry.change))
    }

    /// What happens to `key`.
    #[must_use]
    pub fn change_of(&self, key: &str) -> Option<&Change> {
        self.changes
            .iter()
            .find(|entry| entry.key.plain() == key)
            .map(|entry| &entry.change)
    }

    /// The JSON text of `key` after this patch, if `base` is what it was made on.
    #[must_use]
    pub fn text_of<'a>(&'a self, key: &str, base: &'a SessionData) -> Option<&'a str> {
        match self.change_of(key) {
            Some(change) => change.text(),
            None if self.clear => None,
            None => base.text_of(key),
        }
    }

    /// The members after this patch: what `base` had in its order, then new keys in theirs.
    pub fn members<'a>(
        &'a self,
        base: &'a SessionData,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        self.merged(base, base.iter(), |text| text)
    }

    /// [`Patch::members`] as bytes.
    pub(super) fn raw_members<'a>(
        &'a self,
        base: &'a SessionData,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.merged(base, base.raw_members(), str::as_bytes)
    }

    /// At most so many bytes does a dictionary grow by, if all lengths are usual.
    pub(super) fn length(&self) -> usize {
        let texts = self.changes.iter().map(|entry| {
            let text = entry.change.text().unwrap_or_default();
            entry.key.raw.len() + text.len() + 4
        });
        texts.sum()
    }

    /// Whether no key is left.
    pub(super) fn leaves_nothing(&self, base: &SessionData) -> bool {
        if self.is_empty() {
            return base.is_empty();
        }
        let writes = self.changes().any(|(_, change)| change.text().is_some());
        !writes && self.raw_members(base).next().is_none()
    }

    fn merged<'a, T: AsRef<[u8]> + Copy + 'a>(
        &'a self,
        base: &'a SessionData,
        members: impl Iterator<Item = (T, T)> + Clone,
        of: impl Fn(&'a str) -> T + Copy,
    ) -> impl Iterator<Item = (T, T)> + Clone {
        let kept = members.filter(|_| !self.clear);
        let kept = kept.filter_map(move |(raw, value)| match self.entry_of_raw(raw.as_ref()) {
            None => Some((raw, value)),
            Some(entry) => entry.change.text().map(|text| (raw, of(text))),
        });
        let is_new = |entry: &&Entry| self.clear || !base.contains_key(entry.key.plain());
        let added = self.changes.iter().filter(is_new);
        kept.chain(added.filter_map(move |entry| {
            let text = entry.change.text()?;
            Some((of(&entry.key.raw), of(text)))
        }))
    }

    /// The JSON text of `base` after this patch, if `base` is what it was made on.
    #[must_use]
    pub fn render(&self, base: &SessionData, style: Style) -> String {
        // A look at the members compares all keys of both, and the writer looks several times.
        let members: Vec<_> = self.members(base).collect();
        json::write_object(members.iter().copied(), style)
    }

    /// This patch as it is on `newest`: updates whose value has changed meanwhile have run again.
    ///
    /// # Errors
    /// What an update gives when it cannot read the value that somebody else has written.
    pub fn rebased(&self, newest: &SessionData) -> Result<Self, SessionError> {
        let mut patch = self.clone();
        for Entry { key, change, .. } in &mut patch.changes {
            if let Change::Update(update) = change {
                update.run_on(newest.text_of(key.plain()))?;
            }
        }
        Ok(patch)
    }

    fn write(&mut self, key: &str, change: Change) {
        let entries = &mut self.changes;
        match entries.iter_mut().find(|entry| entry.key.plain() == key) {
            Some(entry) => entry.change = change,
            None => entries.push(Entry {
                key: Key::new(key),
                change,
            }),
        }
    }

    fn entry_of_raw(&self, raw: &[u8]) -> Option<&Entry> {
        self.changes
            .iter()
            .find(|entry| string::raw_key_equals(raw, entry.key.plain()))
    }
}

impl Change {
    /// The JSON text that the key gets; `None` if it goes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Set(text) | Self::Update(Update { after: text, .. }) => Some(text),
            Self::Remove => None,
        }
    }
}

impl Update {
    /// The JSON text that the value must still have for [`Change::text`] to be right.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    fn then(&self, after: String, second: Rerun) -> Self {
        let first = Arc::clone(&self.again);
        let again: Rerun = Arc::new(move |text| second(Some(&first(text)?)));
        Self {
            before: self.before.clone(),
            after,
            again,
        }
    }

    fn run_on(&mut self, found: Option<&str>) -> Result<(), SessionError> {
        if self.before.as_deref() != found {
            self.after = (self.again)(found)?;
            self.before = found.map(str::to_owned);
        }
        Ok(())
    }
}

impl Key {
    fn new(key: &str) -> Self {
        let raw = quote(key);
        // An escape is longer than what it stands for.
        let is_escaped = raw.len() > key.len() + 2;
        Self {
            plain: is_escaped.then(|| key.to_owned()),
            raw,
        }
    }

    fn plain(&self) -> &str {
        match &self.plain {
            Some(plain) => plain,
            None => self.raw.get(1..self.raw.len() - 1).unwrap_or_default(),
        }
    }
}

/// A key as JSON text. ASCII, which every style reads alike.
fn quote(key: &str) -> String {
    let mut raw = String::with_capacity(key.len() + 2);
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

#[cfg(test)]
mod tests;
