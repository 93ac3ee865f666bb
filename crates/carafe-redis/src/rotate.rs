//! `rotate`: a session gets a new key.
//!
//! On one server it is one script. In a cluster the two keys are in two slots, which no script may
//! touch together, so it is four steps, each a script on one key:
//!
//! 1. `reserve` the new key, so that it can be filled once, or deleted and then never filled;
//! 2. `commit` at the old key, the moment it takes place: one caller wins, patches the record, gets
//!    all of it, and from then on the old key leads to the new one (or nowhere, without an alias);
//! 3. `fill` the new key, only if it is still reserved;
//! 4. `settle` the old key: an alias, or nothing.
//!
//! A crash before 2 changes nothing. Between 2 and 3 the session is lost (its user is logged out); it
//! never exists twice, and a delete in between deletes the reservation, so that nothing comes back.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Patched, Record, StoreError, StoreKey},
};
use futures_util::future::{join, try_join};

use crate::{
    RedisStore,
    call::{rebased, unexpected},
    changes::{Attempt, Move, arguments, given},
    layout::{Fields, second},
    listing::{Entry, Listing},
    names::{member, text_of_key},
    reply::Reply,
    script::{self, Call},
};

/// One rotation.
struct Rotation<'a> {
    from: &'a StoreKey,
    to: Move<'a>,
    base: &'a Record,
    /// Whose session it will be.
    user: Option<&'a str>,
    now: Timestamp,
}

impl RedisStore {
    pub(crate) async fn rotate_it(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let rotation = Rotation {
            from,
            to: Move { to, alias_until },
            base,
            user: patch.facts.user.as_deref().or(base.user.as_deref()),
            now,
        };
        let patched = if self.link.is_cluster() {
            self.rotate_in_steps(&rotation, patch).await?
        } else {
            self.rotate_at_once(&rotation, patch).await?
        };
        self.relist(&rotation, &patched).await?;
        // Without an alias the old id has ended.
        self.confirm([*from, *to]).await?;
        Ok(patched)
    }

    async fn rotate_at_once(
        &self,
        rotation: &Rotation<'_>,
        patch: &Patch,
    ) -> Result<Patched, StoreError> {
        let listed = self.list_new(rotation, patch).await?;
        let keys = [rotation.from, rotation.to.to].map(|key| self.names.session(key));
        let keys: Vec<_> = keys.into_iter().chain(self.index_inside()).collect();
        let moved = self.merge_at(&script::ROTATE, &keys, rotation, patch, listed);
        let Some(fields) = moved.await? else {
            return Ok(Patched::Gone);
        };
        let record = Self::record(fields, rotation.to.to)?;
        Ok(Patched::Applied(record.into()))
    }

    async fn rotate_in_steps(
        &self,
        rotation: &Rotation<'_>,
        patch: &Patch,
    ) -> Result<Patched, StoreError> {
        let (reserved, listed) = join(self.reserve(rotation), self.list_new(rotation, patch)).await;
        reserved?;
        let keys = [self.names.session(rotation.from)];
        let commit = self.merge_at(&script::COMMIT, &keys, rotation, patch, listed?);
        let Some(fields) = commit.await? else {
            self.remove(rotation.to.to, None, None).await?;
            return Ok(Patched::Gone);
        };
        let filled = self.fill(rotation, fields).await?;
        self.settle(rotation).await?;
        Ok(filled.map_or(Patched::Gone, |record| Patched::Applied(record.into())))
    }

    /// Lists the session under its new key, before it is there.
    async fn list_new(
        &self,
        rotation: &Rotation<'_>,
        patch: &Patch,
    ) -> Result<Option<Timestamp>, StoreError> {
        if !self.lists_apart(rotation.user) {
            return Ok(None);
        }
        let (base, now) = (rotation.base, rotation.now);
        let later = patch.facts.seen.map(|seen| seen.expires);
        let entry = Entry {
            user: rotation.user.map(str::to_owned),
            handle: base.handle,
            created: base.created,
            renewed: now,
            expires: later.unwrap_or(base.expires).max(base.expires),
        };
        let listing = self.list(&entry, rotation.to.to, now);
        listing.await.map(Some)
    }

