//! tower-sessions' SQLite store in a separate process: one line in, one line out.
//!
//! `carafe-bench-sqlx FILE default|wal CONNECTIONS SESSIONS` creates a file with sessions and
//! prints "ready". Then "load COUNT" loads COUNT sessions, one after another, and prints the
//! nanoseconds of wall time and of this process's CPU time. "save TASKS COUNT" starts TASKS tasks
//! that save COUNT times each, and prints the nanoseconds of wall time and the number of failed
//! saves.

use std::{
    io::BufRead,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use time::OffsetDateTime;
use tokio::runtime::Runtime;
use tower_sessions_core::{
    SessionStore,
    session::{Id, Record},
};
use tower_sessions_sqlx_store::{
    SqliteStore,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, mode, connections, sessions] = &arguments[..] else {
        return Err("carafe-bench-sqlx FILE default|wal CONNECTIONS SESSIONS".into());
    };
    let runtime = Runtime::new()?;
    let store = runtime.block_on(open(file, mode, connections.parse()?))?;
    let records = runtime.block_on(filled(&store, sessions.parse()?))?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["load", count] => load(&runtime, &store, &records, count.parse()?)?,
            ["save", tasks, count] => {
                save(&runtime, &store, &records[..tasks.parse()?], count.parse()?)?;
            }
            _ => return Err(format!("what is {line:?}?").into()),
        }
    }
    Ok(())
}

/// Opens the store.
///
/// `default` keeps the pool's defaults; `wal` is as durable, and SQLite's fastest configuration
/// with that durability.
async fn open(file: &str, mode: &str, connections: u32) -> Outcome<SqliteStore> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true);
    let options = match mode {
        "default" => options,
        "wal" => options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full),
        _ => return Err(format!("what is {mode:?}?").into()),
    };
    let pool = SqlitePoolOptions::new().max_connections(connections);
    let store = SqliteStore::new(pool.connect_with(options).await?);
    store.migrate().await?;
    Ok(store)
}

/// Creates sessions like those of most requests.
async fn filled(store: &SqliteStore, sessions: u64) -> Outcome<Vec<Record>> {
    let mut records = Vec::new();
    for browser in 0..sessions {
        let mut record = Record {
            id: Id::default(),
            data: [
                ("csrf".to_owned(), json!(format!("{browser:046x}"))),
                ("n".to_owned(), json!(7)),
                ("name".to_owned(), json!("alice")),
                ("uid".to_owned(), json!(12_345)),
            ]
            .into(),
            expiry_date: OffsetDateTime::now_utc() + Duration::from_secs(14 * 24 * 3600),
        };
        store.create(&mut record).await?;
        records.push(record);
    }
    Ok(records)
}

fn load(runtime: &Runtime, store: &SqliteStore, records: &[Record], count: usize) -> Outcome {
    let (start, cpu) = (Instant::now(), cpu_nanoseconds());
    runtime.block_on(async {
        for number in 0..count {
            // A stride, so that consecutive loads are not adjacent in the file.
            let record = &records[number * 7919 % records.len()];
            let found = store.load(&record.id).await?;
            found.ok_or("a session is not there")?;
        }
        Outcome::Ok(())
    })?;
    println!("{} {}", start.elapsed().as_nanos(), cpu_nanoseconds() - cpu);
    Ok(())
}

fn save(runtime: &Runtime, store: &SqliteStore, records: &[Record], count: u64) -> Outcome {
    let start = Instant::now();
    let tasks: Vec<_> = records
        .iter()
        .map(|record| runtime.spawn(saves(store.clone(), record.clone(), count)))
        .collect();
    let mut failed = 0;
    for task in tasks {
        failed += runtime.block_on(task)?;
    }
    println!("{} {failed}", start.elapsed().as_nanos());
    Ok(())
}

/// Saves a session repeatedly and returns the number of failed saves.
///
/// The content is new every time, because SQLite does not write unchanged content.
async fn saves(store: SqliteStore, mut record: Record, count: u64) -> u64 {
    let start = OffsetDateTime::now_utc().unix_timestamp_nanos() as u64;
    let mut failed = 0;
    for number in 0..count {
        record.data.insert("n".to_owned(), json!(start + number));
        failed += u64::from(store.save(&record).await.is_err());
    }
    failed
}

fn cpu_nanoseconds() -> i64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
