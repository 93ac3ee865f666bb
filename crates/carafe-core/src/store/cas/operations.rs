//! The operations of the contract, over single keys.

use std::{ptr, sync::Arc};

use super::{
    CompareAndSwap,
    entry::{Entry, Move, Trace, encode_record, kept_until},
};
use crate::{
    clock::Timestamp,
    data::{Access, Patch},
    error::Fault,
    store::{Created, KeyState, Patched, Record, Rotation, StoreError, StoreKey, retired_until},
};

/// The resolved entry of a key.
enum Found<V> {
    Record(Arc<Located<V>>),
    Reserved(Box<Reservation<V>>),
    /// A marker, and the time until which it is valid.
    Marker(Timestamp),
    Nothing,
}

/// A record with its own key.
struct Located<V> {
    key: StoreKey,
    version: V,
    record: Record,
    pointers: Vec<Pointer<V>>,
}

/// The stored version of a loaded record: the result of the lookup of `key`.
///
/// The record in `found` stays as it was loaded, whatever a caller does with its copy.
struct Snapshot<C: CompareAndSwap> {
    /// The address of the database, because the versions of another one mean nothing. After a move
    /// in memory, the database counts as another one, and the record is read again.
    database: usize,
    key: StoreKey,
    found: Arc<Located<C::Version>>,
}

impl<C: CompareAndSwap> Snapshot<C> {
    fn new(database: &C, key: &StoreKey, found: &Arc<Located<C::Version>>) -> Self {
        Self {
            database: ptr::from_ref(database).addr(),
            key: *key,
            found: Arc::clone(found),
        }
    }

    /// Returns the result of the lookup of `key` that has loaded `base`, unless it is expired.
    fn of(
        base: &Record,
        database: &C,
        key: &StoreKey,
        now: Timestamp,
    ) -> Option<Arc<Located<C::Version>>> {
        let snapshot: &Self = base.stored_version()?;
        let is_same = snapshot.database == ptr::from_ref(database).addr() && snapshot.key == *key;
        let is_live = is_same && !snapshot.found.record.is_expired(now);
        is_live.then(|| Arc::clone(&snapshot.found))
    }
}

/// A reservation of the key `to` for the record of the key `from`, which has not been moved yet.
struct Reservation<V> {
    to: StoreKey,
    version: V,
    from: StoreKey,
}

/// A pointer that was followed to a record.
struct Pointer<V> {
    key: StoreKey,
    version: V,
    to: StoreKey,
    until: Timestamp,
}

/// Stores a new record: [`SessionStore::create`](crate::store::SessionStore::create).
///
/// # Errors
/// [`StoreError`] of the database.
pub async fn create<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    record: &Record,
) -> Result<Created, StoreError> {
    let (value, until) = (encode_record(key, record), kept_until(record.meta.expires));
    Ok(match database.insert(key, &value, until).await? {
        true => Created::Created,
        false => Created::Taken,
    })
}

/// Returns the state of `key`: [`SessionStore::load`](crate::store::SessionStore::load).
///
/// # Errors
/// [`StoreError`] of the database, and [`StoreError::Corrupt`] for an unreadable value.
pub async fn load<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    now: Timestamp,
) -> Result<KeyState, StoreError> {
    Ok(match find(database, key).await? {
        Found::Record(found) if found.record.is_expired(now) => KeyState::Absent,
        Found::Record(found) => {
            let snapshot = Snapshot::new(database, key, &found);
            let record = Box::new(found.record.clone().with_stored_version(snapshot));
            match found.pointers.is_empty() {
                true => KeyState::Current(record),
                false => KeyState::Moved(record),
            }
        }
        Found::Marker(until) if now < until => KeyState::Retired,
        Found::Marker(_) | Found::Reserved(_) | Found::Nothing => KeyState::Absent,
    })
}

/// Applies `patch` to the newest state:
/// [`SessionStore::patch`](crate::store::SessionStore::patch).
///
/// # Errors
/// As [`load`], and as [`Record::merge`].
pub async fn patch<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    base: &Record,
    patch: &Patch,
    now: Timestamp,
) -> Result<Patched, StoreError> {
    let known = Snapshot::of(base, database, key, now);
    let changed = change(database, key, known, now, |newest| {
        Ok(newest
            .record
            .merge(base, patch)?
            .map(|record| Entry::Record(*record)))
    });
    match changed.await? {
        Some((before, Entry::Record(record))) => {
            prolong(database, &before.pointers, record.meta.expires).await?;
            Ok(Patched::Applied(Box::new(record)))
        }
        _ => Ok(Patched::Gone),
    }
}

