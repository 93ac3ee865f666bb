//! Forgetting what is over. Redis drops the records itself, and whoever lists a session trims its set of what is over;
//! a sweep does the rest at once, such as after a change of clocks or for sets that nobody writes to any more.

use carafe_core::{
    clock::Timestamp,
    store::{BoxFuture, ExpiredSweep, Handle, StoreError, StoreKey},
};

use crate::{
    RedisStore,
    call::unexpected,
    found::Found,
    layout::second,
    reply::Reply,
    script::{self, Call},
};

impl RedisStore {
    /// If the reply is lost, the second attempt finds the first one's claim: nobody sweeps until its end.
    async fn claim_it(&self, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        let twice = until.saturating_add(until.seconds_since(now));
        let claimed = self.call(|_| {
            let args = vec![second(until), second(now), second(twice)];
            Call::new(&script::CLAIM, [self.names.sweep()], args)
        });
        Ok(matches!(claimed.await?, Reply::Ok(_)))
    }

    async fn sweep_it(&self, limit: usize, now: Timestamp) -> Result<usize, StoreError> {
        let mut swept = 0;
        for row in self.names.rows('u') {
            let mut sets = &row[..];
            while !sets.is_empty() && swept < limit {
                let (whole, handles) = self.up_to(sets, now, limit - swept).await?;
                for handle in handles.iter().filter_map(|text| Handle::parse(text)) {
                    if swept < limit && self.expire(handle, now).await? {
                        swept += 1;
                    }
                }
                sets = sets.get(whole..).unwrap_or_default();
            }
        }
        Ok(swept)
    }

    /// Takes a session away that is over, and its members; whether it was.
    async fn expire(&self, handle: Handle, now: Timestamp) -> Result<bool, StoreError> {
        let keys = self.members_of(handle).await?;
        for key in &keys {
            if !self.expire_at(key, now).await? {
                return Ok(false);
            }
        }
        for key in &keys {
            self.strike(handle, key, "ended").await?;
        }
        if keys.is_empty() {
            // Its end is all that is left of it.
            self.strike(handle, &StoreKey::from_bytes([0; 32]), "ended")
                .await?;
        }
        Ok(true)
    }

    /// Whether no session is under this key at `now`; a record that has expired is taken away.
    async fn expire_at(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        let expired = self.call(|_| {
            let args = vec![second(now)];
            Call::new(&script::EXPIRE, [self.names.session(key)], args)
        });
        let found = match expired.await {
            Ok(Reply::Gone) => return Ok(true),
            Ok(Reply::Found(value)) => Found::glance(&value, key),
            Ok(_) => return Err(unexpected()),
            Err(error) => Err(error),
        };
        match found {
            Ok(Found::Alias(..)) => Ok(true),
            // One that lives longer than its index says, because it was prolonged while there was no index.
            Ok(Found::Record(session)) if !session.is_expired(now) => {
                let entered = self.enter(&session, key, session.expires).await;
                entered.map(|()| false)
            }
            Ok(_) | Err(StoreError::Corrupt(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl ExpiredSweep for RedisStore {
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.claim_it(until, now)))
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(self.within(self.deadlines.write, self.sweep_it(limit, now)))
    }
}
