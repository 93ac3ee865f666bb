//! A running console over an SQLite file that the test has filled, and an operator's small browser
//! in front of it.

use std::{
    ops::{Deref, DerefMut},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{ClientKind, Created, PublicId, Record, SessionMeta, SessionStore as _, StoreKey},
};
use carafe_sqlite::{SqliteOptions, SqliteStore};
use carafe_test_browser::{Client, Page};
use tempfile::TempDir;

/// A file of sessions.
pub(crate) struct Sessions {
    directory: TempDir,
    // Open as long as the test: a file that is closed by the last of its users is opened more
    // slowly by the next.
    store: SqliteStore,
    runtime: tokio::runtime::Runtime,
    count: AtomicU32,
}

/// The contents of a session.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'w> {
    pub(crate) user: Option<&'w str>,
    pub(crate) device: Option<&'w str>,
    /// Seconds since its beginning.
    pub(crate) age: i64,
    /// Seconds since its last use.
    pub(crate) idle: i64,
    /// Seconds to its end.
    pub(crate) left: i64,
    pub(crate) json: &'w str,
    /// The kind of client; `None` for a session that names none.
    pub(crate) client: Option<ClientKind>,
}

impl Default for Wanted<'_> {
    fn default() -> Self {
        Self {
            user: None,
            device: Some("Firefox on Linux"),
            age: 600,
            idle: 120,
            left: 3_600,
            json: r#"{"theme":"dark"}"#,
            client: None,
        }
    }
}

impl Sessions {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let options = SqliteOptions::default().migrate(true);
        let store = SqliteStore::open(directory.path().join("sessions.db"), options).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Self {
            directory,
            store,
            runtime: runtime.unwrap(),
            count: AtomicU32::new(0),
        }
    }

    /// Files a session; its public name. Its id is `id-` and a number.
    pub(crate) fn add(&self, wanted: Wanted<'_>) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let now = Timestamp::now();
        let record = record(number, wanted, now);
        let key = key(number);
        let filed = self.store.create(&key, &record, now);
        assert_eq!(self.runtime.block_on(filed).unwrap(), Created::Created);
        record.meta.public_id.to_string()
    }

    /// Files many sessions at once, past the store: `each` is asked for every number and files one.
    pub(crate) fn fill(&self, count: u32, mut each: impl FnMut(u32, &mut dyn FnMut(Wanted<'_>))) {
        let (now, mut db) = (Timestamp::now(), self.raw());
        let filing = db.transaction().unwrap();
        let mut insert = filing
            .prepare("INSERT INTO sessions VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,NULL,?11)")
            .unwrap();
        for number in 0..count {
            each(number, &mut |wanted| {
                let record = record(number, wanted, now);
                let times = [
                    record.meta.created,
                    record.meta.renewed,
                    record.meta.last_seen,
                    record.meta.expires,
                ];
                let [created, renewed, seen, expires] = times.map(Timestamp::unix);
                let (key, handle) = (key(number), record.meta.public_id.to_string());
                let row = rusqlite::params![
                    key.as_bytes(),
                    handle,
                    wanted.user,
                    wanted.device,
                    created,
                    renewed,
                    seen,
                    expires,
                    wanted.user.map(|_| created),
                    3,
                    wanted.json,
                ];
                insert.execute(row).unwrap();
            });
        }
        drop(insert);
        filing.commit().unwrap();
        self.count.store(count, Ordering::Relaxed);
    }

    /// The ids, and the keys in every spelling: nothing of this may be on any page.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let spelled = |number| {
            let bytes = *key(number).as_bytes();
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            [
                id(number),
                hex,
                base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes),
                base64_simd::STANDARD.encode_to_string(bytes),
            ]
        };
        (0..self.count.load(Ordering::Relaxed))
            .flat_map(spelled)
            .collect()
    }

    /// How many sessions there are in the file.
    pub(crate) fn rows(&self) -> i64 {
        let count = self
            .raw()
            .query_row("SELECT count(*) FROM sessions", [], |row| row.get(0));
        count.unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("sessions.db")
    }

    /// A connection that knows nothing of Carafe.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }
}

