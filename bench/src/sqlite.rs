//! Family 6: sessions in an SQLite file.
//!
//! Sequential loads, compared with reading the same row by a prepared statement; and concurrent
//! durable saves, in wall time because they wait for the disk. The files are next to the build, and
//! therefore on a real disk.

use std::{
    fs::{self, File},
    hint::black_box,
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use carafe::{
    SessionStore, Timestamp,
    store::{Patched, PublicId, Record, SessionMeta, StoreKey},
};
use carafe_core::session::{Patch, SessionData};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use rusqlite::{Connection, OpenFlags, config::DbConfig, params};
use tokio::runtime::Runtime;

use crate::{
    content::Login,
    harness::{Candidate, Candidates, Measured, Outcome, Table, measure, median},
    peers::sqlx::{Pool, Sqlx},
};

const SESSIONS: usize = 2_000;
/// Rounds of loads per round of saves, because loads are short.
const LOADS: usize = 7;
const IN_FLIGHT: usize = 64;
/// Saves of each session in one round.
const SAVES: usize = 16;

const RAW: &str = "rusqlite, one prepared `SELECT`";
const OURS: &str = "**Carafe**";
const CPU: &str = "CPU time";
const WALL: &str = "wall clock";

/// The configurations of the peer.
///
/// The defaults, and Carafe's durability with most and with fewest connections.
const POOLS: [(&str, Pool); 3] = [
    (
        "tower-sessions, as it comes",
        Pool {
            mode: "default",
            connections: 10,
        },
    ),
    (
        "tower-sessions, WAL and FULL",
        Pool {
            mode: "wal",
            connections: 10,
        },
    ),
    (
        "tower-sessions, WAL and FULL, 1 connection",
        Pool {
            mode: "wal",
            connections: 1,
        },
    ),
];

/// A session of Carafe, as a request has it after loading.
#[derive(Clone)]
struct Session {
    key: StoreKey,
    record: Record,
}

/// All candidates, each with a file of sessions.
struct Stores {
    runtime: Rc<Runtime>,
    ours: Arc<SqliteStore>,
    sessions: Rc<[Session]>,
    file: PathBuf,
    peers: Vec<(&'static str, Sqlx)>,
}

pub(crate) fn run(rounds: usize) -> Outcome {
    println!("\n## Sessions in an SQLite file");
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
    fs::create_dir_all(&target)?;
    let folder = tempfile::tempdir_in(target)?;
    println!("\n{}", disk(folder.path())?);
    let stores = Stores::open(folder.path())?;
    report_loads(&measure(stores.loads()?, rounds * LOADS)?);
    stores.report_saves(rounds)
}

impl Stores {
    fn open(folder: &Path) -> Outcome<Self> {
        let (file, runtime) = (folder.join("ours.db"), Runtime::new()?);
        let ours = SqliteStore::open(&file, SqliteOptions::default().migrate(true))?;
        let sessions = runtime.block_on(filled(&ours))?;
        let peers = POOLS.iter().enumerate().map(|(number, (name, pool))| {
            let file = folder.join(format!("peer{number}.db"));
            Ok((*name, Sqlx::start(&file, *pool, SESSIONS)?))
        });
        Ok(Self {
            peers: peers.collect::<Outcome<_>>()?,
            runtime: Rc::new(runtime),
            ours: Arc::new(ours),
            sessions: sessions.into(),
            file,
        })
    }

    fn loads(&self) -> Outcome<Candidates> {
        let mut all = Candidates::new();
        all.extend(on_both_clocks(RAW, self.raw_load()?));
        all.extend(on_both_clocks(OURS, self.our_load()));
        for (name, sqlx) in &self.peers {
            let (one, two) = (sqlx.clone(), sqlx.clone());
            all.push(Candidate::told(name, CPU, move |count| {
                Ok(one.load(count)?.1)
            }));
            all.push(Candidate::told(name, WALL, move |count| {
                Ok(two.load(count)?.0)
            }));
        }
        Ok(all)
    }

    fn our_load(&self) -> impl Fn(Range<usize>) + 'static {
        let (runtime, store) = (Rc::clone(&self.runtime), Arc::clone(&self.ours));
        let sessions = Rc::clone(&self.sessions);
        move |numbers| {
            runtime.block_on(async {
                for number in numbers {
                    let found = store
                        .load(&at(&sessions, number).key, Timestamp::now())
                        .await;
                    black_box(
                        found
                            .expect("the store works")
                            .into_record()
                            .expect("the session is there"),
                    );
                }
            });
        }
    }

    /// Reads the same row with the same settings, and returns only its text.
    fn raw_load(&self) -> Outcome<impl Fn(Range<usize>) + 'static> {
        const ROW: &str = "SELECT key, handle, user, device, created, renewed, last_seen, expires, authenticated, \
            version, data FROM sessions WHERE key = ?1 AND expires > ?2";
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&self.file, flags)?;
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        db.execute_batch("PRAGMA cache_size = -8192")?;
        let sessions = Rc::clone(&self.sessions);
        Ok(move |numbers: Range<usize>| {
            let mut select = db.prepare_cached(ROW).expect("it is SQL");
            for number in numbers {
                let key = at(&sessions, number).key;
                let values = params![key.as_bytes(), Timestamp::now().unix()];
                let text = select.query_row(values, |row| row.get::<_, String>(10));
                black_box(text.expect("the session is there"));
            }
        })
    }

    fn report_saves(&self, rounds: usize) -> Outcome {
        let mut sessions = self.sessions[..IN_FLIGHT].to_vec();
        let mut rates = vec![Vec::new(); 1 + self.peers.len()];
        let mut failed = vec![0.0; 1 + self.peers.len()];
        for _ in 0..rounds {
            let (seconds, records) = self.runtime.block_on(our_saves(&self.ours, &sessions));
            sessions = records;
            rates[0].push(rate(seconds));
            for (place, (_, sqlx)) in self.peers.iter().enumerate() {
                let (nanoseconds, lost) = sqlx.save(IN_FLIGHT, SAVES)?;
                rates[place + 1].push(rate(nanoseconds / 1e9));
                failed[place + 1] += lost;
            }
        }
        let rates: Vec<f64> = rates
            .into_iter()
            .map(|all| median(all.into_iter()))
            .collect();
        let names = std::iter::once(OURS).chain(self.peers.iter().map(|(name, _)| *name));
        let mut table = Table::new(["", "saves a second", "Carafe's, as a multiple", "failed"]);
        for ((name, rate), failed) in names.zip(&rates).zip(failed) {
            let multiple = format!("{:.1}", rates[0] / rate);
            table.row(
                name,
                [format!("{rate:.0}"), multiple, format!("{failed:.0}")],
            );
        }
        table.print("Durable saves, 64 in flight");
        Ok(())
    }
}

