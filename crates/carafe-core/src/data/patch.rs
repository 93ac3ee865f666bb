//! The changes of one request.
//!
//! A patch contains only the keys that were written, so patches of different keys merge. An update
//! of a key runs again on a newer value.

use std::{borrow::Cow, collections::HashMap, error::Error, sync::Arc};

use super::SessionData;
use crate::{
    clock::Timestamp,
    json::{self, JsonDialect, string},
};

/// The changes of one request, applicable to the state that the request loaded or to any later one.
///
/// ```
/// use carafe_core::{json::JsonDialect, session::{Patch, SessionData}};
///
/// let mut patch = Patch::default();
/// patch.set("n", "8".to_owned());
/// let later = SessionData::parse(r#"{"n":7,"other":1}"#.to_owned(), JsonDialect::FLASK)?;
/// assert_eq!(patch.render(&later, JsonDialect::FLASK), r#"{"n":8,"other":1}"#);
/// # Ok::<(), carafe_core::json::ScanError>(())
/// ```
#[derive(Clone, Default)]
pub struct Patch {
    clear: bool,
    /// In the order of the first write to each key, as in a Python dictionary.
    changes: Vec<Entry>,
    /// The index of each key in `changes`, once there are more than [`FEW`].
    ///
    /// A linear search is faster for fewer changes and needs no allocation.
    #[expect(
        clippy::box_collection,
        reason = "keeps the patch of nearly every request small"
    )]
    index: Option<Box<HashMap<String, usize>>>,
    /// Changes of the metadata.
    pub facts: MetaPatch,
}

/// Changes of a session's metadata in a store.
///
/// ```
/// use carafe_core::session::Patch;
///
/// let mut patch = Patch::new();
/// patch.facts.device = Some("Firefox on Linux".to_owned());
/// assert!(patch.is_empty(), "the dictionary stays as it is");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetaPatch {
    /// The new user of the session.
    ///
    /// Only a rotation may set this, because a session never changes users under the same ID.
    pub user: Option<String>,
    /// The time when the user authenticated.
    pub authenticated: Option<Timestamp>,
    /// The note about the device.
    pub device: Option<String>,
    /// The use that the commit records.
    pub seen: Option<Access>,
}

/// A use of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The time of the use.
    pub at: Timestamp,
    /// The first second in which the session is expired unless it is used again.
    ///
    /// A later time in the store is kept.
    pub expires: Timestamp,
    /// Set if the request presented the new ID of a pending renewal.
    ///
    /// From this second on, the old ID is no longer accepted
    /// ([`Renewal::until`](crate::store::Renewal)).
    pub confirms: Option<Timestamp>,
}

/// The change of one key.
///
/// ```
/// use carafe_core::session::{Change, Patch};
///
/// let mut patch = Patch::new();
/// patch.set("step", "2".to_owned());
/// patch.remove("draft");
/// let texts: Vec<_> = patch.changes().map(|(key, change)| (key, change.text())).collect();
/// assert_eq!(texts, [("step", Some("2")), ("draft", None)]);
/// ```
#[derive(Clone)]
pub enum Change {
    /// Sets the key to this JSON text.
    Set(String),
    /// Removes the key.
    Remove,
    /// Sets the key to the result of a function of its newest value.
    Update(Update),
    /// Sets or removes the key if its value is still the expected one.
    ///
    /// Otherwise the whole patch is rejected with
    /// [`StoreError::Unmet`](crate::store::StoreError::Unmet).
    Swap {
        /// The JSON text that the value must have, or `None` if the key must be missing.
        expected: Option<String>,
        /// The new JSON text of the key. `None` removes the key.
        text: Option<String>,
    },
}

/// A change that depends on the current value.
#[derive(Clone)]
pub struct Update {
    before: Option<String>,
    after: String,
    again: UpdateFn,
}

/// Maximum number of changes for a linear search.
const FEW: usize = 16;

/// Returns the new JSON text of a value, given its current JSON text, or `None` if the key is
/// missing.
pub type UpdateFn = Arc<dyn Fn(Option<&str>) -> Result<String, UpdateError> + Send + Sync>;
/// The error of an [`UpdateFn`].
pub type UpdateError = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
struct Entry {
    key: Key,
    change: Change,
}

