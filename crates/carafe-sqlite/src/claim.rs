//! Whose turn it is to sweep, among all processes on the file.

use carafe_core::{clock::Timestamp, store::StoreError};
use rusqlite::{Connection, params};

use crate::sql;

/// ?1 is the new end, ?2 the time; a claim that reaches past ?3 was made under a clock that is wrong.
const CLAIM: &str =
    "UPDATE session_sweep SET claimed_until = ?1 WHERE claimed_until <= ?2 OR claimed_until > ?3";

pub(crate) fn sweep(db: &Connection, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
    let twice = until.saturating_add(until.seconds_since(now));
    let values = params![until.unix(), now.unix(), twice.unix()];
    Ok(sql::execute(db, CLAIM, values)? > 0)
}
