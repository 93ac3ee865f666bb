//! A migrating store: the store contract, the lifecycle of a session, and concurrent log-outs.
//!
//! Sessions are created in the new store or migrate at their first use, also from other frameworks'
//! layouts.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch, SessionData},
    store::{
        BoxFuture, Capabilities, Created, KeyState, MemoryStore, Migrated, MigratingStore, Nonce,
        Patched, Powers, PublicId, Record, Rotation, Selection, SessionMeta, SessionStore,
        StoreError, StoreKey,
        conformance::{PlainStore, Spy, Verb},
        migrate,
    },
};
use futures_executor::block_on;

const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

mod born_new {
    use super::{Pair, block_on};
    carafe_core::session_store_conformance!(block_on, async { Pair::new().moving() });
}

mod come_over {
    use super::{block_on, born_old};
    carafe_core::session_store_conformance!(block_on, async { born_old() });
}

/// From a layout with IDs as keys into Carafe's own, and between two layouts with IDs as keys.
mod from_plain_names {
    use super::{Arc, MemoryStore, MigratingStore, PlainStore, block_on};

    fn moving() -> MigratingStore {
        let old = Arc::new(PlainStore::default());
        MigratingStore::new(old, Arc::new(MemoryStore::new()))
    }

    carafe_core::session_store_conformance!(block_on, async { moving() });

    mod lives {
        carafe_core::session_life_conformance!(super::block_on, async { super::moving() });
    }

    mod into_plain_names {
        use super::{Arc, MigratingStore, PlainStore, block_on};
        carafe_core::session_store_conformance!(block_on, async {
            let [old, new] = [(); 2].map(|()| Arc::new(PlainStore::default()));
            MigratingStore::new(old, new)
        });
    }
}

mod lives {
    use super::{Pair, block_on};
    carafe_core::session_life_conformance!(block_on, async { Pair::new().moving() });

    mod come_over {
        use super::super::{block_on, born_old};
        carafe_core::session_life_conformance!(block_on, async { born_old() });
    }
}

#[test]
fn a_session_comes_over_at_its_first_use() {
    block_on(async {
        let pair = Pair::new();
        let (key, record) = filed(&pair.old, 3600).await;
        let loaded = pair
            .moving()
            .load(&key, NOW)
            .await
            .unwrap()
            .into_record()
            .unwrap();
        assert_eq!(facts(&loaded), facts(&record));
        assert!(pair.old.is_empty());
        assert_eq!(
            facts(
                &pair
                    .new
                    .load(&key, NOW)
                    .await
                    .unwrap()
                    .into_record()
                    .unwrap()
            ),
            facts(&record)
        );
    });
}

#[test]
fn a_log_out_wins_over_a_move_that_is_under_way() {
    block_on(async {
        let pair = Pair::new();
        let (key, stale) = filed(&pair.old, 3600).await;
        assert!(pair.moving().delete(&key, NOW).await.unwrap());
        let brought = migrate((&*pair.old, &key), (&*pair.new, &key), &stale, NOW).await;
        assert_eq!(brought.unwrap(), Migrated::Ended);
        assert!(pair.is_empty());
    });
}

#[test]
fn a_move_that_comes_second_leaves_the_first_ones_session_alone() {
    block_on(async {
        let pair = Pair::new();
        let (key, stale) = filed(&pair.old, 3600).await;
        let store = pair.moving();
        let base = store.load(&key, NOW).await.unwrap().into_record().unwrap();
        let mut patch = Patch::default();
        patch.set("n", "2".to_owned());
        let patched = store.patch(&key, &base, &patch, NOW).await.unwrap();
        assert!(matches!(patched, Patched::Applied(_)));
        let brought = migrate((&*pair.old, &key), (&*pair.new, &key), &stale, NOW).await;
        assert_eq!(brought.unwrap(), Migrated::WasThere);
        let kept = store.load(&key, NOW).await.unwrap().into_record().unwrap();
        assert_eq!(kept.data.text_of("n"), Some("2"));
    });
}

