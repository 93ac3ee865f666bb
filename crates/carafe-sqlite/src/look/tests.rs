//! Index use, number of rows read and accuracy at 200,000 rows.

use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use carafe_core::store::Selection;
use rusqlite::{StatementStatus, types::Value};

use super::*;
use crate::{
    connect,
    find::{self, BY_USER},
    remove,
};

const ROWS_IN_ALL: u64 = 200_000;
const NOW: Timestamp = Timestamp::from_unix(1_000_000);

/// The database shared by all tests, each in a transaction that is rolled back.
struct Large(MutexGuard<'static, Connection>);

fn large() -> Large {
    static LARGE: LazyLock<Mutex<Connection>> = LazyLock::new(|| Mutex::new(filled()));
    let db = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    // A statement's counters accumulate while it is cached.
    db.flush_prepared_statement_cache();
    db.execute_batch("BEGIN").unwrap();
    Large(db)
}

impl Drop for Large {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

/// Creates 200,000 sessions in random key order; every tenth has expired at `NOW`.
fn filled() -> Connection {
    let db = connect::memory().unwrap();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO sessions SELECT randomblob(32), substr('AAAAAAAAAAAAAAAA' || i, -16), 'u' || (i % 500),
        'a device', i, i / 3, i, 1000000 + (i % 10), NULL, 0, NULL, '{\"a\":1}' FROM n";
    db.execute(sql, [ROWS_IN_ALL as i64]).unwrap();
    db
}

/// Returns the VM steps of the last run of `sql`, which must neither scan a table nor sort.
fn steps(db: &Connection, sql: &str) -> i32 {
    let statement = db.prepare_cached(sql).unwrap();
    for never in [StatementStatus::FullscanStep, StatementStatus::Sort] {
        assert_eq!(statement.get_status(never), 0, "{sql}");
    }
    statement.reset_status(StatementStatus::VmStep)
}

#[test]
fn a_look_reads_few_of_many_rows() {
    let large = large();
    let db = &*large.0;
    let mut after = None;
    for _ in 0..4 {
        let page = newest(db, after, 50, NOW).unwrap();
        assert_eq!(page.len(), 50);
        // Some 20 steps per row, and every tenth row has expired.
        let steps = steps(db, NEWEST);
        assert!((50..50 * 40).contains(&steps), "{steps}");
        after = page.last().map(SessionMeta::position);
    }
    // A position far down the list, in the middle of one second.
    let place = Position {
        renewed: Timestamp::from_unix(100),
        public_id: "AAAAAAAAAAAAA301".parse().unwrap(),
    };
    let page = newest(db, Some(place), 50, NOW).unwrap();
    assert_eq!(page[0].public_id.to_string(), "AAAAAAAAAAAAA299");
    assert!(steps(db, NEWEST) < 50 * 40);
}

/// Expired sessions that were not swept are newer than all live ones.
#[test]
fn a_page_of_few_live_sessions_looks_at_few_of_many_expired_ones() {
    let large = large();
    let db = &*large.0;
    let expire = "UPDATE sessions SET user = 'everyone', expires = 1 WHERE created > 100";
    db.execute(expire, []).unwrap();
    let live = 90;
    db.execute("UPDATE sessions SET user = 'everyone'", [])
        .unwrap();
    let bounded = |scan| {
        assert!(steps(db, scan) < 40 * (SCANNED as i32 + 50), "{scan}");
        // Only the rows from the index on `expires` are sorted in memory.
        assert!(steps(db, LIVE) < 40 * live, "{LIVE}");
    };
    let mut listed = Vec::new();
    loop {
        let after = listed.last().map(SessionMeta::position);
        let page = newest(db, after, 50, NOW).unwrap();
        bounded(NEWEST);
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert_eq!(listed.len(), usize::try_from(live).unwrap());
    assert!(listed.is_sorted_by(|a, b| in_text_order(a) > in_text_order(b)));
    let start = StoreKey::from_bytes([0x10; 32]);
    let all = sample(db, &start, 2_000, NOW).unwrap();
    assert_eq!((all.total, all.exact, all.sessions.len()), (90, true, 90));
    let part = sample(db, &start, 20, NOW).unwrap();
    assert_eq!(
        (part.total, part.exact, part.sessions.len()),
        (90, false, 20)
    );
    assert!(steps(db, ROWS[0]) < 40 * 2_512 && steps(db, LIVE) < 40 * 2 * live);
    let of_user = find::of_user(db, "everyone", None, 50, NOW).unwrap();
    let handles =
        |list: &[SessionMeta]| list.iter().map(|one| one.public_id).collect::<HashSet<_>>();
    assert_eq!(handles(&of_user), handles(&listed[..50]));
    assert!(
        find::of_user(db, "absent", None, 50, NOW)
            .unwrap()
            .is_empty()
    );
}

/// One user has all sessions, all renewed in the same second.
#[test]
fn the_list_of_a_user_reads_few_of_many_rows() {
    let large = large();
    let db = &*large.0;
    for (change, name) in [("renewed = 7", "u7"), ("user = 'everyone'", "everyone")] {
        db.execute(&format!("UPDATE sessions SET {change}"), [])
            .unwrap();
        db.flush_prepared_statement_cache();
        let list = find::of_user(db, name, None, 200, NOW).unwrap();
        assert_eq!(list.len(), 200);
        assert!(list.is_sorted_by(|a, b| in_text_order(a) > in_text_order(b)));
        assert!(steps(db, BY_USER) < 200 * 40);
        let page = newest(db, None, 50, NOW).unwrap();
        assert_eq!(page.len(), 50);
        assert!(steps(db, NEWEST) < 50 * 40);
    }
}

#[test]
fn one_or_a_part_is_found_among_many_rows() {
    let large = large();
    let db = &*large.0;
    let public_id = "AAAAAAAAAAA17777".parse::<PublicId>().unwrap();
    assert!(find(db, public_id, NOW).unwrap().is_some());
    assert!(steps(db, BY_PUBLIC_ID) < 60);

    assert_eq!(walk(db, None, 50).unwrap().records.len(), 50);
    assert!(steps(db, WALK) < 50 * 40);

    let start = StoreKey::from_bytes([0x10; 32]);
    assert_eq!(sample(db, &start, 50, NOW).unwrap().sessions.len(), 50);
    assert!(steps(db, ROWS[0]) < 512 * 40);
    assert!(steps(db, KEYS[0]) < 4_096 * 20);
}

#[test]
fn deleting_the_oldest_looks_at_no_other() {
    let large = large();
    let db = &*large.0;
    let until = Timestamp::from_unix(100);
    let mut gone = 0;
    while let deleted @ 1.. = remove::begun(db, until, 30, NOW).unwrap() {
        assert!(deleted <= 30);
        gone += deleted;
    }
    assert_eq!(gone, 100);
    few_steps(db, &remove::BEGUN, 100 * 100);
    assert_eq!(remove::begun(db, until, 30, NOW).unwrap(), 0);
    for sql in [remove::BEGUN.pointers, remove::BEGUN.markers] {
        assert!(steps(db, sql) < 50, "{sql}");
    }
}

/// Operations on a user with 200,000 sessions read few rows.
///
/// These are a page, a bounded deletion and a log-in over the limit.
#[test]
fn a_user_with_many_sessions_costs_no_more_than_asked_for() {
    let large = large();
    let db = &*large.0;
    db.execute_batch(
        "UPDATE sessions SET user = 'zoe'; UPDATE sessions SET renewed = 0 WHERE created > 100000",
    )
    .unwrap();
    let (mut after, mut seen) = (None, Vec::new());
    for _ in 0..3 {
        let page = find::of_user(db, "zoe", after, 50, NOW).unwrap();
        assert_eq!(page.len(), 50);
        assert!(steps(db, find::BY_USER) < 50 * 40);
        after = page.last().map(SessionMeta::position);
        seen.extend(page);
    }
    assert!(seen.is_sorted_by(|a, b| a.position() > b.position()));

    let (newest, spared) = (seen[0].public_id, Selection::AllBut(seen[1].public_id));
    assert_eq!(remove::of_user(db, "zoe", spared, 1, NOW).unwrap(), 1);
    assert!(find(db, newest, NOW).unwrap().is_none());
    for which in [Selection::All, spared] {
        assert_eq!(remove::of_user(db, "zoe", which, 500, NOW).unwrap(), 100);
        few_steps(db, &remove::BY_USER, 100 * 100);
    }
    assert_eq!(
        remove::of_user(db, "zoe", Selection::Only(newest), 500, NOW).unwrap(),
        0
    );
    assert!(steps(db, remove::BY_PUBLIC_ID.markers) < 50);

    let oldest = "SELECT count(*) FROM sessions WHERE renewed = 0";
    let oldest = || -> i64 { db.query_row(oldest, [], |row| row.get(0)).unwrap() };
    // The first public id of that second, which sorts as the last one.
    let (before, own) = (oldest(), "AAAAAAAAAA100001".parse::<PublicId>().unwrap());
    assert_eq!(remove::surplus(db, "zoe", 100, own, 50, NOW).unwrap(), 50);
    assert_eq!(oldest(), before - 50);
    assert!(find(db, own, NOW).unwrap().is_some());
    assert!(steps(db, find::COUNT_BY_USER) < 150 * 40);
    for sql in [
        remove::OLDEST_BY_USER.pointers,
        remove::OLDEST_BY_USER.markers,
        remove::OLDEST_BY_USER.sessions,
    ] {
        // The statement sorts only the few rows it has found.
        let statement = db.prepare_cached(sql).unwrap();
        assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0);
        let steps = statement.get_status(StatementStatus::VmStep);
        assert!((50..50 * 200).contains(&steps), "{steps}: {sql}");
    }
}

/// A log-in of a user with few sessions reads only these sessions and writes nothing.
#[test]
fn a_trim_of_few_sessions_is_one_small_look() {
    let large = large();
    let db = &*large.0;
    let (own, changes) = (PublicId::from_bytes([0; 12]), db.total_changes());
    // 400 sessions, of which every tenth has expired.
    assert_eq!(remove::surplus(db, "u7", 400, own, 50, NOW).unwrap(), 0);
    assert!(steps(db, find::COUNT_BY_USER) < 400 * 40);
    assert_eq!(db.total_changes(), changes);
}

/// Asserts the step count of each statement, none of which sorts or scans a table.
fn few_steps(db: &Connection, retire: &remove::Retire, most: i32) {
    for sql in [retire.pointers, retire.markers, retire.sessions] {
        let steps = steps(db, sql);
        assert!(steps < most, "{steps}: {sql}");
    }
}

#[test]
fn the_number_of_sessions_is_estimated() {
    let large = large();
    let db = &*large.0;
    let mut totals = Vec::new();
    for first in (0..=255).step_by(15) {
        let start = StoreKey::from_bytes([first; 32]);
        let sample = sample(db, &start, 10, NOW).unwrap();
        assert!(!sample.exact && sample.sessions.len() == 10);
        totals.push(sample.total);
    }
    totals.sort_unstable();
    let (middle, live) = (totals[totals.len() / 2], ROWS_IN_ALL * 9 / 10);
    assert!(middle.abs_diff(live) < live / 20, "{totals:?}");
    // Ten standard deviations.
    assert!(totals.iter().all(|total| total.abs_diff(live) < live / 4));
}

#[test]
fn few_are_counted_exactly_wherever_the_look_begins() {
    let db = connect::memory().unwrap();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600)
        INSERT INTO sessions SELECT randomblob(32), substr('AAAAAAAAAAAAAAAA' || i, -16), NULL,
        NULL, i, i, i, 1000000 + (i % 10), NULL, 0, NULL, '{}' FROM n";
    db.execute(sql, []).unwrap();
    for first in [0, 77, 128, 255] {
        let start = StoreKey::from_bytes([first; 32]);
        let all = sample(&db, &start, 600, NOW).unwrap();
        assert_eq!((all.sessions.len(), all.total, all.exact), (540, 540, true));
        let part = sample(&db, &start, 3, NOW).unwrap();
        assert_eq!((part.sessions.len(), part.exact), (3, false));
        assert!(part.total.abs_diff(540) < 60, "{}", part.total);
    }
}

#[test]
fn a_page_is_full_although_rows_cannot_be_read() {
    let large = large();
    let db = &*large.0;
    let damage = "UPDATE sessions SET handle = 'x' WHERE created > 199980";
    assert_eq!(db.execute(damage, []).unwrap(), 20);
    let page = newest(db, None, 50, NOW).unwrap();
    assert_eq!(page.len(), 50);
    assert!(page.iter().all(|session| session.created.unix() <= 199_980));
}

/// A change of data, the most frequent write, writes one row and no index.
#[test]
fn a_change_of_data_writes_no_index() {
    let db = connect::memory().unwrap();
    let written = |sql: &str| {
        let mut statement = db.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let values = vec![Value::Null; statement.parameter_count()];
        let mut rows = statement.query(rusqlite::params_from_iter(values)).unwrap();
        let mut count = 0;
        while let Some(row) = rows.next().unwrap() {
            count += usize::from(row.get::<_, String>(1).unwrap() == "IdxInsert");
        }
        count
    };
    use crate::change::{INSERT, TOUCH, TOUCH_WITHIN, UPDATE, UPDATE_DATA};
    let counts = [UPDATE_DATA, TOUCH_WITHIN, TOUCH, UPDATE, INSERT].map(written);
    assert_eq!(counts, [0, 0, 1, 4, 6]);
}
