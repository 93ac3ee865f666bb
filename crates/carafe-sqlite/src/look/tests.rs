//! At 200,000 rows: which index, how many rows, how right.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use rusqlite::{StatementStatus, types::Value};

use super::*;
use crate::connect;

const ROWS_IN_ALL: u64 = 200_000;
const NOW: Timestamp = Timestamp::from_unix(1_000_000);

/// One database for all tests, each in a transaction that is not committed. A plain mutex: held for one test.
struct Large(MutexGuard<'static, Connection>);

fn large() -> Large {
    static LARGE: LazyLock<Mutex<Connection>> = LazyLock::new(|| Mutex::new(filled()));
    let db = LARGE.lock().unwrap_or_else(PoisonError::into_inner);
    // Statements count their steps for as long as they are kept.
    db.flush_prepared_statement_cache();
    db.execute_batch("BEGIN").unwrap();
    Large(db)
}

impl Drop for Large {
    fn drop(&mut self) {
        self.0.execute_batch("ROLLBACK").unwrap();
    }
}

/// 200,000 sessions in no order but that of chance; every tenth is over at `NOW`.
fn filled() -> Connection {
    let db = connect::memory().unwrap();
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO sessions SELECT randomblob(32), substr('AAAAAAAAAAAAAAAA' || i, -16), 'u' || (i % 500),
        'a device', i, i / 3, i, 1000000 + (i % 10), NULL, 0, '{\"a\":1}' FROM n";
    db.execute(sql, [ROWS_IN_ALL as i64]).unwrap();
    db
}

/// How many steps of SQLite's machine the last run of `sql` took; it went through no table and sorted nothing.
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
        // Some 20 steps a row, and every tenth has expired.
        let steps = steps(db, NEWEST);
        assert!((50..50 * 40).contains(&steps), "{steps}");
        after = page.last().map(Summary::position);
    }
    // Far down, and inside of a second.
    let place = Position {
        renewed: Timestamp::from_unix(100),
        handle: Handle::parse("AAAAAAAAAAAAA301").unwrap(),
    };
    let page = newest(db, Some(place), 50, NOW).unwrap();
    assert_eq!(page[0].handle.to_string(), "AAAAAAAAAAAAA299");
    assert!(steps(db, NEWEST) < 50 * 40);

    let handle = Handle::parse("AAAAAAAAAAA17777").unwrap();
    assert!(of_handle(db, handle, NOW).unwrap().is_some());
    assert!(steps(db, BY_HANDLE) < 60);

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
    while let deleted @ 1.. = crate::remove::begun(db, until, 30).unwrap() {
        assert!(deleted <= 30);
        gone += deleted;
    }
    assert_eq!(gone, 100);
    for sql in [crate::remove::BEGUN, crate::remove::ALIASES_OF_BEGUN] {
        assert!(steps(db, sql) < 100 * 100);
    }
    assert_eq!(crate::remove::begun(db, until, 30).unwrap(), 0);
    for sql in [crate::remove::BEGUN, crate::remove::ALIASES_OF_BEGUN] {
        assert!(steps(db, sql) < 50, "{sql}");
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
        NULL, i, i, i, 1000000 + (i % 10), NULL, 0, '{}' FROM n";
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

/// A change of data is the common write, and writes one row; a new id writes what it must.
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
    use crate::change::{INSERT, TOUCH, UPDATE, UPDATE_DATA};
    let counts = [UPDATE_DATA, TOUCH, UPDATE, INSERT].map(written);
    assert_eq!(counts, [0, 1, 4, 6]);
}