#[test]
fn what_a_dead_move_left_behind_ends_with_its_session() {
    block_on(async {
        let pair = Pair::new();
        let (key, record) = filed(&pair.old, 3600).await;
        pair.new.create(&key, &record, NOW).await.unwrap();
        assert!(pair.moving().delete(&key, NOW).await.unwrap());
        assert!(pair.is_empty());

        let (key, record) = filed(&pair.old, 3600).await;
        pair.new.create(&key, &record, NOW).await.unwrap();
        let (store, to) = (pair.moving(), StoreKey::random().unwrap());
        let rotated = store
            .rotate(
                &key,
                &to,
                &record,
                &Patch::default(),
                Rotation::Replacement,
                NOW,
            )
            .await;
        assert!(matches!(rotated.unwrap(), Patched::Applied(_)));
        assert!(
            matches!(store.load(&key, NOW).await.unwrap(), KeyState::Retired),
            "the old id is dead"
        );
        assert!(store.load(&to, NOW).await.unwrap().record().is_some());
    });
}

#[test]
fn a_request_with_the_old_id_of_a_renewed_session_does_not_end_it() {
    block_on(async {
        let pair = Pair::new();
        let (from, record) = filed(&pair.old, 3600).await;
        let (to, patch) = (StoreKey::random().unwrap(), Patch::default());
        let renewal = Rotation::Renewal(Nonce::random().unwrap());
        let renewed = pair.old.rotate(&from, &to, &record, &patch, renewal, NOW);
        assert!(matches!(renewed.await.unwrap(), Patched::Applied(_)));
        let store = pair.moving();
        let leads = async |at| {
            let now = NOW.saturating_add(at);
            assert!(store.load(&from, now).await.unwrap().record().is_some());
            assert!(store.load(&to, now).await.unwrap().record().is_some());
        };
        leads(3_000).await; // No request has presented the new id.
        let first_use = Access {
            at: NOW,
            expires: record.meta.expires,
            confirms: Some(NOW.saturating_add(30)),
        };
        assert!(store.touch(&to, &first_use).await.unwrap());
        leads(0).await;
        leads(29).await;
        assert!(
            pair.new.is_empty(),
            "the old id is accepted, and leads there"
        );
        let later = NOW.saturating_add(30);
        assert!(store.load(&to, later).await.unwrap().record().is_some());
        assert!(pair.old.is_empty() && pair.new.len() == 1, "it has moved");
        assert!(store.load(&from, later).await.unwrap().record().is_none());
        assert!(store.load(&to, later).await.unwrap().record().is_some());
    });
}

#[test]
fn operators_see_both_stores() {
    block_on(async {
        let pair = Pair::new();
        let store = pair.moving();
        let (_, one) = filed(&pair.old, 3600).await;
        let (_, two) = filed(&pair.new, 7200).await;
        let inventory = store.powers().listing().unwrap();
        let newest = inventory.list(None, 10, NOW).await.unwrap();
        let handles: Vec<_> = newest.iter().map(|session| session.public_id).collect();
        assert_eq!(handles, [one.meta.public_id, two.meta.public_id]);
        let rest = inventory.list(Some(newest[0].position()), 10, NOW);
        assert_eq!(rest.await.unwrap(), newest[1..]);
        let sample = inventory.sample(10, NOW).await.unwrap();
        assert_eq!((sample.total, sample.exact), (2, true));
        let few = inventory.sample(1, NOW).await.unwrap();
        assert_eq!((few.sessions.len(), few.total, few.exact), (1, 2, false));
        for public_id in handles {
            let found = inventory.find(public_id, NOW).await.unwrap();
            assert_eq!(found.unwrap().meta.public_id, public_id);
            assert!(inventory.delete_by_public_id(public_id, NOW).await.unwrap());
        }
        assert!(pair.is_empty());
    });
}