#[derive(Clone)]
struct Key {
    /// The key as JSON text, for writing.
    raw: String,
    /// The plain key, if it differs from the text between the quotation marks.
    plain: Option<String>,
}

impl Patch {
    /// Returns an empty patch.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            clear: false,
            changes: Vec::new(),
            index: None,
            facts: MetaPatch {
                user: None,
                authenticated: None,
                device: None,
                seen: None,
            },
        }
    }

    /// Sets `key` to the value with this JSON text.
    ///
    /// The text is not checked here: [`Patch::applied`] rejects a text that is not JSON.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::{Patch, SessionData}};
    ///
    /// let mut patch = Patch::new();
    /// patch.set("name", "\"Ada\"".to_owned());
    /// let data = patch.applied(&SessionData::default(), JsonDialect::QUART)?;
    /// assert_eq!(data.text_of("name"), Some("\"Ada\""));
    ///
    /// patch.set("name", "Ada".to_owned());
    /// assert!(patch.applied(&data, JsonDialect::QUART).is_err(), "the quotes are missing");
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    pub fn set(&mut self, key: &str, text: String) {
        self.write(key, Change::Set(text));
    }

    /// Removes `key`.
    pub fn remove(&mut self, key: &str) {
        self.write(key, Change::Remove);
    }

    /// Sets `key` to `after` if its value is `before`.
    ///
    /// Otherwise, sets `key` to the result of `again` on its newest value.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::json::JsonDialect;
    /// use carafe_core::session::{Patch, SessionData, UpdateFn};
    /// use carafe_core::store::{PublicId, Record, SessionMeta};
    ///
    /// let increment: UpdateFn = Arc::new(|text| {
    ///     let count: u32 = text.unwrap_or("0").parse()?;
    ///     Ok((count + 1).to_string())
    /// });
    /// let record = |text: &str| {
    ///     let (created, expires) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    ///     let meta = SessionMeta::new(PublicId::from_bytes([0; 12]), created, expires);
    ///     let data = SessionData::parse(text.to_owned(), JsonDialect::QUART);
    ///     data.map(|data| Record::new(meta, data))
    /// };
    ///
    /// // This request has loaded 1. Another request has written 5 in the meantime.
    /// let (loaded, newest) = (record(r#"{"visits":1}"#)?, record(r#"{"visits":5}"#)?);
    /// let mut patch = Patch::new();
    /// patch.update("visits", Some("1".to_owned()), "2".to_owned(), increment);
    /// let merged = newest.merge(&loaded, &patch)?.expect("the user is the same");
    /// assert_eq!(merged.data.text_of("visits"), Some("6"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn update(&mut self, key: &str, before: Option<String>, after: String, again: UpdateFn) {
        let change = match self.change_of(key) {
            None if self.clear => Change::Set(after),
            None => Change::Update(Update {
                before,
                after,
                again,
            }),
            Some(Change::Set(_) | Change::Remove) => Change::Set(after),
            Some(Change::Update(first)) => Change::Update(first.then(after, again)),
            Some(Change::Swap { expected, .. }) => Change::Swap {
                expected: expected.clone(),
                text: Some(after),
            },
        };
        self.write(key, change);
    }

    /// Sets `key` to this JSON text, or removes it, if its text is still `expected`.
    ///
    /// [`Record::merge`](crate::store::Record::merge) checks the expectation:
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::json::JsonDialect;
    /// use carafe_core::session::{Patch, SessionData};
    /// use carafe_core::store::{PublicId, Record, SessionMeta, StoreError};
    ///
    /// let now = Timestamp::from_unix(0);
    /// let meta = SessionMeta::new(PublicId::from_bytes([0; 12]), now, Timestamp::from_unix(60));
    /// let data = SessionData::parse(r#"{"token":"t1"}"#.to_owned(), JsonDialect::QUART)?;
    /// let record = Record::new(meta, data);
    ///
    /// let mut take = Patch::new();
    /// take.swap("token", Some("\"t1\"".to_owned()), None);
    /// let taken = record.merge(&record, &take)?.expect("the user is the same");
    /// assert!(taken.data.is_empty());
    ///
    /// // A second request that takes the same token is too late.
    /// assert!(matches!(taken.merge(&record, &take), Err(StoreError::Unmet)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn swap(&mut self, key: &str, expected: Option<String>, text: Option<String>) {
        self.write(key, Change::Swap { expected, text });
    }

    /// Appends the changes of `later`, which apply to the result of this patch.
    pub(crate) fn append(&mut self, later: Self) {
        if later.clear {
            self.clear();
        }
        for Entry { key, change } in later.changes {
            match change {
                Change::Update(update) => {
                    self.update(key.plain(), update.before, update.after, update.again);
                }
                change => self.write(key.plain(), change),
            }
        }
        let (facts, earlier) = (later.facts, std::mem::take(&mut self.facts));
        self.facts = MetaPatch {
            user: facts.user.or(earlier.user),
            authenticated: facts.authenticated.or(earlier.authenticated),
            device: facts.device.or(earlier.device),
            seen: facts.seen.or(earlier.seen),
        };
    }

    /// Returns whether the expected value of each [`Change::Swap`] matches `newest`.
    pub(crate) fn conditions_hold(&self, newest: &SessionData) -> bool {
        self.changes().all(|(key, change)| match change {
            Change::Swap { expected, .. } => expected.as_deref() == newest.text_of(key),
            Change::Set(_) | Change::Remove | Change::Update(_) => true,
        })
    }

    /// Removes all keys that exist when the patch is applied, and discards earlier changes of keys.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::{Patch, SessionData}};
    ///
    /// let base = SessionData::parse(r#"{"user":1,"cart":[2]}"#.to_owned(), JsonDialect::QUART)?;
    /// let mut patch = Patch::new();
    /// patch.set("theme", "\"dark\"".to_owned());
    /// patch.clear();
    /// patch.set("notice", "\"bye\"".to_owned());
    /// assert_eq!(patch.render(&base, JsonDialect::QUART), r#"{"notice":"bye"}"#);
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    pub fn clear(&mut self) {
        self.clear = true;
        self.changes.clear();
        self.index = None;
    }

    /// Returns whether the patch leaves the dictionary unchanged.
    ///
    /// ```
    /// use carafe_core::session::Patch;
    ///
    /// let mut patch = Patch::new();
    /// assert!(patch.is_empty());
    /// patch.remove("missing");
    /// assert!(!patch.is_empty(), "the key may exist when the patch is applied");
    /// ```
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.clear && self.changes.is_empty()
    }

    /// Returns whether the patch removes all existing keys.
    #[must_use]
    pub const fn clears(&self) -> bool {
        self.clear
    }

    /// Returns the change of each key, in the order of the first writes.
    ///
    /// ```
    /// use carafe_core::session::{Change, Patch};
    ///
    /// let mut patch = Patch::new();
    /// patch.set("b", "1".to_owned());
    /// patch.remove("a");
    /// patch.set("b", "2".to_owned());
    /// let keys: Vec<_> = patch.changes().map(|(key, _)| key).collect();
    /// assert_eq!(keys, ["b", "a"]);
    /// assert!(matches!(patch.changes().next(), Some((_, Change::Set(text))) if text == "2"));
    /// ```
    pub fn changes(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.changes
            .iter()
            .map(|entry| (entry.key.plain(), &entry.change))
    }

    /// Returns the change of `key`.
    #[must_use]
    pub(crate) fn change_of(&self, key: &str) -> Option<&Change> {
        let at = self.position(key)?;
        Some(&self.changes[at].change)
    }

    /// Returns the JSON text of `key` after this patch, which must have been created for `base`.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::{Patch, SessionData}};
    ///
    /// let base = SessionData::parse(r#"{"a":1,"b":2}"#.to_owned(), JsonDialect::QUART)?;
    /// let mut patch = Patch::new();
    /// patch.remove("a");
    /// assert_eq!(patch.text_of("a", &base), None);
    /// assert_eq!(patch.text_of("b", &base), Some("2"));
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    #[must_use]
    pub fn text_of<'a>(&'a self, key: &str, base: &'a SessionData) -> Option<&'a str> {
        self.text_over(key, || base.text_of(key))
    }

    /// Like [`Patch::text_of`], with the text that `key` has in the base.
    pub(crate) fn text_over<'a>(
        &'a self,
        key: &str,
        base: impl FnOnce() -> Option<&'a str>,
    ) -> Option<&'a str> {
        match self.change_of(key) {
            Some(change) => change.text(),
            None if self.clear => None,
            None => base(),
        }
    }

    /// Returns the members after this patch: those of `base` in their order, followed by new keys.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::{Patch, SessionData}};
    ///
    /// let base = SessionData::parse(r#"{"b":1,"a":2}"#.to_owned(), JsonDialect::QUART)?;
    /// let mut patch = Patch::new();
    /// patch.set("new", "3".to_owned());
    /// patch.set("b", "9".to_owned());
    /// let members: Vec<_> = patch.members(&base).collect();
    /// assert_eq!(members, [("\"b\"", "9"), ("\"a\"", "2"), ("\"new\"", "3")]);
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    pub fn members<'a>(
        &'a self,
        base: &'a SessionData,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + Clone {
        self.merged(base, base.iter(), |text| text)
    }

    /// Like [`Patch::members`], as bytes.
    pub(super) fn raw_members<'a>(
        &'a self,
        base: &'a SessionData,
    ) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.merged(base, base.raw_members(), str::as_bytes)
    }

    /// Returns the maximum growth of a dictionary in bytes, if all lengths are typical.
    pub(crate) fn length(&self) -> usize {
        let texts = self.changes.iter().map(|entry| {
            let text = entry.change.text().unwrap_or_default();
            entry.key.raw.len() + text.len() + 4
        });
        texts.sum()
    }

    /// Returns whether the patch leaves `base` without keys.
    pub(crate) fn leaves_nothing(&self, base: &SessionData) -> bool {
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
        let known = self.known(members.clone());
        let kept = members.filter(|_| !self.clear);
        let kept = kept.filter_map(move |(raw, value)| match self.entry_of_raw(raw.as_ref()) {
            None => Some((raw, value)),
            Some(entry) => entry.change.text().map(|text| (raw, of(text))),
        });
        let is_new = move |(at, entry): &(usize, &Entry)| {
            self.clear
                || match &known {
                    Some(known) => !known[*at],
                    None => !base.contains_key(entry.key.plain()),
                }
        };
        let added = self.changes.iter().enumerate().filter(is_new);
        kept.chain(added.filter_map(move |(_, entry)| {
            let text = entry.change.text()?;
            Some((of(&entry.key.raw), of(text)))
        }))
    }

    /// Returns which changes affect keys in `members`, found in one pass if there are many changes.
    fn known<T: AsRef<[u8]>>(&self, members: impl Iterator<Item = (T, T)>) -> Option<Vec<bool>> {
        self.index.as_ref()?;
        let mut known = vec![false; self.changes.len()];
        for (raw, _) in members {
            if let Some(at) = self.position_of_raw(raw.as_ref()) {
                known[at] = true;
            }
        }
        Some(known)
    }

    /// Returns the JSON text of `base` after this patch, which must have been created for `base`.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::{Patch, SessionData}};
    ///
    /// let mut patch = Patch::new();
    /// patch.set("b", "1".to_owned());
    /// patch.set("a", "2".to_owned());
    /// let base = SessionData::default();
    /// assert_eq!(patch.render(&base, JsonDialect::QUART), r#"{"b":1,"a":2}"#);
    /// assert_eq!(patch.render(&base, JsonDialect::FLASK), r#"{"a":2,"b":1}"#);
    /// ```
    #[must_use]
    pub fn render(&self, base: &SessionData, style: JsonDialect) -> String {
        // Iterating over the members compares all keys of both sides, and the writer iterates
        // several times.
        let members: Vec<_> = self.members(base).collect();
        json::write_object(members.iter().copied(), style)
    }

    /// Returns this patch for `newest`, with updates of changed values run again.
    ///
    /// # Errors
    /// The error of an update that cannot read a value that another request has written.
    pub(crate) fn rebased(&self, newest: &SessionData) -> Result<Self, UpdateError> {
        let mut patch = self.clone();
        let text_of = self.finder(newest);
        for Entry { key, change, .. } in &mut patch.changes {
            if let Change::Update(update) = change {
                update.run_on(text_of(key.plain()))?;
            }
        }
        Ok(patch)
    }

    /// Returns a [`SessionData::text_of`] that is fast for the number of keys in this patch.
    pub(super) fn finder<'d>(
        &self,
        data: &'d SessionData,
    ) -> impl Fn(&str) -> Option<&'d str> + use<'d> {
        let texts = self.index.as_ref().map(|_| by_key(data));
        move |key| match &texts {
            Some(texts) => texts.get(key).copied(),
            None => data.text_of(key),
        }
    }

    fn write(&mut self, key: &str, change: Change) {
        if let Some(at) = self.position(key) {
            self.changes[at].change = change;
            return;
        }
        let at = self.changes.len();
        self.changes.push(Entry {
            key: Key::new(key),
            change,
        });
        match &mut self.index {
            Some(index) => _ = index.insert(key.to_owned(), at),
            None if at == FEW => {
                let keys = self
                    .changes
                    .iter()
                    .map(|entry| entry.key.plain().to_owned());
                self.index = Some(Box::new(keys.zip(0..).collect()));
            }
            None => {}
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.changes.iter().position(|entry| entry.key.is(key)),
        }
    }

    fn position_of_raw(&self, raw: &[u8]) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(&*decoded(raw)?).copied(),
            None => self.changes.iter().position(|entry| entry.key.is_raw(raw)),
        }
    }

    fn entry_of_raw(&self, raw: &[u8]) -> Option<&Entry> {
        let at = self.position_of_raw(raw)?;
        Some(&self.changes[at])
    }
}

