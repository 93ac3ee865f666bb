//! What operators do: how much of a large table it reads, and what it does to sessions on the move.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        Handle, Inventory, Patched, Position, SessionStore, StoreError, StoreKey, Summary,
        UserSessions,
    },
};
use tokio::task::JoinSet;

use crate::support::{Kit, PATIENT, fixtures::*};

const THEN: Timestamp = Timestamp::from_unix(1_000_000);

fn sql<K: Kit>(table: &str, text: &str) -> String {
    K::shared().sql(&format!("{} {}", K::PLACE, text.replace("SESSIONS", table)))
}

/// What is wrong with a store, but for what is meant to be wrong with the tests' servers.
async fn wrong_with<K: Kit>(store: &K::Store) -> Vec<String> {
    let mut problems = K::health(store).await.problems;
    problems.retain(|problem| !problem.starts_with("fsync is off"));
    problems
}

/// Counts what one connection reads. Each look is done more often than it takes Postgres to settle for a plan
/// that does not know the values.
struct Counted<'s, K: Kit> {
    store: &'s K::Store,
    table: &'static str,
}

impl<K: Kit> Counted<'_, K> {
    /// `look` eight times; each reads at most `most` rows and index entries.
    async fn at_most<T>(&self, most: i64, what: &str, look: impl AsyncFn() -> T) {
        for _ in 0..8 {
            let before = K::rows_read(self.store, self.table).await;
            look().await;
            let read = K::rows_read(self.store, self.table).await - before;
            println!("{what}: {read} of at most {most}");
            assert!(read <= most, "{what}: {read}");
        }
    }
}

pub(crate) async fn a_look_reads_few_of_many_rows<K: Kit>() {
    const TABLE: &str = "large_sessions";
    let store = &K::store(K::shared().port, TABLE, 1, PATIENT).await;
    sql::<K>(TABLE, K::FILL_MANY);
    let counted = Counted::<K> {
        store,
        table: TABLE,
    };
    few_for_a_page(&counted).await;
    few_for_a_session(&counted).await;
    few_for_one_or_a_part(&counted).await;
    few_for_a_sample::<K>(TABLE).await;
    few_for_an_end(&counted).await;
}

async fn few_for_a_page<K: Kit>(counted: &Counted<'_, K>) {
    let store = counted.store;
    // Entry and row of each, every tenth in vain. The counters themselves read a little in MySQL.
    let pages = 2 * 50 * 10 / 9 + 200;
    counted
        .at_most(pages, "the first page", async || {
            let page = store.newest(None, 50, THEN).await.expect("newest works");
            assert_eq!(page.len(), 50);
        })
        .await;
    let page = store.newest(None, 50, THEN).await.expect("newest works");
    let middle = Position {
        renewed: Timestamp::from_unix(33_333),
        handle: Handle::from_bytes([0x80; 12]),
    };
    for after in [page.last().expect("it is full").position(), middle] {
        counted
            .at_most(pages, "a page", async || {
                let next = store.newest(Some(after), 50, THEN).await;
                let next = next.expect("newest works");
                assert_eq!(next.len(), 50);
                assert!(
                    next.iter()
                        .map(Summary::position)
                        .is_sorted_by(|a, b| a > b)
                );
                assert!(next[0].position() < after);
            })
            .await;
    }
}

async fn few_for_one_or_a_part<K: Kit>(counted: &Counted<'_, K>) {
    let store = counted.store;
    let page = store.newest(None, 1, THEN).await.expect("newest works");
    let name = page[0].handle;
    counted
        .at_most(200, "a handle", async || {
            let found = store.of_handle(name, THEN).await.expect("of_handle works");
            assert_eq!(found.expect("it is there").handle, name);
        })
        .await;
    counted
        .at_most(300, "a walk", async || {
            let batch = store.walk(None, 50).await.expect("walk works");
            assert!(batch.records.len() == 50 && batch.next.is_some());
        })
        .await;
}

/// Wherever it begins: Postgres plans the first five of a connection for their values, so there are many connections.
async fn few_for_a_sample<K: Kit>(table: &'static str) {
    for _ in 0..20 {
        let store = &K::store(K::shared().port, table, 1, PATIENT).await;
        Counted::<K> { store, table }
            .at_most(K::SAMPLE, "a sample", async || {
                let sample = store.sample(50, THEN).await.expect("sample works");
                assert!(sample.sessions.len() == 50 && !sample.exact);
            })
            .await;
    }
}

