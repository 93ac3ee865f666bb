//! The operators' listing: rows read of a large table, and races with renewals.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{
        ErasedStore, ExpiredSweep, KeyState, Patched, Position, PublicId, Selection,
        SessionListing, SessionMeta, StoreError, StoreKey, UserSessions,
    },
};
use tokio::task::JoinSet;

use crate::support::{Kit, PATIENT, fixtures::*};

const THEN: Timestamp = Timestamp::from_unix(1_000_000);

fn sql<K: Kit>(table: &str, text: &str) -> String {
    K::shared().sql(&format!("{} {}", K::PLACE, text.replace("SESSIONS", table)))
}

/// Returns a store's problems, except those of the tests' server settings.
async fn wrong_with<K: Kit>(store: &K::Store) -> Vec<String> {
    let mut problems = K::health(store).await.problems;
    problems.retain(|problem| !problem.starts_with("fsync is off"));
    problems
}

/// Counts the rows that one connection reads.
///
/// Each read is repeated until Postgres switches to a generic plan, which does not depend on the
/// values.
struct Counted<'s, K: Kit> {
    store: &'s K::Store,
    table: &'static str,
}

impl<K: Kit> Counted<'_, K> {
    /// Runs `look` eight times; each run may read at most `most` rows and index entries.
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
    sql::<K>(TABLE, K::ANALYZE);
    let counted = Counted::<K> {
        store,
        table: TABLE,
    };
    few_for_a_page(&counted).await;
    few_for_a_session(&counted).await;
    few_for_one_or_a_part(&counted).await;
    few_for_a_sample::<K>(TABLE).await;
    few_for_an_end(&counted).await;
    few_for_a_user_with_many(&counted).await;
}

/// Lists and deletions read few rows even before the statistics include the sessions.
///
/// A table that fills quickly gets new statistics only after seconds or minutes.
pub(crate) async fn a_look_reads_few_before_there_are_statistics<K: Kit>() {
    const TABLE: &str = "filling_sessions";
    let store = &K::store(K::shared().port, TABLE, 1, PATIENT).await;
    sql::<K>(TABLE, K::KEEP_STATISTICS);
    sql::<K>(TABLE, K::ANALYZE);
    sql::<K>(TABLE, K::FILL_MANY);
    let counted = Counted::<K> {
        store,
        table: TABLE,
    };
    few_for_a_page(&counted).await;
    few_for_a_session(&counted).await;
    few_for_an_end(&counted).await;
    few_for_a_user_with_many(&counted).await;
}

async fn few_for_a_page<K: Kit>(counted: &Counted<'_, K>) {
    let store = counted.store;
    // An index entry and a row each, and every tenth is expired. In MySQL, reading the counters
    // counts too.
    let pages = 2 * 50 * 10 / 9 + 200;
    counted
        .at_most(pages, "the first page", async || {
            let page = store.list(None, 50, THEN).await.expect("newest works");
            assert_eq!(page.len(), 50);
        })
        .await;
    let page = store.list(None, 50, THEN).await.expect("newest works");
    let middle = Position {
        renewed: Timestamp::from_unix(33_333),
        public_id: PublicId::from_bytes([0x80; 12]),
    };
    for after in [page.last().expect("it is full").position(), middle] {
        counted
            .at_most(pages, "a page", async || {
                let next = store.list(Some(after), 50, THEN).await;
                let next = next.expect("newest works");
                assert_eq!(next.len(), 50);
                assert!(
                    next.iter()
                        .map(SessionMeta::position)
                        .is_sorted_by(|a, b| a > b)
                );
                assert!(next[0].position() < after);
            })
            .await;
    }
}

async fn few_for_one_or_a_part<K: Kit>(counted: &Counted<'_, K>) {
    let store = counted.store;
    let page = store.list(None, 1, THEN).await.expect("newest works");
    let name = page[0].public_id;
    counted
        .at_most(200, "a handle", async || {
            let found = store.find(name, THEN).await.expect("find works");
            assert_eq!(found.expect("it is there").meta.public_id, name);
        })
        .await;
    counted
        .at_most(300, "a walk", async || {
            let batch = store.scan(None, 50).await.expect("walk works");
            assert!(batch.records.len() == 50 && batch.next.is_some());
        })
        .await;
}

/// A sample reads few rows on every connection.
///
/// Postgres plans the first five runs on a connection for their values, so many connections are
/// tried.
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