/// A concurrent request migrates the session between the lookups in the new and the old store.
#[test]
fn a_session_that_comes_over_between_two_looks_is_found() {
    block_on(async {
        let pair = Pair::new();
        let (key, record) = filed(&pair.old, 3600).await;
        let late = Spy::shared(pair.old.clone());
        let (old, new) = (pair.old.clone(), pair.new.clone());
        late.before(move |call| {
            let (old, new, record) = (old.clone(), new.clone(), record.clone());
            Box::pin(async move {
                if call.verb == Verb::Load {
                    migrate((&*old, &key), (&*new, &key), &record, NOW).await?;
                }
                Ok(())
            })
        });
        let store = MigratingStore::new(Arc::new(late), pair.new.clone());
        let state = store.load(&key, NOW).await.unwrap();
        assert!(matches!(state, KeyState::Current(_)), "{state:?}");
    });
}

#[test]
fn a_users_sessions_are_listed_and_ended_in_both_stores() {
    block_on(async {
        let pair = Pair::new();
        let store = pair.moving();
        let (one, _) = filed(&pair.old, 3600).await;
        filed(&pair.new, 7200).await;
        let copied = store.load(&one, NOW).await.unwrap().into_record().unwrap();
        pair.old.create(&one, &copied, NOW).await.unwrap();
        let users = store.powers().users().unwrap();
        let listed = users.list_by_user("ada", None, 10, NOW).await.unwrap();
        assert_eq!(listed.len(), 2, "a session in both is one session");
        assert_eq!(
            listed[0].public_id, copied.meta.public_id,
            "the newest first"
        );
        let ended = users.delete_by_user("ada", Selection::All, 10, NOW);
        assert!(ended.await.unwrap() > 0);
        while users
            .delete_by_user("ada", Selection::All, 10, NOW)
            .await
            .unwrap()
            > 0
        {}
        assert!(pair.is_empty());
    });
}

#[derive(Clone)]
struct Pair {
    old: Arc<MemoryStore>,
    new: Arc<MemoryStore>,
}

impl Pair {
    fn new() -> Self {
        let [old, new] = [(); 2].map(|()| Arc::new(MemoryStore::new()));
        Self { old, new }
    }

    fn moving(&self) -> MigratingStore {
        MigratingStore::new(self.old.clone(), self.new.clone())
    }

    fn is_empty(&self) -> bool {
        self.old.is_empty() && self.new.is_empty()
    }
}

/// Stores a session of user Ada whose ID was issued `age` seconds ago.
async fn filed(store: &MemoryStore, age: i64) -> (StoreKey, Record) {
    let began = NOW.saturating_add(-age);
    let mut meta = SessionMeta::new(PublicId::random().unwrap(), began, NOW.saturating_add(3600));
    meta.user = Some("ada".to_owned());
    meta.device = Some("a phone".to_owned());
    meta.authenticated = Some(began);
    meta.version = 7;
    let record = Record::new(
        meta,
        SessionData::parse(r#"{"n":1}"#.to_owned(), Record::STYLE).unwrap(),
    );
    let key = StoreKey::random().unwrap();
    assert_eq!(
        store.create(&key, &record, NOW).await.unwrap(),
        Created::Created
    );
    (key, record)
}

fn facts(record: &Record) -> (carafe_core::store::SessionMeta, Option<&str>) {
    (record.meta.clone(), record.data.text_of("n"))
}

/// A [`MigratingStore`] that creates its sessions in the old store.
struct BornOld {
    pair: Pair,
    moving: MigratingStore,
}

fn born_old() -> BornOld {
    let pair = Pair::new();
    BornOld {
        moving: pair.moving(),
        pair,
    }
}

#[deny(clippy::missing_trait_methods)]
impl SessionStore for BornOld {
    const NEVER_WAITS: bool = false;

    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> Result<Created, StoreError> {
        match self.pair.new.load(key, now).await? {
            KeyState::Absent => self.pair.old.create(key, record, now).await,
            _ => Ok(Created::Taken),
        }
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        self.moving.load(key, now).await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        self.moving.patch(key, base, patch, now).await
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
        self.moving
            .rotate(from, to, base, patch, rotation, now)
            .await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        self.moving.touch(key, access).await
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        self.moving.delete(key, now).await
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        self.moving.budget()
    }

    fn capabilities(&self) -> Capabilities {
        self.moving.capabilities()
    }

    fn powers(&self) -> Powers<'_> {
        self.moving.powers()
    }
}
