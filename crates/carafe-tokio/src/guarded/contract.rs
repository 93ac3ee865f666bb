//! The verbs. One of a session that has ended on this node is answered as if it were gone, without the store.

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        BoxFuture, Created, ExpiredSweep, Inventory, Patched, Record, SessionStore, StoreError,
        StoreKey, UserSessions, guard::Whose,
    },
};

use super::{Guarded, stale::refused_if_stale};

impl<S: SessionStore + ?Sized> SessionStore for Guarded<S> {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        Box::pin(async move {
            let guard = &self.0;
            // The delete that is still to come would take the new record away.
            if guard.has_ended(key) {
                return Ok(Created::Taken);
            }
            let create = guard.store.create(key, record, now);
            guard.call(guard.options.to_change(), create).await
        })
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let guard = &self.0;
            if guard.has_ended(key) {
                return Ok(None);
            }
            let (_place, asked) = (guard.enter()?, guard.asks());
            let load = guard.store.load(key, now);
            let found = match guard.admitted(guard.options.to_load(), load).await {
                Ok(found) => found,
                Err(error) => return guard.stale(key, error, now),
            };
            guard.keep(key, found.as_ref(), asked, now);
            // It may have ended while the store was looking.
            Ok(found.filter(|record| !guard.has_ended(key) && !guard.ends(record)))
        })
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(async move {
            let guard = &self.0;
            if guard.has_ended(key) || guard.ends(base) {
                return Ok(Patched::Gone);
            }
            refused_if_stale(base)?;
            let asked = guard.asks();
            let patch = guard.store.patch(key, base, patch, now);
            let patched = guard.call(guard.options.to_change(), patch).await;
            guard.keep_patched(key, &patched, asked, now);
            patched
        })
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(async move {
            let guard = &self.0;
            if guard.has_ended(from) || guard.ends(base) {
                return Ok(Patched::Gone);
            }
            if guard.has_ended(to) {
                return Err(StoreError::Conflict);
            }
            refused_if_stale(base)?;
            let asked = guard.asks();
            let rotate = guard.store.rotate(from, to, base, patch, alias_until, now);
            let rotated = guard.call(guard.options.to_change(), rotate).await;
            // Whatever became of it: a log-in ends the old id at once.
            guard.keep(from, None, asked, now);
            rotated
        })
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            let guard = &self.0;
            if guard.has_ended(key) {
                return Ok(false);
            }
            let asked = guard.asks();
            let touch = guard.store.touch(key, expires, now);
            match guard.call(guard.options.to_change(), touch).await {
                Err(error) if guard.may_miss_a_use(key, &error, now) => Ok(true),
                Ok(false) => {
                    guard.keep(key, None, asked, now);
                    Ok(false)
                }
                touched => touched,
            }
        })
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.0.log_out(Whose::Key(*key), self.0.store.delete(key)))
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        let budget = self.0.options.budget;
        Some(Box::pin(async move {
            tokio::time::sleep(budget).await;
            StoreError::Timeout(budget)
        }))
    }

    fn users(&self) -> Option<&dyn UserSessions> {
        self.0.store.users().is_some().then_some(self as _)
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        self.0.store.sweeper().is_some().then_some(self as _)
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        self.0.store.inventory().is_some().then_some(self as _)
    }
}