/// Each statement for one key reads few rows, whether the session exists or not.
async fn few_for_a_session<K: Kit>(counted: &Counted<'_, K>) {
    let (store, key, none) = (counted.store, StoreKey::of_id("777"), key());
    let found = store.load(&key, THEN).await.expect("load works");
    let base = found
        .into_record()
        .expect("its key is the hash of its number");
    counted
        .at_most(200, "a session", async || {
            let found = store.load(&key, THEN).await.expect("load works");
            assert!(found.record().is_some());
            assert!(
                store
                    .touch(&key, &used(THEN, THEN))
                    .await
                    .expect("touch works")
            );
            // Except for the first run, the base is outdated, so the change is applied under a
            // lock.
            let patched = store.patch(&key, &base, &set("a", "1"), THEN).await;
            applied(patched.expect("patch works"));
        })
        .await;
    counted
        .at_most(200, "no session", async || {
            assert!(is_absent(store, &none).await);
            assert!(
                !store
                    .touch(&none, &used(THEN, THEN))
                    .await
                    .expect("touch works")
            );
            let patched = store.patch(&none, &base, &set("a", "1"), THEN).await;
            assert!(matches!(patched, Ok(Patched::Gone)));
            assert!(!store.delete(&none, THEN).await.expect("delete works"));
        })
        .await;
}

/// Deletes some sessions, then none, reading few rows in a table with many others.
async fn few_for_an_end<K: Kit>(counted: &Counted<'_, K>) {
    let store = counted.store;
    let until = Timestamp::from_unix(100);
    counted
        .at_most(600, "an end", async || {
            store
                .delete_created_before(until, 20, THEN)
                .await
                .expect("delete_created_before works")
        })
        .await;
    assert_eq!(
        store
            .delete_created_before(until, 20, THEN)
            .await
            .expect("it works"),
        0
    );
    let left = sql::<K>(
        counted.table,
        "SELECT COUNT(*) FROM SESSIONS WHERE target IS NULL",
    );
    assert_eq!(left.trim(), "199900");
}

/// Operations on a user with many sessions read few rows.
///
/// These are pages, bounded deletions and log-ins over the limit, even if the planner's statistics
/// are from a time when the user had none.
async fn few_for_a_user_with_many<K: Kit>(counted: &Counted<'_, K>) {
    let store = counted.store;
    sql::<K>(
        counted.table,
        "UPDATE SESSIONS SET user_id = 'zoe' WHERE target IS NULL",
    );
    let (mut after, pages) = (None, 2 * 50 * 10 / 9 + 200);
    counted
        .at_most(pages, "a page of a user", async || {
            let page = store.list_by_user("zoe", None, 50, THEN).await;
            assert_eq!(page.expect("of_user works").len(), 50);
        })
        .await;
    let middle = Position {
        renewed: Timestamp::from_unix(33_333),
        public_id: PublicId::from_bytes([0x80; 12]),
    };
    counted
        .at_most(pages, "a later page of a user", async || {
            let page = store.list_by_user("zoe", Some(middle), 50, THEN).await;
            let page = page.expect("of_user works");
            assert_eq!(page.len(), 50);
            assert!(page[0].position() < middle);
        })
        .await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let page = store.list_by_user("zoe", after, 50, THEN).await;
        seen.extend(page.expect("of_user works"));
        after = seen.last().map(SessionMeta::position);
    }
    assert!(
        seen.iter()
            .map(SessionMeta::position)
            .is_sorted_by(|a, b| a > b)
    );
    let own = seen[0].public_id;
    counted
        .at_most(500, "a trim of a user with many", async || {
            let ended = store.trim("zoe", 10, own, 5, THEN).await;
            assert_eq!(ended.expect("trim works"), 5);
        })
        .await;
    counted
        .at_most(50, "a trim of a user with none", async || {
            let ended = store.trim("bob", 1_000, own, 5, THEN).await;
            assert_eq!(ended.expect("trim works"), 0);
        })
        .await;
    for which in [Selection::All, Selection::AllBut(own)] {
        counted
            // Includes the dead index entries of the previous steps.
            .at_most(1_200, "a step of the end of a user", async || {
                let ended = store.delete_by_user("zoe", which, 50, THEN).await;
                assert_eq!(ended.expect("delete_by_user works"), 50);
            })
            .await;
    }
    let gone = store.find(own, THEN).await.expect("find works");
    assert!(gone.is_none(), "the newest go first");
    let last = seen.last().expect("150 were seen").public_id;
    let one = store
        .delete_by_user("zoe", Selection::Only(last), 50, THEN)
        .await;
    assert_eq!(one.expect("delete_by_user works"), 0);
    counted
        .at_most(1_200, "a step of the end of many", async || {
            let until = Timestamp::from_unix(150_000);
            let ended = store.delete_created_before(until, 50, THEN).await;
            assert_eq!(ended.expect("delete_created_before works"), 50);
        })
        .await;
    counted
        .at_most(100, "the end of one that is not there", async || {
            let which = Selection::Only(last);
            let none = store.delete_by_user("zoe", which, 50, THEN).await;
            assert_eq!(none.expect("delete_by_user works"), 0);
        })
        .await;
}

