//! The lease that lets one of all processes that share the file sweep.

use carafe_core::{clock::Timestamp, store::StoreError};
use rusqlite::{Connection, params};

use crate::sql;

/// ?1 is the new expiry, ?2 the current time.
///
/// A lease that expires after ?3 was acquired under a wrong clock.
const CLAIM: &str =
    "UPDATE session_sweep SET claimed_until = ?1 WHERE claimed_until <= ?2 OR claimed_until > ?3";

pub(crate) fn sweep(db: &Connection, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    let twice = until.saturating_add(until.seconds_since(now));
    let values = params![until.unix(), now.unix(), twice.unix()];
    Ok(sql::execute(db, CLAIM, values)? > 0)
}