impl Change {
    /// Returns the new JSON text of the key. `None` removes the key.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Set(text) | Self::Update(Update { after: text, .. }) => Some(text),
            Self::Remove => None,
            Self::Swap { text, .. } => text.as_deref(),
        }
    }
}

impl Update {
    /// Returns the JSON text that the value must have for [`Change::text`] to be correct.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }

    fn then(&self, after: String, second: UpdateFn) -> Self {
        let first = Arc::clone(&self.again);
        let again: UpdateFn = Arc::new(move |text| second(Some(&first(text)?)));
        Self {
            before: self.before.clone(),
            after,
            again,
        }
    }

    fn run_on(&mut self, found: Option<&str>) -> Result<(), UpdateError> {
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
        // An escape sequence is longer than the character it encodes.
        let is_escaped = raw.len() > key.len() + 2;
        Self {
            plain: is_escaped.then(|| key.to_owned()),
            raw,
        }
    }

    fn is(&self, key: &str) -> bool {
        count_comparison();
        self.plain() == key
    }

    fn is_raw(&self, raw: &[u8]) -> bool {
        count_comparison();
        string::raw_key_equals(raw, self.plain())
    }

    fn plain(&self) -> &str {
        match &self.plain {
            Some(plain) => plain,
            None => self.raw.get(1..self.raw.len() - 1).unwrap_or_default(),
        }
    }
}

/// Decodes the key with the JSON text `raw`.
///
/// Returns `None` for a key that is not Unicode, which no change can have.
fn decoded(raw: &[u8]) -> Option<Cow<'_, str>> {
    string::decode(str::from_utf8(raw).ok()?).ok()
}

/// Returns the JSON text of each value, by key.
fn by_key(data: &SessionData) -> HashMap<Cow<'_, str>, &str> {
    let members = data.iter();
    members
        .filter_map(|(raw, text)| Some((decoded(raw.as_bytes())?, text)))
        .collect()
}

/// Counts key comparisons in tests.
#[inline]
fn count_comparison() {
    #[cfg(test)]
    tests::COMPARISONS.with(|count| count.set(count.get() + 1));
}

/// Returns a key as ASCII JSON text, which is the same in all dialects.
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