pub(crate) async fn the_number_of_sessions_is_estimated<K: Kit>() {
    const TABLE: &str = "estimated_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    sql::<K>(TABLE, K::FILL_MANY);
    sql::<K>(TABLE, K::ANALYZE);
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

/// Deletion by public id succeeds even while the session is being renewed.
pub(crate) async fn a_renewal_does_not_escape_its_handle<K: Kit>() {
    let store = K::store(K::shared().port, "handle_sessions", 8, PATIENT).await;
    for round in 0..200 {
        let (from, to) = (filed(&store, &record("{}")).await, key());
        let base = loaded(&store, &from).await;
        let (patch, rotation) = (Patch::default(), rotation(round % 2 == 0));
        let renewed = store.rotate(&from, &to, &base, &patch, rotation, NOW);
        let (renewed, deleted) =
            tokio::join!(renewed, store.delete_by_public_id(base.meta.public_id, NOW));
        let renewed = matches!(renewed.expect("rotate works"), Patched::Applied(_));
        assert!(
            deleted.expect("delete_by_public_id works"),
            "renewed: {renewed}"
        );
        assert!(is_absent(&store, &from).await && is_absent(&store, &to).await);
    }
}

/// All sessions created by now are deleted while their ids are renewed as fast as possible.
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
            match store.delete_created_before(NOW, 3, NOW).await {
                Ok(0) => break,
                Ok(count) => ended += count,
                // The deletion has lost too many races, reports it, and is retried.
                Err(StoreError::Conflict) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(ended, 8);
        // No session is left: each renewal finds nothing and returns.
        let page = store.list(None, 10, NOW).await.expect("newest works");
        assert!(page.is_empty(), "{page:?}");
        renewals.join_all().await;
    }
}

