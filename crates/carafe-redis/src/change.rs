//! A patch or a rotation in progress. The new value is computed here from the record that the
//! caller loaded, and a script stores it if that record is unchanged. If another request wrote in
//! between, the change is applied to the newer record and tried again. `verbs` and `rotate` call
//! the scripts.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Record, Rotation, StoreError, StoreKey},
};

use crate::{
    RedisStore,
    key_locks::KeyLockGuard,
    layout::{check_size, rest_in, rest_of},
    value::StoredValue,
};

pub(crate) struct Change<'a> {
    store: &'a RedisStore,
    pub(crate) expected: Expected,
    base: &'a Record,
    patch: &'a Patch,
    /// The new key and the kind of rotation, for a rotation.
    target: Option<&'a Target<'a>>,
    now: Timestamp,
    // Boxed, because most changes find no newer record.
    met: Option<Box<Newer>>,
    lock: Option<KeyLockGuard<'a>>,
}

/// The new key of a session and the kind of rotation.
pub(crate) type Target<'a> = (&'a StoreKey, Rotation);

/// The key and the value that a change expects to find.
pub(crate) struct Expected {
    /// The key of the record.
    pub(crate) key: StoreKey,
    /// The part of its value that `unlike.lua` compares.
    pub(crate) rest: String,
}

/// Newer states found while a change is retried.
#[derive(Default)]
struct Newer {
    /// The pointers that led to the record.
    pointers: Vec<StoreKey>,
    /// The record to change, if it is no longer `base`.
    newer: Option<Box<Record>>,
}

/// The value that a change stores.
pub(crate) struct NewValue {
    pub(crate) record: Box<Record>,
    /// The value without its prefix, which the script writes: the layout version and the second
    /// until which the indices list the session.
    pub(crate) rest: String,
    /// Whether the record expires later than before.
    pub(crate) grows: bool,
}

impl NewValue {
    /// Encodes `record` for `key`. The previous record expired at `before`.
    pub(crate) fn new(key: &StoreKey, record: Box<Record>, before: Timestamp) -> Self {
        Self {
            rest: rest_of(key, &record),
            grows: record.meta.expires > before,
            record,
        }
    }
}

impl<'a> Change<'a> {
    pub(crate) fn new(
        store: &'a RedisStore,
        key: &StoreKey,
        target: Option<&'a Target<'a>>,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> Self {
        Self {
            store,
            expected: Expected {
                key: *key,
                rest: rest_of(key, base),
            },
            base,
            patch,
            target,
            now,
            met: None,
            lock: None,
        }
    }

    fn newest(&self) -> &Record {
        self.newer().unwrap_or(self.base)
    }

    fn newer(&self) -> Option<&Record> {
        self.met.as_ref()?.newer.as_deref()
    }

    /// Returns the pointers that led to the record.
    pub(crate) fn pointers(&self) -> &[StoreKey] {
        self.met.as_ref().map_or(&[], |met| &met.pointers)
    }

    /// Returns whether the change applies to the record that a pointer leads to. A renewal does
    /// not: the pointer says that another request has renewed the id already.
    fn follows_pointers(&self) -> bool {
        !matches!(self.target, Some((_, Rotation::Renewal(_))))
    }

    fn made(&self) -> Result<Option<Box<Record>>, StoreError> {
        let newest = self.newest();
        match self.target {
            Some(&(_, rotation)) => newest.rotated(
                self.base,
                self.patch,
                &self.expected.key,
                rotation,
                self.now,
            ),
            None => newest.merge(self.base, self.patch),
        }
    }

    /// Returns the value to store, or `None` if the session is gone.
    pub(crate) async fn next(&mut self) -> Result<Option<NewValue>, StoreError> {
        loop {
            let made = match self.newest().is_expired(self.now) {
                true => None,
                false => Some(self.made()),
            };
            match made {
                // The caller's record is outdated: another request may have used or changed the
                // session since.
                None => {}
                Some(Err(StoreError::Unmet)) if self.newer().is_none() => {}
                Some(made) => {
                    let key = self.target.map_or(&self.expected.key, |&(to, _)| to);
                    let before = self.newest().meta.expires;
                    let next = made?.map(|record| NewValue::new(key, record, before));
                    check_size(next.as_ref().map_or(0, |next| next.rest.len()))?;
                    return Ok(next);
                }
            }
            let found = Box::pin(self.store.value(&self.expected.key)).await?;
            if !Box::pin(self.rebase(found)).await? {
                return Ok(None);
            }
        }
    }

    /// Applies the change to `found`, the value that is stored instead of the expected one. Returns
    /// `false` if there is no session to change.
    pub(crate) async fn rebase(&mut self, found: Option<Vec<u8>>) -> Result<bool, StoreError> {
        let mut met = self.read(found)?;
        if self.lock.is_none() && matches!(met, (StoredValue::Record(_), _)) {
            let lock = self.store.key_locks.lock(&self.expected.key).await;
            if lock.waited {
                met = self.read(self.store.value(&self.expected.key).await?)?;
            }
            self.lock = Some(lock);
        }
        if matches!(met, (StoredValue::Pending(..), _)) {
            met = self.read(self.store.finish_move(&self.expected.key).await?)?;
        }
        match met {
            (StoredValue::Record(record), rest) => {
                let is_there = !record.is_expired(self.now);
                self.expected.rest = rest;
                self.met.get_or_insert_default().newer = Some(record);
                Ok(is_there)
            }
            (StoredValue::Pointer(to, _), _) if self.follows_pointers() => {
                let met = self.met.get_or_insert_default();
                met.pointers.push(self.expected.key);
                (self.expected.key, self.expected.rest) = (to, rest_of(&to, self.newest()));
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Decodes a value and returns the bytes to compare it by. Encoding the record again might give
    /// others.
    fn read(&self, found: Option<Vec<u8>>) -> Result<(StoredValue, String), StoreError> {
        match found {
            Some(value) => read(value, &self.expected.key),
            None => Ok((StoredValue::Missing, String::new())),
        }
    }
}

/// Decodes the value of `key`, and returns the part of it that `unlike.lua` compares.
pub(crate) fn read(value: Vec<u8>, key: &StoreKey) -> Result<(StoredValue, String), StoreError> {
    let text = std::str::from_utf8(&value).map_err(StoreError::corrupt)?;
    let rest = rest_in(text).unwrap_or_default().to_owned();
    Ok((StoredValue::parse(value, key)?, rest))
}