    /// Calls a script that merges, until nothing stands against it; the hash after it.
    async fn merge_at(
        &self,
        script: &'static script::Source,
        keys: &[String],
        rotation: &Rotation<'_>,
        patch: &Patch,
        mut listed: Option<Timestamp>,
    ) -> Result<Option<Fields>, StoreError> {
        let &Rotation {
            from,
            to,
            base,
            now,
            ..
        } = rotation;
        let mut patch = patch.clone();
        loop {
            let answer = self.call(|again| {
                let attempt = Attempt {
                    listed,
                    to: Some(to),
                    again,
                    version: base.version,
                    all: self.listing == Listing::Apart,
                };
                Call::new(script, keys.to_vec(), arguments(base, &patch, now, attempt))
            });
            match answer.await? {
                Reply::Ok(fields) => return Ok(Some(fields)),
                Reply::Gone | Reply::Moved(..) => return Ok(None),
                Reply::Pending => self.pause().await,
                Reply::Stale(fields) => patch = rebased(&patch, fields, from)?.0,
                Reply::List(entry) => {
                    // Under its new key it will have been renewed now.
                    let entry = Entry {
                        renewed: now,
                        ..entry
                    };
                    listed = Some(self.list(&entry, to.to, now).await?);
                }
                Reply::Taken(_) => return Err(taken()),
                Reply::Unknown => return Err(unexpected()),
            }
        }
    }

    async fn reserve(&self, rotation: &Rotation<'_>) -> Result<(), StoreError> {
        // Long enough for the slowest rotation that its deadline lets live.
        let seconds = self.deadlines.write.as_secs() + 10;
        let reserved = self.call(|_| {
            let handle = rotation.base.handle.to_string();
            let args = vec![seconds.to_string(), handle, given(rotation.user)];
            Call::new(&script::RESERVE, [self.names.session(rotation.to.to)], args)
        });
        match reserved.await? {
            Reply::Ok(_) => Ok(()),
            Reply::Taken(_) => Err(taken()),
            _ => Err(unexpected()),
        }
    }

    /// The record under its new key; `None` if it was deleted on its way.
    async fn fill(
        &self,
        rotation: &Rotation<'_>,
        mut fields: Fields,
    ) -> Result<Option<Record>, StoreError> {
        // A second `commit` answers with the old key as it left it.
        fields.retain(|(name, _)| name != "to" && name != "until");
        let record = Self::record(fields.clone(), rotation.to.to)?;
        let filled = self.call(|_| {
            let mut args = vec![second(record.expires)];
            args.extend(fields.iter().flat_map(|(name, text)| [name, text]).cloned());
            Call::new(&script::FILL, [self.names.session(rotation.to.to)], args)
        });
        match filled.await? {
            Reply::Ok(_) => Ok(Some(record)),
            Reply::Gone => Ok(None),
            _ => Err(unexpected()),
        }
    }

    async fn settle(&self, rotation: &Rotation<'_>) -> Result<(), StoreError> {
        let alias = rotation
            .to
            .alias_until
            .filter(|&until| until > rotation.now);
        let settled = self.call(|_| {
            let until = alias.map(second).unwrap_or_default();
            let args = vec![text_of_key(rotation.to.to), until];
            Call::new(&script::SETTLE, [self.names.session(rotation.from)], args)
        });
        settled.await.map(drop)
    }

    /// Takes the key that no longer leads to a session of its own out of the index.
    async fn relist(&self, rotation: &Rotation<'_>, patched: &Patched) -> Result<(), StoreError> {
        let handle = rotation.base.handle;
        let (key, user) = match patched {
            Patched::Applied(_) => (rotation.from, rotation.base.user.as_deref()),
            Patched::Gone => (rotation.to.to, rotation.user),
        };
        let of_user = async {
            match user {
                Some(user) => self.unlist(user, &[member(handle, key)]).await,
                None => Ok(()),
            }
        };
        // Not ended: a session that is gone from one key may live under another.
        try_join(of_user, self.delist(handle, key, false)).await?;
        Ok(())
    }
}

fn taken() -> StoreError {
    StoreError::unavailable("the new key of a session is in use")
}