async fn renew_for_ever(store: &dyn ErasedStore, mut from: StoreKey, alias: bool) {
    loop {
        let state = store.load(&from, NOW).await.expect("load works");
        let Some(base) = state.into_record() else {
            return;
        };
        let (to, patch) = (key(), Patch::default());
        match store
            .rotate(&from, &to, &base, &patch, rotation(alias), NOW)
            .await
        {
            Ok(Patched::Applied(_)) => from = to,
            Ok(Patched::Gone) => return,
            Err(StoreError::Conflict) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// Lists skip the row unless they need no damaged column; a scan reports the row.
pub(crate) async fn operators_see_past_a_damaged_row<K: Kit>() {
    const TABLE: &str = "skipped_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    sql::<K>(TABLE, K::UNCHECKED);
    for (damage, readable) in [("data = '{\"a\":'", true), ("version = -1", false)] {
        sql::<K>(TABLE, "DELETE FROM SESSIONS");
        let mut whole = record("{}");
        whole.meta.user = Some("zoe".to_owned());
        let damaged = filed(&store, &whole).await;
        for second in [-1, 1] {
            let mut sound = record("{}");
            sound.meta.user = Some("zoe".to_owned());
            sound.meta.renewed = NOW.saturating_add(second);
            filed(&store, &sound).await;
        }
        let row = K::bytes(&hex(&damaged));
        sql::<K>(
            TABLE,
            &format!("UPDATE SESSIONS SET {damage} WHERE store_key = {row}"),
        );
        let before = sql::<K>(TABLE, "SELECT * FROM SESSIONS ORDER BY store_key");
        let seen = if readable { 3 } else { 2 };
        let listed = store
            .list_by_user("zoe", None, 10, NOW)
            .await
            .expect("of_user works");
        assert_eq!(listed.len(), seen, "{damage}");
        for limit in [2, 10] {
            let page = store.list(None, limit, NOW).await.expect("newest works");
            assert_eq!(page.len(), seen.min(limit), "{damage}");
        }
        let sample = store.sample(10, NOW).await.expect("sample works");
        assert_eq!((sample.total, sample.exact), (seen as u64, true));
        let walked = store.scan(None, 10).await.expect("walk works").records;
        assert_eq!(walked.len(), 3);
        for (at, record) in walked {
            assert_eq!(record.is_err(), at == damaged, "{damage}");
        }
        let found = store.find(whole.meta.public_id, NOW).await;
        assert!(matches!(found, Err(StoreError::Corrupt(_))));
        let after = sql::<K>(TABLE, "SELECT * FROM SESSIONS ORDER BY store_key");
        assert_eq!(after, before, "{damage}");
        assert_eq!(
            store
                .delete_created_before(NOW, 10, NOW)
                .await
                .expect("it works"),
            3
        );
    }
}

/// Former keys are in no list, page, sample or scan, and are retired with their session.
///
/// They share the sessions' table.
pub(crate) async fn former_keys_are_no_sessions<K: Kit>() {
    const TABLE: &str = "alias_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    let mut from = filed(&store, &record("{}")).await;
    let mut former = Vec::new();
    let base = loaded(&store, &from).await;
    for _ in 0..3 {
        let to = key();
        let patch = Patch::default();
        let rotated = store
            .rotate(&from, &to, &base, &patch, renewal(), NOW)
            .await;
        applied(rotated.expect("rotate works"));
        former.push(from);
        from = to;
    }
    let count = || {
        sql::<K>(TABLE, "SELECT COUNT(*) FROM SESSIONS")
            .trim()
            .to_owned()
    };
    assert_eq!(count(), "4");
    assert_eq!(
        store.list(None, 10, NOW).await.expect("newest works").len(),
        1
    );
    let sample = store.sample(10, NOW).await.expect("sample works");
    assert_eq!(
        (sample.sessions.len(), sample.total, sample.exact),
        (1, 1, true)
    );
    let (mut after, mut walked) = (None, Vec::new());
    loop {
        let batch = store.scan(after.as_ref(), 1).await.expect("walk works");
        walked.extend(batch.records.into_iter().map(|(key, _)| key));
        match batch.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(walked, [from]);
    let deleted = store.delete_by_public_id(base.meta.public_id, NOW).await;
    assert!(deleted.expect("it works"));
    for key in former.iter().chain([&from]) {
        assert!(is_retired(&store, key).await);
    }
    let page = store.list(None, 10, NOW).await.expect("newest works");
    assert!(page.is_empty());
    let sample = store.sample(10, NOW).await.expect("sample works");
    assert_eq!((sample.total, sample.exact), (0, true));
    let walked = store.scan(None, 10).await.expect("walk works");
    assert!(walked.records.is_empty());
    assert_eq!(store.sweep(10, LATER).await.expect("sweep works"), 4);
    assert_eq!(count(), "0");
}

/// A table that lacks indices, such as one from an older version, is reported and repaired.
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
    // Runs the migration.
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    assert_eq!(sql::<K>(TABLE, K::INDICES), whole);
    assert!(wrong_with::<K>(&store).await.is_empty());
    loaded(&store, &key).await;
}

/// Health reports a table of version 1.
///
/// After its migration, the table has its sessions and all objects of a new one.
pub(crate) async fn a_table_of_version_1_is_upgraded<K: Kit>() {
    const TABLE: &str = "upgraded_sessions";
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    let whole = sql::<K>(TABLE, K::INDICES);
    sql::<K>(
        TABLE,
        "DROP TABLE SESSIONS; DROP TABLE SESSIONS_sweep; DROP TABLE SESSIONS_schema",
    );
    sql::<K>(TABLE, K::VERSION_1);
    let problems = wrong_with::<K>(&store).await;
    assert!(
        problems
            .iter()
            .any(|problem| problem.contains("version `1`") && problem.contains("migrate")),
        "{problems:?}"
    );
    let [own, old] = [[1; 32], [2; 32]].map(StoreKey::from_bytes);
    assert!(store.load(&own, NOW).await.is_err());

    // The first iteration migrates, the second has nothing to do.
    for _ in 0..2 {
        drop(K::store(K::shared().port, TABLE, 1, PATIENT).await);
    }
    let store = K::store(K::shared().port, TABLE, 1, PATIENT).await;
    assert_eq!(sql::<K>(TABLE, K::INDICES), whole);
    assert!(wrong_with::<K>(&store).await.is_empty());
    let base = loaded(&store, &own).await;
    assert_eq!(
        (
            base.meta.user.as_deref(),
            base.data.text_of("a"),
            base.meta.renewal
        ),
        (Some("zoe"), Some("1"), None)
    );
    let state = store.load(&old, NOW).await.expect("load works");
    assert!(matches!(state, KeyState::Moved(_)), "{state:?}");
    let patched = store.patch(&own, &base, &set("b", "2"), NOW).await;
    let base = applied(patched.expect("patch works"));
    let new = key();
    let patch = Patch::default();
    let rotated = store
        .rotate(&own, &new, &base, &patch, renewal(), NOW)
        .await;
    assert!(
        applied(rotated.expect("rotate works"))
            .meta
            .renewal
            .is_some()
    );
    let listed = store.list_by_user("zoe", None, 10, NOW).await;
    assert_eq!(listed.expect("of_user works").len(), 1);
    assert!(store.delete(&old, NOW).await.expect("delete works"));
    for key in [&old, &own, &new] {
        assert!(is_retired(&store, key).await);
    }
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
        "schema: version 2, expected 2\n",
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
