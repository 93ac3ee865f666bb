//! Filing, patching, moving and touching, each as a few statements inside the writer's transaction. That
//! transaction is the only one that writes, in this process and all others, so reading, merging and
//! writing back needs no comparison of versions. Next: `remove` for what takes rows away.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Created, Patched, Record, StoreError, StoreKey},
};
use rusqlite::{Connection, params};

use crate::{find, rows::Encoded, sql};

pub(crate) const INSERT: &str = "INSERT INTO sessions (key, handle, user, device, created, renewed, last_seen, \
    expires, authenticated, version, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
/// Names no column of an index, so that SQLite writes one row and no index.
pub(crate) const UPDATE_DATA: &str = "UPDATE sessions SET device = ?2, last_seen = ?3, authenticated = ?4, \
    version = ?5, data = ?6 WHERE key = ?1";
pub(crate) const UPDATE: &str = "UPDATE sessions SET key = ?2, user = ?3, device = ?4, renewed = ?5, last_seen = ?6, \
    expires = ?7, authenticated = ?8, version = ?9, data = ?10 WHERE key = ?1";
pub(crate) const TOUCH: &str = "UPDATE sessions SET last_seen = ?2, expires = ?3 WHERE key = ?1";
const LEAD_ON: &str = "UPDATE session_aliases SET alias_of = ?2, alias_until = min(alias_until, ?3) \
    WHERE alias_of = ?1";
const ALIAS: &str = "INSERT INTO session_aliases (key, alias_of, alias_until) VALUES (?1, ?2, ?3)";
const FORGET_ALIASES: &str = "DELETE FROM session_aliases WHERE alias_of = ?1";

pub(crate) fn create(
    db: &Connection,
    key: &StoreKey,
    record: &Record,
) -> Result<Created, StoreError> {
    if find::is_in_use(db, key)? {
        return Ok(Created::Taken);
    }
    let encoded = Encoded::of(record)?;
    let values = params![
        key.as_bytes(),
        encoded.handle,
        record.user,
        record.device,
        record.created.unix(),
        record.renewed.unix(),
        record.last_seen.unix(),
        record.expires.unix(),
        record.authenticated.map(Timestamp::unix),
        encoded.version,
        encoded.data,
    ];
    sql::execute(db, INSERT, values)?;
    Ok(Created::Created)
}

pub(crate) fn patch(
    db: &Connection,
    key: &StoreKey,
    base: &Record,
    patch: &Patch,
    now: Timestamp,
) -> Result<Patched, StoreError> {
    let Some((key, newest)) = find::record(db, key, now)? else {
        return Ok(Patched::Gone);
    };
    let Some(record) = newest.after(base, patch)? else {
        return Ok(Patched::Gone);
    };
    if (&record.user, record.expires) == (&newest.user, newest.expires) {
        write_data(db, &key, &record)?;
    } else {
        write(db, (&key, &key), &record)?;
    }
    Ok(Patched::Applied(Box::new(record)))
}

pub(crate) fn rotate(
    db: &Connection,
    (from, to): (&StoreKey, &StoreKey),
    base: &Record,
    patch: &Patch,
    alias_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Patched, StoreError> {
    let Some((_, newest)) = find::unaliased(db, from, now)? else {
        return Ok(Patched::Gone);
    };
    let Some(record) = newest.rotated(base, patch, now)? else {
        return Ok(Patched::Gone);
    };
    if find::is_in_use(db, to)? {
        // Nothing is ever overwritten; a fresh id of 256 bits does not get here.
        return Err(StoreError::Conflict);
    }
    write(db, (from, to), &record)?;
    alias(db, from, to, alias_until.filter(|&until| until > now))?;
    Ok(Patched::Applied(Box::new(record)))
}

/// What `from` and its aliases are from now on: aliases of `to`, or nothing. An older alias never outlives
/// the one it went through; without a new one, as at a log-in, every old id dies.
fn alias(
    db: &Connection,
    from: &StoreKey,
    to: &StoreKey,
    until: Option<Timestamp>,
) -> Result<(), StoreError> {
    let (from, to) = (from.as_bytes(), to.as_bytes());
    match until.map(Timestamp::unix) {
        None => sql::execute(db, FORGET_ALIASES, params![from])?,
        Some(until) => {
            sql::execute(db, LEAD_ON, params![from, to, until])?;
            sql::execute(db, ALIAS, params![from, to, until])?
        }
    };
    Ok(())
}

/// Reads the whole row although it changes two numbers: a record that cannot be read is not touched.
pub(crate) fn touch(
    db: &Connection,
    key: &StoreKey,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let Some((key, record)) = find::record(db, key, now)? else {
        return Ok(false);
    };
    let (seen, end) = (record.last_seen.max(now), record.expires.max(expires));
    if (seen, end) != (record.last_seen, record.expires) {
        sql::execute(db, TOUCH, params![key.as_bytes(), seen.unix(), end.unix()])?;
    }
    Ok(true)
}

fn write_data(db: &Connection, key: &StoreKey, record: &Record) -> Result<(), StoreError> {
    let encoded = Encoded::of(record)?;
    let values = params![
        key.as_bytes(),
        record.device,
        record.last_seen.unix(),
        record.authenticated.map(Timestamp::unix),
        encoded.version,
        encoded.data,
    ];
    sql::execute(db, UPDATE_DATA, values).map(drop)
}

fn write(
    db: &Connection,
    (from, to): (&StoreKey, &StoreKey),
    record: &Record,
) -> Result<(), StoreError> {
    let encoded = Encoded::of(record)?;
    let values = params![
        from.as_bytes(),
        to.as_bytes(),
        record.user,
        record.device,
        record.renewed.unix(),
        record.last_seen.unix(),
        record.expires.unix(),
        record.authenticated.map(Timestamp::unix),
        encoded.version,
        encoded.data,
    ];
    sql::execute(db, UPDATE, values).map(drop)
}