/// Whether it is there or not, and by each of the statements that ask about one key.
async fn few_for_a_session<K: Kit>(counted: &Counted<'_, K>) {
    let (store, key, none) = (counted.store, StoreKey::of_id("777"), key());
    let found = store.load(&key, THEN).await.expect("load works");
    let base = found.expect("its key is the hash of its number");
    counted
        .at_most(200, "a session", async || {
            let found = store.load(&key, THEN).await.expect("load works");
            assert!(found.is_some());
            assert!(store.touch(&key, THEN, THEN).await.expect("touch works"));
            // But for the first time on a base that is not the newest, so under a lock.
            let patched = store.patch(&key, &base, &set("a", "1"), THEN).await;
            applied(patched.expect("patch works"));
        })
        .await;
    counted
        .at_most(200, "no session", async || {
            assert!(is_absent(store, &none).await);
            assert!(!store.touch(&none, THEN, THEN).await.expect("touch works"));
            let patched = store.patch(&none, &base, &set("a", "1"), THEN).await;
            assert!(matches!(patched, Ok(Patched::Gone)));
            assert!(!store.delete(&none).await.expect("delete works"));
        })
        .await;
}

/// Some, then none, however many others there are.
async fn few_for_an_end<K: Kit>(counted: &Counted<'_, K>) {
    let store = counted.store;
    let until = Timestamp::from_unix(100);
    counted
        .at_most(600, "an end", async || {
            store
                .delete_begun(until, 20)
                .await
                .expect("delete_begun works")
        })
        .await;
    assert_eq!(store.delete_begun(until, 20).await.expect("it works"), 0);
    let left = sql::<K>(counted.table, "SELECT COUNT(*) FROM SESSIONS");
    assert_eq!(left.trim(), "199900");
}

pub(crate) async fn the_number_of_sessions_is_estimated<K: Kit>() {
    const TABLE: &str = "estimated_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    sql::<K>(TABLE, K::FILL_MANY);
    let mut totals = Vec::new();
    for _ in 0..15 {
        totals.push(store.sample(10, THEN).await.expect("sample works").total);
    }
    totals.sort_unstable();
    let (middle, live) = (totals[7], 180_000_u64);
    assert!(middle.abs_diff(live) < live / 20, "{totals:?}");
    // Ten standard deviations.
    assert!(
        totals.iter().all(|total| total.abs_diff(live) < live / 4),
        "{totals:?}"
    );
}

/// Whoever ends a session by its name has ended it, although it is just getting a new id.
pub(crate) async fn a_renewal_does_not_escape_its_handle<K: Kit>() {
    let store = K::store(K::shared().port, "handle_sessions", 8, PATIENT).await;
    for round in 0..200 {
        let (from, to) = (filed(&store, &record("{}")).await, key());
        let base = loaded(&store, &from).await;
        let until = (round % 2 == 0).then_some(LATER);
        let patch = Patch::default();
        let renewed = store.rotate(&from, &to, &base, &patch, until, NOW);
        let (renewed, deleted) = tokio::join!(renewed, store.delete_of_handle(base.handle));
        let renewed = matches!(renewed.expect("rotate works"), Patched::Applied(_));
        assert!(
            deleted.expect("delete_of_handle works"),
            "renewed: {renewed}"
        );
        assert!(is_absent(&store, &from).await && is_absent(&store, &to).await);
    }
}

