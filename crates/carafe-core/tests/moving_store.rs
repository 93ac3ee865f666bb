//! Two stores as one: the contract, with sessions that begin in the new store, that come over at their first
//! use, and that are too young to; then what happens when a move meets a log-out.

#![cfg(feature = "conformance")]
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::{sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    session::{Patch, SessionData},
    store::{
        Brought, Created, Handle, MemoryStore, Moving, Patched, Record, SessionStore, StoreKey,
        bring_over,
        conformance::{Spy, Verb},
    },
};
use futures_executor::block_on;

const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

mod born_new {
    use super::{Pair, block_on};
    carafe_core::session_store_conformance!(block_on, async { Pair::new().moving() });
}

mod come_over {
    use super::{Duration, block_on, born_old};
    carafe_core::session_store_conformance!(block_on, async { born_old(Duration::ZERO) });
}

mod too_young {
    use super::{Duration, block_on, born_old};
    carafe_core::session_store_conformance!(block_on, async {
        born_old(Duration::from_secs(1_000_000))
    });
}

#[test]
fn a_session_comes_over_at_its_first_use() {
    block_on(async {
        let pair = Pair::new();
        let (key, record) = filed(&pair.old, 3600).await;
        let loaded = pair.moving().load(&key, NOW).await.unwrap().unwrap();
        assert_eq!(facts(&loaded), facts(&record));
        assert!(pair.old.is_empty());
        assert_eq!(
            facts(&pair.new.load(&key, NOW).await.unwrap().unwrap()),
            facts(&record)
        );
    });
}

#[test]
fn a_log_out_wins_over_a_move_that_is_under_way() {
    block_on(async {
        let pair = Pair::new();
        let (key, stale) = filed(&pair.old, 3600).await;
        assert!(pair.moving().delete(&key).await.unwrap());
        let brought = bring_over((&*pair.old, &key), (&*pair.new, &key), &stale, NOW).await;
        assert_eq!(brought.unwrap(), Brought::Ended);
        assert!(pair.is_empty());
    });
}

#[test]
fn a_move_that_comes_second_leaves_the_first_ones_session_alone() {
    block_on(async {
        let pair = Pair::new();
        let (key, stale) = filed(&pair.old, 3600).await;
        let store = pair.moving();
        let base = store.load(&key, NOW).await.unwrap().unwrap();
        let mut patch = Patch::default();
        patch.set("n", "2".to_owned());
        let patched = store.patch(&key, &base, &patch, NOW).await.unwrap();
        assert!(matches!(patched, Patched::Applied(_)));
        let brought = bring_over((&*pair.old, &key), (&*pair.new, &key), &stale, NOW).await;
        assert_eq!(brought.unwrap(), Brought::WasThere);
        let kept = store.load(&key, NOW).await.unwrap().unwrap();
        assert_eq!(kept.data.text_of("n"), Some("2"));
    });
}

#[test]
fn what_a_dead_move_left_behind_ends_with_its_session() {
    block_on(async {
        let pair = Pair::new();
        let (key, record) = filed(&pair.old, 3600).await;
        pair.new.create(&key, &record, NOW).await.unwrap();
        assert!(pair.moving().delete(&key).await.unwrap());
        assert!(pair.is_empty());

        let (key, record) = filed(&pair.old, 3600).await;
        pair.new.create(&key, &record, NOW).await.unwrap();
        let (store, to) = (pair.moving(), StoreKey::random().unwrap());
        let rotated = store
            .rotate(&key, &to, &record, &Patch::default(), None, NOW)
            .await;
        assert!(matches!(rotated.unwrap(), Patched::Applied(_)));
        assert!(
            store.load(&key, NOW).await.unwrap().is_none(),
            "the old id is dead"
        );
        assert!(store.load(&to, NOW).await.unwrap().is_some());
    });
}

#[test]
fn a_request_with_the_old_id_of_a_renewed_session_does_not_end_it() {
    block_on(async {
        let pair = Pair::new();
        let (from, record) = filed(&pair.old, 3600).await;
        let (to, until) = (StoreKey::random().unwrap(), NOW.saturating_add(30));
        let (patch, renewal) = (Patch::default(), Some(until));
        let renewed = pair.old.rotate(&from, &to, &record, &patch, renewal, NOW);
        assert!(matches!(renewed.await.unwrap(), Patched::Applied(_)));
        let store = pair.moving();
        for at in [0, 29] {
            let now = NOW.saturating_add(at);
            assert!(store.load(&from, now).await.unwrap().is_some());
            assert!(store.load(&to, now).await.unwrap().is_some());
        }
        assert!(pair.new.is_empty(), "it is too young to move");
        let later = NOW.saturating_add(60);
        assert!(store.load(&from, later).await.unwrap().is_none());
        assert!(store.load(&to, later).await.unwrap().is_some());
        assert!(
            pair.old.load(&to, later).await.unwrap().is_none(),
            "it has moved"
        );
    });
}

#[test]
fn a_users_sessions_are_listed_and_ended_in_both_stores() {
    block_on(async {
        let pair = Pair::new();
        let store = pair.moving();
        let (one, _) = filed(&pair.old, 3600).await;
        filed(&pair.new, 7200).await;
        let copied = store.load(&one, NOW).await.unwrap().unwrap();
        pair.old.create(&one, &copied, NOW).await.unwrap();
        let users = store.users().unwrap();
        let listed = users.of_user("ada", NOW).await.unwrap();
        assert_eq!(listed.len(), 2, "a session in both is one session");
        assert_eq!(listed[0].handle, copied.handle, "the newest first");
        users
            .delete_of_user("ada", carafe_core::store::Which::All)
            .await
            .unwrap();
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

    fn moving(&self) -> Moving {
        Moving::new(self.old.clone(), self.new.clone())
    }

    fn is_empty(&self) -> bool {
        self.old.is_empty() && self.new.is_empty()
    }
}

/// Files a session of Ada's that got its id so many seconds ago.
async fn filed(store: &MemoryStore, age: i64) -> (StoreKey, Record) {
    let began = NOW.saturating_add(-age);
    let record = Record {
        data: SessionData::parse(r#"{"n":1}"#.to_owned(), Record::STYLE).unwrap(),
        user: Some("ada".to_owned()),
        handle: Handle::random().unwrap(),
        device: Some("a phone".to_owned()),
        created: began,
        renewed: began,
        last_seen: began,
        expires: NOW.saturating_add(3600),
        authenticated: Some(began),
        version: 7,
    };
    let key = StoreKey::random().unwrap();
    assert_eq!(
        store.create(&key, &record, NOW).await.unwrap(),
        Created::Created
    );
    (key, record)
}

fn facts(record: &Record) -> (carafe_core::store::Summary, Option<&str>) {
    (record.summary(), record.data.text_of("n"))
}

/// A [`Moving`] whose sessions begin in the old store.
fn born_old(grace: Duration) -> Spy<Moving> {
    let pair = Pair::new();
    let store = Spy::new(pair.moving().alias_grace(grace));
    store.after(move |call| {
        let pair = pair.clone();
        Box::pin(async move {
            let (Verb::Create, Some(1), Some(key), Some(now)) =
                (call.verb, call.answer, call.key, call.now)
            else {
                return Ok(());
            };
            if let Some(record) = pair.new.load(&key, now).await? {
                pair.old.create(&key, &record, now).await?;
                pair.new.delete(&key).await?;
            }
            Ok(())
        })
    });
    store
}
