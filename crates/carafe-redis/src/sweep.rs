//! Removes expired sessions. Redis drops the records itself, and every call that lists a session
//! trims its set of expired ones. A sweep removes the rest, for example after a change of clocks,
//! or in sets that are no longer written to.

use carafe_core::{
    clock::Timestamp,
    store::{ExpiredSweep, PublicId, StoreError, StoreKey},
};

use crate::{
    RedisStore,
    call::unexpected_reply,
    layout::second,
    reply::Reply,
    script::{self, Call},
    value::StoredValue,
};

impl RedisStore {
    /// Acquires the sweep lease. If the reply is lost, the retry finds the lease of the first
    /// attempt, and no process sweeps until that expires.
    async fn set_lease(&self, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let twice = until.saturating_add(until.seconds_since(now));
        let claimed = self.call(|_| {
            let args = vec![second(until), second(now), second(twice)];
            Call::new(&script::CLAIM, [self.names.sweep()], args)
        });
        Ok(matches!(claimed.await?, Reply::Ok(_)))
    }

    async fn remove_expired(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let mut swept = 0;
        for row in self.names.rows('u') {
            let mut sets = &row[..];
            while !sets.is_empty() && swept < limit {
                let (whole, public_ids) = self.up_to(sets, now, limit - swept).await?;
                for public_id in public_ids.iter().filter_map(|text| text.parse().ok()) {
                    if swept < limit && self.expire(public_id, now).await? {
                        swept += 1;
                    }
                }
                sets = sets.get(whole..).unwrap_or_default();
            }
        }
        Ok(swept)
    }

    /// Removes an expired session and its members. Returns whether it had expired.
    async fn expire(&self, public_id: PublicId, now: Timestamp) -> Result<bool, StoreError> {
        let keys = self.members_of(public_id).await?;
        for key in &keys {
            if !self.expire_at(key, now).await? {
                return Ok(false);
            }
        }
        for key in &keys {
            self.remove_from_index(public_id, key, "ended").await?;
        }
        if keys.is_empty() {
            // Only its entry by expiry is left.
            self.remove_from_index(public_id, &StoreKey::from_bytes([0; 32]), "ended")
                .await?;
        }
        Ok(true)
    }

    /// Deletes the record of this key if it has expired. Returns whether there is no session under
    /// the key.
    async fn expire_at(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        let expired = self.call(|_| {
            let args = vec![second(now)];
            Call::new(&script::EXPIRE, [self.names.session(key)], args)
        });
        let found = match expired.await {
            Ok(Reply::Gone) => return Ok(true),
            Ok(Reply::Found(value)) => StoredValue::parse_meta(&value, key),
            Ok(_) => return Err(unexpected_reply()),
            Err(error) => Err(error),
        };
        match found {
            Ok(StoredValue::Pointer(..) | StoredValue::Marker(..)) => Ok(true),
            // It expires later than the index says, because it was prolonged while there was no
            // index.
            Ok(StoredValue::Record(session)) if !session.is_expired(now) => {
                let entered = self.add_to_index(&session, key, session.expires).await;
                entered.map(|()| false)
            }
            Ok(_) | Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl ExpiredSweep for RedisStore {
    async fn acquire_sweep_lease(
        &self,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.with_deadline(self.deadlines.write, self.set_lease(until, now))
            .await
    }

    async fn sweep(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        self.with_deadline(self.deadlines.write, self.remove_expired(limit, now))
            .await
    }
}