/// "End all that began by now", while each of them is getting new ids as fast as it can.
pub(crate) async fn a_renewal_does_not_escape_the_end_of_all<K: Kit>() {
    const TABLE: &str = "end_sessions";
    let store = Arc::new(K::store(K::shared().port, TABLE, 12, PATIENT).await);
    for _ in 0..5 {
        let mut renewals = JoinSet::new();
        for session in 0..8 {
            let store = Arc::clone(&store);
            let from = filed(&*store, &record("{}")).await;
            renewals.spawn(async move { renew_for_ever(&*store, from, session % 2 == 0).await });
        }
        let mut ended = 0;
        loop {
            match store.delete_begun(NOW, 3).await {
                Ok(0) => break,
                Ok(count) => ended += count,
                // It lost its race too often, says so, and is asked again.
                Err(StoreError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(ended, 8);
        // Nobody is let in any more: each renewal finds nothing, and ends.
        let page = store.newest(None, 10, NOW).await.expect("newest works");
        assert!(page.is_empty(), "{page:?}");
        renewals.join_all().await;
    }
}

async fn renew_for_ever(store: &dyn SessionStore, mut from: StoreKey, alias: bool) {
    loop {
        let base = match store.load(&from, NOW).await.expect("load works") {
            Some(base) => base,
            None => return,
        };
        let (to, patch) = (key(), Patch::default());
        let until = alias.then_some(LATER);
        match store.rotate(&from, &to, &base, &patch, until, NOW).await {
            Ok(Patched::Applied(_)) => from = to,
            Ok(Patched::Gone) => return,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Lists go on without it or need nothing of what is damaged; a walk says where it is.
pub(crate) async fn operators_see_past_a_damaged_row<K: Kit>() {
    const TABLE: &str = "skipped_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    sql::<K>(TABLE, K::UNCHECKED);
    for (damage, readable) in [("data = '{\"a\":'", true), ("version = -1", false)] {
        sql::<K>(TABLE, "DELETE FROM SESSIONS");
        let mut whole = record("{}");
        whole.user = Some("zoe".to_owned());
        let damaged = filed(&store, &whole).await;
        for second in [-1, 1] {
            let mut sound = record("{}");
            sound.user = Some("zoe".to_owned());
            sound.renewed = NOW.saturating_add(second);
            filed(&store, &sound).await;
        }
        let row = K::bytes(&hex(&damaged));
        sql::<K>(
            TABLE,
            &format!("UPDATE SESSIONS SET {damage} WHERE store_key = {row}"),
        );
        let before = sql::<K>(TABLE, "SELECT * FROM SESSIONS ORDER BY store_key");
        let seen = if readable { 3 } else { 2 };
        let listed = store.of_user("zoe", NOW).await.expect("of_user works");
        assert_eq!(listed.len(), seen, "{damage}");
        for limit in [2, 10] {
            let page = store.newest(None, limit, NOW).await.expect("newest works");
            assert_eq!(page.len(), seen.min(limit), "{damage}");
        }
        let sample = store.sample(10, NOW).await.expect("sample works");
        assert_eq!((sample.total, sample.exact), (seen as u64, true));
        let walked = store.walk(None, 10).await.expect("walk works").records;
        assert_eq!(walked.len(), 3);
        for (at, record) in walked {
            assert_eq!(record.is_err(), at == damaged, "{damage}");
        }
        let found = store.of_handle(whole.handle, NOW).await;
        assert!(matches!(found, Err(StoreError::Corrupt(_))));
        let after = sql::<K>(TABLE, "SELECT * FROM SESSIONS ORDER BY store_key");
        assert_eq!(after, before, "{damage}");
        assert_eq!(store.delete_begun(NOW, 10).await.expect("it works"), 3);
    }
}

/// They stand in the same table and in no list, page, sample or walk; what ends a session ends them.
pub(crate) async fn aliases_are_no_sessions<K: Kit>() {
    const TABLE: &str = "alias_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    let mut from = filed(&store, &record("{}")).await;
    let base = loaded(&store, &from).await;
    for _ in 0..3 {
        let to = key();
        let patch = Patch::default();
        let rotated = store
            .rotate(&from, &to, &base, &patch, Some(LATER), NOW)
            .await;
        applied(rotated.expect("rotate works"));
        from = to;
    }
    let count = || {
        sql::<K>(TABLE, "SELECT COUNT(*) FROM SESSIONS")
            .trim()
            .to_owned()
    };
    assert_eq!(count(), "4");
    assert_eq!(
        store
            .newest(None, 10, NOW)
            .await
            .expect("newest works")
            .len(),
        1
    );
    let sample = store.sample(10, NOW).await.expect("sample works");
    assert_eq!(
        (sample.sessions.len(), sample.total, sample.exact),
        (1, 1, true)
    );
    let (mut after, mut walked) = (None, Vec::new());
    loop {
        let batch = store.walk(after.as_ref(), 1).await.expect("walk works");
        walked.extend(batch.records.into_iter().map(|(key, _)| key));
        match batch.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(walked, [from]);
    assert!(store.delete_of_handle(base.handle).await.expect("it works"));
    assert_eq!(count(), "0");
}

/// As one that was made before they were thought of; and whoever opens it is told.
pub(crate) async fn a_table_without_an_index_is_repaired<K: Kit>() {
    const TABLE: &str = "older_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    let key = filed(&store, &record("{}")).await;
    let whole = sql::<K>(TABLE, K::INDICES);
    sql::<K>(TABLE, K::DROP_INDICES);
    let problems = wrong_with::<K>(&store).await;
    assert_eq!(problems.len(), 3, "{problems:?}");
    assert!(
        problems[0].contains("`older_sessions_renewed`"),
        "{problems:?}"
    );
    // Which migrates.
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    assert_eq!(sql::<K>(TABLE, K::INDICES), whole);
    assert!(wrong_with::<K>(&store).await.is_empty());
    loaded(&store, &key).await;
}

pub(crate) async fn a_store_says_how_it_is<K: Kit>() {
    let store = K::store(K::shared().port, "healthy_sessions", 1, PATIENT).await;
    let health = K::health(&store).await;
    let text = health.to_string();
    assert!(wrong_with::<K>(&store).await.is_empty(), "{text}");
    assert!(text.starts_with("server: "), "{text}");
    for fact in [
        "table: healthy_sessions, ",
        "indices: 5 of 5\n",
        "schema: version 1, expected 1\n",
    ] {
        assert!(text.contains(fact), "{text}");
    }
    sql::<K>("healthy_sessions", "UPDATE SESSIONS_schema SET version = 7");
    let problems = wrong_with::<K>(&store).await;
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("version `7`")),
        "{problems:?}"
    );
    sql::<K>(
        "healthy_sessions",
        "DROP TABLE SESSIONS; DROP TABLE SESSIONS_schema",
    );
    let problems = wrong_with::<K>(&store).await;
    let missing = problems
        .iter()
        .filter(|text| text.contains("there is no table"));
    assert_eq!(missing.count(), 2, "{problems:?}");
}
