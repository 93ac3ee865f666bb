//! Completes a move in a cluster that was committed but not finished.
//!
//! A reader that finds a reservation reads the key that the session comes from. If that key carries
//! the record, the move was committed and the reader fills the new key. Otherwise the move was not
//! committed, and there is no session under the new key.

use carafe_core::store::{StoreError, StoreKey};

use crate::{
    RedisStore,
    layout::{carried, second},
    script::{self, Call},
    value::StoredValue,
};

impl RedisStore {
    /// Completes a pending move to `key` and returns the value of `key`, never a reservation.
    pub(crate) async fn finish_move(&self, key: &StoreKey) -> Result<Option<Vec<u8>>, StoreError> {
        // If the caller of the move finishes it between the two reads, the second attempt finds the
        // record.
        for _ in 0..2 {
            loop {
                let Some(value) = self.value(key).await? else {
                    return Ok(None);
                };
                let StoredValue::Pending(_, from, _) = StoredValue::parse_meta(&value, key)? else {
                    return Ok(Some(value));
                };
                if !self.fill_reserved(&from, key, value).await? {
                    break;
                }
            }
        }
        Ok(None)
    }

    /// Fills the reserved key with the record that the old key carries. Returns `false` if it
    /// carries none.
    async fn fill_reserved(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        reservation: Vec<u8>,
    ) -> Result<bool, StoreError> {
        let mut from = *from;
        let (trace, until) = loop {
            let Some(trace) = self.value(&from).await? else {
                return Ok(false);
            };
            match StoredValue::parse_meta(&trace, &from)? {
                StoredValue::Pointer(moved, until) | StoredValue::Marker(until, Some(moved))
                    if moved == *to =>
                {
                    break (trace, until);
                }
                // The request had an id that a renewal had replaced, so the record is under a later
                // key.
                StoredValue::Pointer(moved, _) => from = moved,
                _ => return Ok(false),
            }
        };
        let text = std::str::from_utf8(&trace).map_err(StoreError::corrupt)?;
        let Some((plain, value)) = carried(text) else {
            return Ok(false);
        };
        let StoredValue::Record(session) = StoredValue::parse_meta(value.as_bytes(), to)? else {
            return Err(StoreError::corrupt("an old key carries no record"));
        };
        let filled = self.call(|_| {
            let expires = second(session.expires).into_bytes();
            let args = [value.as_bytes().to_vec(), expires, reservation.clone()];
            Call::new(&script::FILL, [self.names.session(to)], args)
        });
        filled.await?;
        self.settle(&from, text, plain, &second(until)).await?;
        Ok(true)
    }

    /// Replaces the value `before` of a key by `after`, or deletes the key if `after` is empty.
    pub(crate) async fn settle(
        &self,
        key: &StoreKey,
        before: &str,
        after: &str,
        until: &str,
    ) -> Result<(), StoreError> {
        let settled = self.call(|_| {
            let args = [before, after, until];
            Call::new(&script::SETTLE, [self.names.session(key)], args)
        });
        settled.await.map(drop)
    }
}