/// Records a use: [`SessionStore::touch`](crate::store::SessionStore::touch).
///
/// # Errors
/// As [`load`].
pub async fn touch<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    access: &Access,
) -> Result<bool, StoreError> {
    let Some(found) = live(database, key, access.at).await? else {
        return Ok(false);
    };
    if found.record.touched(access).is_none() {
        prolong(database, &found.pointers, found.record.meta.expires).await?;
        return Ok(true);
    }
    let changed = change(database, key, Some(found), access.at, |newest| {
        let touched = newest.record.touched(access);
        let record = touched.unwrap_or_else(|| newest.record.clone());
        Ok(Some(Entry::Record(record)))
    });
    match changed.await? {
        Some((before, entry)) => {
            prolong(database, &before.pointers, entry.until()).await?;
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Applies `patch` and moves the record to another key:
/// [`SessionStore::rotate`](crate::store::SessionStore::rotate).
///
/// `keys` are the current key and the new one.
///
/// # Errors
/// As [`patch`]; [`StoreError::Conflict`] if the new key is in use.
pub async fn rotate<C: CompareAndSwap>(
    database: &C,
    keys: (&StoreKey, &StoreKey),
    base: &Record,
    patch: &Patch,
    rotation: Rotation,
    now: Timestamp,
) -> Result<Patched, StoreError> {
    let (from, to) = keys;
    let next = |newest: &Located<C::Version>| {
        // A renewal through a pointer means that another request has renewed the session.
        if rotation != Rotation::Replacement && newest.key != *from {
            return Ok(None);
        }
        let rotated = newest
            .record
            .rotated(base, patch, &newest.key, rotation, now)?;
        Ok(rotated.map(|record| {
            let trace = match rotation {
                Rotation::Renewal(_) => Trace::pointer(*to, record.meta.expires),
                Rotation::Replacement => Trace::marker(retired_until(now)),
            };
            Entry::Move(Box::new(Move {
                to: *to,
                trace,
                record: *record,
            }))
        }))
    };
    let known = Snapshot::of(base, database, from, now);
    let Some((found, entry)) = begin(database, from, known, now, &next).await? else {
        return Ok(Patched::Gone);
    };
    reserve(database, &found.key, to, entry.until(), now).await?;
    match change(database, from, Some(found), now, next).await {
        Ok(Some((before, Entry::Move(moved)))) => {
            finish(database, &before.key).await?;
            Ok(Patched::Applied(Box::new(moved.record)))
        }
        Ok(_) => {
            unreserve(database, to).await?;
            Ok(Patched::Gone)
        }
        // After a fault of the store, the move may have been written.
        Err(error) if error.fault() != Fault::Store => {
            unreserve(database, to).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

/// Removes the record and leaves a marker:
/// [`SessionStore::delete`](crate::store::SessionStore::delete).
///
/// # Errors
/// As [`load`].
pub async fn delete<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let marker = Entry::Trace(Trace::marker(retired_until(now)));
    loop {
        match find(database, key).await? {
            Found::Record(found) => {
                if replace(database, &found.key, &found.version, &marker).await? {
                    return Ok(true);
                }
            }
            Found::Reserved(reservation) => {
                let Reservation { to, version, from } = *reservation;
                // The session is still under its old key, and must not be moved to this key.
                let deleted = match find(database, &from).await? {
                    Found::Record(found) => {
                        if !replace(database, &found.key, &found.version, &marker).await? {
                            continue;
                        }
                        true
                    }
                    _ => false,
                };
                if replace(database, &to, &version, &marker).await? || deleted {
                    return Ok(deleted);
                }
            }
            Found::Marker(_) | Found::Nothing => return Ok(false),
        }
    }
}

/// Writes the entry that `next` computes from the newest record, and retries after concurrent
/// writes.
///
/// `known` is the record to try first, which may be outdated. Returns the record before, and the
/// entry that was written; `None` if there is no live record, or if `next` returns none.
async fn change<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    mut known: Option<Arc<Located<C::Version>>>,
    now: Timestamp,
    next: impl Fn(&Located<C::Version>) -> Result<Option<Entry>, StoreError> + Send + Sync,
) -> Result<Option<(Arc<Located<C::Version>>, Entry)>, StoreError> {
    while let Some((newest, entry)) = begin(database, key, known.take(), now, &next).await? {
        if replace(database, &newest.key, &newest.version, &entry).await? {
            return Ok(Some((newest, entry)));
        }
    }
    Ok(None)
}

/// Returns the record to change, and the entry that `next` makes of it.
///
/// The record is read, unless `next` makes an entry of the `known` one: a change that does not
/// apply to what may be outdated may apply to the newest record.
async fn begin<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    known: Option<Arc<Located<C::Version>>>,
    now: Timestamp,
    next: impl Fn(&Located<C::Version>) -> Result<Option<Entry>, StoreError> + Send + Sync,
) -> Result<Option<(Arc<Located<C::Version>>, Entry)>, StoreError> {
    if let Some(known) = known
        && let Ok(Some(entry)) = next(&known)
    {
        return Ok(Some((known, entry)));
    }
    let Some(newest) = live(database, key, now).await? else {
        return Ok(None);
    };
    let entry = next(&newest)?;
    Ok(entry.map(|entry| (newest, entry)))
}

/// Returns the record that `key` refers to, unless it has expired.
async fn live<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    now: Timestamp,
) -> Result<Option<Arc<Located<C::Version>>>, StoreError> {
    Ok(match find(database, key).await? {
        Found::Record(found) if !found.record.is_expired(now) => Some(found),
        _ => None,
    })
}

/// Follows pointers from `key`, and completes each move on the way.
async fn find<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
) -> Result<Found<C::Version>, StoreError> {
    let (mut key, mut pointers) = (*key, Vec::new());
    loop {
        let Some((entry, version)) = read(database, &key).await? else {
            return Ok(Found::Nothing);
        };
        match entry {
            Entry::Record(record) => {
                return Ok(Found::Record(Arc::new(Located {
                    key,
                    version,
                    record,
                    pointers,
                })));
            }
            Entry::Trace(Trace { to: None, until }) => return Ok(Found::Marker(until)),
            Entry::Trace(Trace {
                to: Some(to),
                until,
            }) => {
                pointers.push(Pointer {
                    key,
                    version,
                    to,
                    until,
                });
                key = to;
            }
            Entry::Move(moved) => complete(database, &key, &version, *moved).await?,
            Entry::Reserved { from, .. } => {
                if !is_arriving(database, &key, &version, &from).await? {
                    return Ok(Found::Reserved(Box::new(Reservation {
                        to: key,
                        version,
                        from,
                    })));
                }
            }
        }
    }
}

/// Completes the move of `from` to the key `to`, whose reservation has this `version`.
///
/// Returns `false` if the record has not been moved.
async fn is_arriving<C: CompareAndSwap>(
    database: &C,
    to: &StoreKey,
    version: &C::Version,
    from: &StoreKey,
) -> Result<bool, StoreError> {
    let mut from = *from;
    loop {
        match read(database, &from).await? {
            Some((Entry::Move(moved), at)) => {
                let next = moved.to;
                complete(database, &from, &at, *moved).await?;
                if next == *to {
                    return Ok(true);
                }
            }
            // The session was renewed after the reservation was inserted.
            Some((Entry::Trace(Trace { to: Some(next), .. }), _)) if next != *to => from = next,
            _ => break,
        }
    }
    // If the reservation is gone, the move was completed between the two reads.
    let again = read(database, to).await?;
    Ok(again.is_none_or(|(_, again)| again != *version))
}

/// Completes the move of the record of `key`, unless it is complete.
async fn finish<C: CompareAndSwap>(database: &C, key: &StoreKey) -> Result<(), StoreError> {
    match read(database, key).await? {
        Some((Entry::Move(moved), version)) => complete(database, key, &version, *moved).await,
        _ => Ok(()),
    }
}

/// Stores a moved record under its new key, and leaves its trace under the old key `from`.
async fn complete<C: CompareAndSwap>(
    database: &C,
    from: &StoreKey,
    version: &C::Version,
    moved: Move,
) -> Result<(), StoreError> {
    let Move { to, trace, record } = moved;
    // Only a reservation is replaced, because any other entry is a later state of the session.
    if let Some((Entry::Reserved { .. }, reserved)) = read(database, &to).await? {
        replace(database, &to, &reserved, &Entry::Record(record)).await?;
    }
    replace(database, from, version, &Entry::Trace(trace)).await?;
    Ok(())
}

/// Reserves the key `to` for the record of the key `from`, which expires at `expires`.
async fn reserve<C: CompareAndSwap>(
    database: &C,
    from: &StoreKey,
    to: &StoreKey,
    expires: Timestamp,
    now: Timestamp,
) -> Result<(), StoreError> {
    // After a crash, the reservation must outlive the moved record, even if a use extends the
    // record's expiry before the move.
    let until = expires.saturating_add(expires.seconds_since(now));
    let reservation = Entry::Reserved { from: *from, until };
    let (value, until) = (reservation.encode(to), reservation.kept_until());
    match database.insert(to, &value, until).await? {
        true => Ok(()),
        false => Err(StoreError::Conflict),
    }
}

/// Removes the reservation of a move that did not take place.
async fn unreserve<C: CompareAndSwap>(database: &C, to: &StoreKey) -> Result<(), StoreError> {
    if let Some((Entry::Reserved { .. }, version)) = read(database, to).await? {
        database.remove(to, &version).await?;
    }
    Ok(())
}

/// Extends `pointers` until the expiry of their record.
async fn prolong<C: CompareAndSwap>(
    database: &C,
    pointers: &[Pointer<C::Version>],
    expires: Timestamp,
) -> Result<(), StoreError> {
    for pointer in pointers {
        if pointer.until < expires {
            let longer = Entry::Trace(Trace::pointer(pointer.to, expires));
            replace(database, &pointer.key, &pointer.version, &longer).await?;
        }
    }
    Ok(())
}

async fn read<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
) -> Result<Option<(Entry, C::Version)>, StoreError> {
    match database.read(key).await? {
        Some((value, version)) => Ok(Some((Entry::decode(key, &value)?, version))),
        None => Ok(None),
    }
}

async fn replace<C: CompareAndSwap>(
    database: &C,
    key: &StoreKey,
    version: &C::Version,
    entry: &Entry,
) -> Result<bool, StoreError> {
    let (value, until) = (entry.encode(key), entry.kept_until());
    database.replace(key, version, &value, until).await
}