/// An id as browsers hold it, and as no page shows it.
fn id(number: u32) -> String {
    format!("the-id-of-session-{number:08}")
}

pub(crate) fn key(number: u32) -> StoreKey {
    StoreKey::of_id(&id(number))
}

/// The public name of a session: random to look at, and known to the tests.
pub(crate) fn handle(number: u32) -> PublicId {
    let random = StoreKey::of_id(&format!("handle {number}"));
    let (bytes, _) = random.as_bytes().split_at(12);
    PublicId::from_bytes(bytes.try_into().unwrap())
}

pub(crate) fn record(number: u32, wanted: Wanted<'_>, now: Timestamp) -> Record {
    let created = now.saturating_add(-wanted.age);
    let public_id = match wanted.client {
        Some(client) => PublicId::random_for(client).unwrap(),
        None => handle(number),
    };
    let mut meta = SessionMeta::new(public_id, created, now.saturating_add(wanted.left));
    meta.user = wanted.user.map(str::to_owned);
    meta.device = wanted.device.map(str::to_owned);
    meta.last_seen = now.saturating_add(-wanted.idle);
    meta.authenticated = wanted.user.map(|_| created);
    meta.version = 3;
    Record::new(
        meta,
        SessionData::parse(wanted.json.to_owned(), Record::STYLE).unwrap(),
    )
}

/// The console, and an operator in front of it.
pub(crate) struct Console {
    server: Client,
    pub(crate) token: String,
    /// The path under which it is.
    pub(crate) base: String,
}

impl Console {
    /// Starts one over a file with these further arguments. No operator has entered.
    pub(crate) fn start(file: &Path, args: &[&str]) -> Self {
        let name = file.file_name().unwrap().to_str().unwrap();
        let mut command = super::carafe();
        // From beside the file, so that its pages do not show where a test runs.
        command.current_dir(file.parent().unwrap());
        Self::run(command, &format!("sqlite:{name}"), args)
    }

    /// Starts one over any store. No operator has entered.
    pub(crate) fn over(url: &str) -> Self {
        Self::run(super::carafe(), url, &[])
    }

    fn run(mut command: Command, store: &str, args: &[&str]) -> Self {
        command
            .args(["console", "--port", "0", "--store", store])
            .args(args);
        let server = Client::serving(&mut command, TempDir::new().unwrap());
        let (address, rest) = server.greeting.split_once('#').unwrap();
        let (_, base) = address.split_once(&server.host).unwrap();
        Self {
            token: rest.split(' ').next().unwrap().to_owned(),
            base: base.strip_suffix("/enter").unwrap().to_owned(),
            server,
        }
    }

    /// Starts one, with an operator who has come in.
    pub(crate) fn entered(sessions: &Sessions, args: &[&str]) -> Self {
        Self::start(&sessions.file(), args).let_in()
    }

    /// The same, with an operator who has come in.
    pub(crate) fn let_in(mut self) -> Self {
        let token = self.token.clone();
        let page = self.enter(&token);
        assert_eq!(page.status, 303, "{}", page.body);
        self
    }

    pub(crate) fn enter(&mut self, token: &str) -> Page {
        let path = format!("{}/enter", self.base);
        self.post(&path, &[("token", token)])
    }

    /// Requests a page and expects a 200.
    pub(crate) fn look(&mut self, path: &str) -> String {
        let page = self.get(path);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        page.body
    }

    /// The hidden field of the operator's forms.
    pub(crate) fn csrf(&mut self) -> String {
        let path = format!("{}/sessions", self.base);
        let page = self.get(&path).body;
        let (_, rest) = page.split_once(r#"name="csrf" value=""#).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// A form of the console's own, sent as its page does.
    pub(crate) fn send_form(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf();
        self.post(path, &[&[("csrf", csrf.as_str())], fields].concat())
    }
}

impl Deref for Console {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.server
    }
}

impl DerefMut for Console {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.server
    }
}

/// The handles of a list, in its order.
pub(crate) fn handles(page: &str) -> Vec<String> {
    let parts = page.split("<a id=\"s-").skip(1);
    parts.map(|part| part[..16].to_owned()).collect()
}
