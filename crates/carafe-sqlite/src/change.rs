//! Creates, patches, rotates and touches records.
//!
//! Each operation takes a few statements inside the writer's transaction. SQLite allows one write
//! transaction at a time across all processes, so a read-merge-write needs no comparison of
//! versions. See `remove` for deletions.

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{Created, Patched, Record, Rotation, StoreError, StoreKey, retired_until},
};
use rusqlite::{Connection, params};

use crate::{find, rows::Encoded, sql};

pub(crate) const INSERT: &str = "INSERT INTO sessions (key, handle, user, device, created, renewed, last_seen, \
    expires, authenticated, version, renewal, data) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
/// Sets no indexed column, so that SQLite writes one row and no index entry.
pub(crate) const UPDATE_DATA: &str = "UPDATE sessions SET device = ?2, last_seen = ?3, authenticated = ?4, \
    version = ?5, renewal = ?6, data = ?7 WHERE key = ?1";
pub(crate) const UPDATE: &str = "UPDATE sessions SET key = ?2, user = ?3, device = ?4, renewed = ?5, last_seen = ?6, \
    expires = ?7, authenticated = ?8, version = ?9, renewal = ?10, data = ?11 WHERE key = ?1";
pub(crate) const TOUCH: &str =
    "UPDATE sessions SET last_seen = ?2, expires = ?3, renewal = ?4 WHERE key = ?1";
/// Sets no indexed column: most accesses only change `last_seen` or confirm a renewal.
pub(crate) const TOUCH_WITHIN: &str =
    "UPDATE sessions SET last_seen = ?2, renewal = ?3 WHERE key = ?1";
const LEAD_ON: &str = "UPDATE session_former_keys SET leads_to = ?2 WHERE leads_to = ?1";
const RETIRE: &str =
    "UPDATE session_former_keys SET leads_to = NULL, kept_until = ?2 WHERE leads_to = ?1";
const PROLONG: &str =
    "UPDATE session_former_keys SET kept_until = ?2 WHERE key = ?1 AND kept_until < ?2";
const FORMER_KEY: &str =
    "INSERT INTO session_former_keys (key, leads_to, kept_until) VALUES (?1, ?2, ?3)";

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
        encoded.public_id,
        record.meta.user,
        record.meta.device,
        record.meta.created.unix(),
        record.meta.renewed.unix(),
        record.meta.last_seen.unix(),
        record.meta.expires.unix(),
        record.meta.authenticated.map(Timestamp::unix),
        encoded.version,
        encoded.opaque,
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
    let Some((own, newest)) = find::record(db, key, now)? else {
        return Ok(Patched::Gone);
    };
    let Some(record) = newest.merge(base, patch)? else {
        return Ok(Patched::Gone);
    };
    if (&record.meta.user, record.meta.expires) == (&newest.meta.user, newest.meta.expires) {
        write_data(db, &own, &record)?;
    } else {
        write(db, (&own, &own), &record)?;
    }
    prolong(db, key, &own, record.meta.expires)?;
    Ok(Patched::Applied(record))
}

pub(crate) fn rotate(
    db: &Connection,
    (from, to): (&StoreKey, &StoreKey),
    base: &Record,
    patch: &Patch,
    rotation: Rotation,
    now: Timestamp,
) -> Result<Patched, StoreError> {
    let found = match rotation {
        Rotation::Renewal(_) => find::current(db, from, now)?,
        Rotation::Replacement => find::record(db, from, now)?,
    };
    let Some((from, newest)) = found else {
        return Ok(Patched::Gone);
    };
    let Some(record) = newest.rotated(base, patch, &from, rotation, now)? else {
        return Ok(Patched::Gone);
    };
    if find::is_in_use(db, to)? {
        // An existing record is never overwritten. A fresh 256-bit id does not collide.
        return Err(StoreError::Conflict);
    }
    write(db, (&from, to), &record)?;
    let (from, to) = (from.as_bytes(), to.as_bytes());
    match rotation {
        Rotation::Renewal(_) => {
            sql::execute(db, LEAD_ON, params![from, to])?;
            sql::execute(
                db,
                FORMER_KEY,
                params![from, to, record.meta.expires.unix()],
            )?;
        }
        Rotation::Replacement => {
            let until = retired_until(now).unix();
            sql::execute(db, RETIRE, params![from, until])?;
            sql::execute(db, FORMER_KEY, params![from, None::<&[u8]>, until])?;
        }
    }
    Ok(Patched::Applied(record))
}

/// Updates `last_seen`, the expiry and the renewal of a live record.
///
/// Reads the whole row although only three columns change, so that an unreadable record stays as it
/// is.
pub(crate) fn touch(db: &Connection, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
    let Some((own, record)) = find::record(db, key, access.at)? else {
        return Ok(false);
    };
    let touched = record.touched(access);
    if let Some(touched) = &touched {
        let (seen, opaque) = (touched.meta.last_seen.unix(), touched.meta.opaque());
        if touched.meta.expires == record.meta.expires {
            sql::execute(db, TOUCH_WITHIN, params![own.as_bytes(), seen, opaque])?;
        } else {
            let expires = touched.meta.expires.unix();
            sql::execute(db, TOUCH, params![own.as_bytes(), seen, expires, opaque])?;
        }
    }
    prolong(db, key, &own, touched.unwrap_or(record).meta.expires)?;
    Ok(true)
}

/// Extends the lifetime of the pointer at `key` to that of the record at `own`.
fn prolong(
    db: &Connection,
    key: &StoreKey,
    own: &StoreKey,
    expires: Timestamp,
) -> Result<(), StoreError> {
    if key != own {
        sql::execute(db, PROLONG, params![key.as_bytes(), expires.unix()])?;
    }
    Ok(())
}

fn write_data(db: &Connection, key: &StoreKey, record: &Record) -> Result<(), StoreError> {
    let encoded = Encoded::of(record)?;
    let values = params![
        key.as_bytes(),
        record.meta.device,
        record.meta.last_seen.unix(),
        record.meta.authenticated.map(Timestamp::unix),
        encoded.version,
        encoded.opaque,
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
        record.meta.user,
        record.meta.device,
        record.meta.renewed.unix(),
        record.meta.last_seen.unix(),
        record.meta.expires.unix(),
        record.meta.authenticated.map(Timestamp::unix),
        encoded.version,
        encoded.opaque,
        encoded.data,
    ];
    sql::execute(db, UPDATE, values).map(drop)
}
