//! A store that loads a whole record and saves a whole record, as many session libraries do. Written for the
//! comparison on the demo page; nothing else uses it.
//!
//! It keeps its records in the very same file as the store beside it, and its writes wait for the same disk. The one
//! difference is [`WholeRecord::patch`]: where Carafe sends what a request has *changed*, this sends everything that
//! the request has *loaded*, with the change in it. Of two requests that ran at once, the later save wins, and what
//! the earlier one wrote is gone.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    json,
    session::Patch,
    store::{BoxFuture, Created, Patched, Record, SessionStore, StoreError, StoreKey},
};

/// Last writer wins, over another store.
pub(super) struct WholeRecord(pub(super) Arc<dyn SessionStore>);

impl SessionStore for WholeRecord {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        self.0.create(key, record, now)
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.0.load(key, now)
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        Box::pin(async move {
            let Some(changed) = base.after(base, patch)? else {
                return Ok(Patched::Gone);
            };
            self.0.patch(key, base, &whole(&changed, patch)?, now).await
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
        self.0.rotate(from, to, base, patch, alias_until, now)
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.0.touch(key, expires, now)
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.0.delete(key)
    }
}

/// The save of a whole dictionary: everything that is there goes, and this takes its place.
fn whole(changed: &Record, patch: &Patch) -> Result<Patch, StoreError> {
    let mut save = Patch::default();
    save.clear();
    for (key, text) in changed.data.iter() {
        let key: String = json::from_text(key, false).map_err(StoreError::corrupt)?;
        save.set(&key, text.to_owned());
    }
    save.facts = patch.facts.clone();
    Ok(save)
}

#[cfg(test)]
mod tests {
    use carafe_core::{
        session::{SessionError, SessionManager},
        store::MemoryStore,
    };

    use super::{super::way::in_store, *};

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    /// Two requests of one session that have both loaded before either saves; what is there in the end.
    async fn at_once(store: Arc<dyn SessionStore>) -> (Option<u64>, Option<u64>) {
        let manager = in_store(store).unwrap();
        let slot = manager.begin();
        let session = manager.open(&slot, [], NOW).await.unwrap();
        session.insert("n", &0).unwrap();
        let begun = manager.commit(&slot, [], 200, NOW).await.unwrap();
        let line = begun.set_cookie.unwrap();
        let cookie = line.split(';').next().unwrap();

        let open = async |manager: &Arc<SessionManager>| {
            let slot = manager.begin();
            let session = manager.open(&slot, [cookie.as_bytes()], NOW).await.unwrap();
            (slot, session)
        };
        let add = |n: Option<u64>| n.unwrap_or(0) + 1;
        let (first, second) = (open(&manager).await, open(&manager).await);
        let written: Result<(), SessionError> = (|| {
            first.1.update("n", add)?;
            first.1.insert("of the first", &1)?;
            second.1.update("n", add).map(drop)
        })();
        written.unwrap();
        for (slot, _) in [&first, &second] {
            manager.commit(slot, [], 200, NOW).await.unwrap();
        }
        let (_, left) = open(&manager).await;
        (left.get("n").unwrap(), left.get("of the first").unwrap())
    }

    #[tokio::test]
    async fn the_later_save_takes_the_earlier_one_back_and_a_patch_does_not() {
        let store = Arc::new(MemoryStore::new());
        let whole_record = Arc::new(WholeRecord(Arc::clone(&store) as _));
        assert_eq!(at_once(whole_record).await, (Some(1), None));
        assert_eq!(at_once(store).await, (Some(2), Some(1)));
    }
}
