//! A store that loads and saves whole records, as many session libraries do. For comparison on the
//! demo page only.
//!
//! It keeps its records in the same file as Carafe's store, with the same durability. The only
//! difference is [`WholeRecord::patch`]: Carafe sends the *changes* of a request, this store
//! everything that the request *loaded*, with the changes applied. Of two concurrent requests, the
//! later save wins, and the changes of the earlier one are lost.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    json,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, ErasedStore, KeyState, Patched, Powers, Record, Rotation,
        SessionStore, StoreError, StoreKey,
    },
};

/// Last writer wins, over another store.
pub(super) struct WholeRecord(pub(super) Arc<dyn ErasedStore>);

#[deny(clippy::missing_trait_methods)]
impl SessionStore for WholeRecord {
    const NEVER_WAITS: bool = false;

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        self.0.create(key, record, now).await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        self.0.load(key, now).await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let Some(changed) = base.merge(base, patch)? else {
            return Ok(Patched::Gone);
        };
        self.0.patch(key, base, &whole(&changed, patch)?, now).await
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        self.0.rotate(from, to, base, patch, rotation, now).await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        self.0.touch(key, access).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        self.0.delete(key, now).await
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        self.0.budget()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn powers(&self) -> Powers<'_> {
        self.0.powers()
    }
}

/// Returns a patch that replaces the whole dictionary.
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

    use super::{super::mode::in_store, *};

    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    /// Runs two requests of one session that both load before either saves. Returns the results.
    async fn at_once(store: Arc<dyn ErasedStore>) -> (Option<u64>, Option<u64>) {
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