/// Steps through the sessions with a stride.
///
/// Consecutive loads must not be adjacent in the file.
fn at(sessions: &[Session], number: usize) -> &Session {
    &sessions[number * 7919 % sessions.len()]
}

fn on_both_clocks(name: &str, work: impl Fn(Range<usize>) + 'static) -> [Candidate; 2] {
    let work = Rc::new(work);
    let (one, two) = (Rc::clone(&work), work);
    let by_wall = move |count| {
        let begin = Instant::now();
        two(0..count);
        Ok(begin.elapsed().as_nanos() as f64)
    };
    [
        Candidate::batch(name, CPU, move |numbers| one(numbers)),
        Candidate::told(name, WALL, by_wall),
    ]
}

async fn filled(store: &SqliteStore) -> Outcome<Vec<Session>> {
    let now = Timestamp::now();
    let mut sessions = Vec::new();
    for browser in 0..SESSIONS as u32 {
        let text = serde_json::to_string(&Login::of((browser, 46)))?;
        let record = Record::new(
            SessionMeta::new(PublicId::random()?, now, now.saturating_add(14 * 24 * 3600)),
            SessionData::parse(text, Record::STYLE)?,
        );
        let key = StoreKey::of_id(&format!("the id of browser {browser}"));
        store.create(&key, &record, now).await?;
        sessions.push(Session { key, record });
    }
    Ok(sessions)
}

/// Saves each session repeatedly in a separate task, with new content every time.
///
/// Returns the seconds, and the sessions after the saves.
async fn our_saves(store: &Arc<SqliteStore>, sessions: &[Session]) -> (f64, Vec<Session>) {
    let begin = Instant::now();
    let tasks: Vec<_> = sessions
        .iter()
        .map(|session| tokio::spawn(saved(Arc::clone(store), session.clone())))
        .collect();
    let mut saved = Vec::new();
    for task in tasks {
        saved.push(task.await.expect("no save panics"));
    }
    (begin.elapsed().as_secs_f64(), saved)
}

async fn saved(store: Arc<SqliteStore>, mut session: Session) -> Session {
    for _ in 0..SAVES {
        let (base, now) = (&session.record, Timestamp::now());
        let mut patch = Patch::default();
        // The same length as the text that the peers write.
        patch.set(
            "n",
            format!("{}", 1_700_000_000_000_000_000 + base.meta.version),
        );
        let patched = store.patch(&session.key, base, &patch, now).await;
        match patched.expect("the store works") {
            Patched::Applied(record) => session.record = *record,
            Patched::Gone => panic!("the session is there"),
        }
    }
    session
}

fn rate(seconds: f64) -> f64 {
    (IN_FLIGHT * SAVES) as f64 / seconds
}

fn report_loads(measured: &Measured) {
    let mut table = Table::new(["", CPU, "× raw", WALL, "× raw"]);
    let names = [RAW, OURS].into_iter().chain(POOLS.map(|(name, _)| name));
    for name in names {
        let cells = [CPU, WALL].into_iter().flat_map(|clock| {
            let (own, raw) = (
                measured.nanoseconds(name, clock),
                measured.nanoseconds(RAW, clock),
            );
            [format!("{:.1}", own / 1000.0), format!("{:.1}", own / raw)]
        });
        table.row(name, cells);
    }
    table.print("One load, µs");
    println!(
        "\nUsual spread: ± {:.1} %.",
        measured.usual_spread() * 100.0
    );
}

/// Returns the path of the files and the time of syncing 4 KiB to their disk.
fn disk(folder: &Path) -> Outcome<String> {
    let mut file = File::create(folder.join("probe"))?;
    let syncs = (0..101).map(|_| {
        file.write_all(&[1; 4096])?;
        let begin = Instant::now();
        file.sync_data()?;
        Ok(begin.elapsed().as_secs_f64() * 1e6)
    });
    let syncs: Vec<f64> = syncs.collect::<Outcome<_>>()?;
    let mounts = fs::read_to_string("/proc/mounts")?;
    let mounted = mounts.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let holds = folder.starts_with(fields.get(1)?);
        holds.then(|| (fields[1].len(), format!("{} on {}", fields[2], fields[0])))
    });
    let (_, place) = mounted.max().ok_or("the files are on no disk")?;
    let sync = median(syncs.into_iter());
    Ok(format!(
        "The files are in {place}. Writing 4 KiB there and `fdatasync` takes {sync:.0} µs."
    ))
}
