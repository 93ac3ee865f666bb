//! `carafe migrate` from what Flask-Session has written: the ids that its cookies hold open the
//! sessions here.
//!
//! Values, names and cookies are those of the real library, from
//! `testdata/vectors/flask_session.jsonl`.

#![cfg(all(unix, feature = "flask-session"))]

use std::{
    process::{Command, Stdio},
    sync::Arc,
};

use crate::support::{
    carafe, run,
    stores::{Dir, block_on},
    vectors,
};
use carafe_core::{
    clock::Timestamp,
    flask::stored::FlaskSession,
    key::{KeyRing, SecretKey},
    session::{ServerSide, SessionConfig, SessionManager},
    store::{MigratingStore, SessionStore as _, StoreKey},
    token::signed::{Signer, SignerSettings},
};
use carafe_sqlite::{FlaskSessionStore, SqliteOptions};

/// The table that SQLAlchemy makes.
const TABLE: &str = "CREATE TABLE sessions (id INTEGER NOT NULL, session_id VARCHAR(255), data BLOB, \
     expiry DATETIME, PRIMARY KEY (id), UNIQUE (session_id))";
/// `pickle.dumps({"n": 1})`, as Flask-Session wrote it before 0.7.
const PICKLE: &[u8] = b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01n\x94K\x01s.";
const NEVER: &str = "2096-10-02 08:06:40.000000";

/// A row of the vectors with a value that standard JSON can express: only text as keys, and no
/// `NaN`.
struct Vector {
    value: Vec<u8>,
    tagged: serde_json::Value,
}

fn readable_vectors() -> Vec<Vector> {
    let rows = vectors("flask_session").into_iter();
    let rows = rows.filter_map(|row| {
        let tagged = serde_json::from_str(row["tagged"].as_str()?).ok()?;
        let value = bytes(row["value"].as_str().unwrap());
        Some(Vector { value, tagged })
    });
    rows.collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

/// The key, in Flask-Session's layout, of the session that a test calls by a number; 0 is the
/// vectors' own.
fn plain(number: u8) -> StoreKey {
    StoreKey::from_bytes([number; 32])
}

fn name(number: u8) -> String {
    FlaskSession::default().name(&plain(number))
}

/// The key of the same session in our layout.
fn hashed(number: u8) -> StoreKey {
    StoreKey::of_id(name(number).strip_prefix("session:").unwrap())
}

fn flask_table(dir: &Dir) -> rusqlite::Connection {
    let db = rusqlite::Connection::open(dir.file("flask.db")).unwrap();
    db.execute_batch(TABLE).unwrap();
    db
}

fn flask_writes(db: &rusqlite::Connection, name: &str, data: &[u8], expiry: Option<&str>) {
    let sql = "INSERT INTO sessions (session_id, data, expiry) VALUES (?, ?, ?)";
    let values = rusqlite::params![name, data, expiry];
    assert_eq!(db.execute(sql, values), Ok(1));
}

fn rows(db: &rusqlite::Connection) -> i64 {
    let count = db.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0));
    count.unwrap()
}

fn flask_url(dir: &Dir) -> String {
    format!("flask-session+{}", dir.url("flask.db"))
}

/// The command from a URL to another, and more arguments.
fn migrate(from: &str, to: &str, more: &[&str]) -> Command {
    let mut command = carafe();
    command.args(["migrate", "--from", from, "--to", to, "--json", "--quiet"]);
    command.args(more);
    command
}

/// Its report and its exit code.
fn report(from: &str, to: &str, more: &[&str]) -> (i32, serde_json::Value) {
    let output = migrate(from, to, more).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (
        output.status.code().unwrap(),
        report.unwrap_or_else(|_| panic!("{said}")),
    )
}

/// The value that a request with this cookie reads under `user_id` in the store of a file.
fn user_of(dir: &Dir, cookie: &str, signs: bool) -> Option<u64> {
    let mut side = ServerSide::new(dir.store("ours.db"));
    if signs {
        let keys = KeyRing::new(SecretKey::short("flask-spec-secret").unwrap());
        let signer = Signer::new(&keys, SignerSettings::flask_session());
        side = side.with_signed_ids(signer);
    }
    let manager = Arc::new(SessionManager::new(side, SessionConfig::flask()).unwrap());
    let slot = manager.begin();
    block_on(async {
        let cookie = cookie.as_bytes();
        let session = manager.open(&slot, [cookie], Timestamp::now()).await;
        session.unwrap().get("user_id").unwrap()
    })
}

#[test]
fn every_value_of_flask_sessions_comes_over_with_its_meaning() {
    let (dir, vectors) = (Dir::new(), readable_vectors());
    assert!(vectors.len() > 30, "{} vectors", vectors.len());
    let db = flask_table(&dir);
    for (vector, number) in vectors.iter().zip(1..) {
        flask_writes(&db, &name(number), &vector.value, Some(NEVER));
    }
    drop(dir.store("ours.db"));
    let (from, to) = (flask_url(&dir), dir.url("ours.db"));
    let (code, end) = report(&from, &to, &["--verify", "--batch", "7"]);
    assert_eq!(
        (code, &end["moved"], &end["verified"]["same"]),
        (0, &vectors.len().into(), &vectors.len().into()),
        "{end}"
    );
    assert!(
        end["verified"]["extra"].is_null(),
        "no hash leads back to an id: {end}"
    );
    let (code, again) = report(&from, &to, &["--verify"]);
    assert_eq!(
        (code, &again["already_there"], &again["verified"]["same"]),
        (0, &vectors.len().into(), &vectors.len().into()),
        "{again}"
    );
    let store = dir.store("ours.db");
    for (vector, number) in vectors.iter().zip(1..) {
        let found = block_on(store.load(&hashed(number), Timestamp::now()));
        let record = found.unwrap().into_record().unwrap();
        let text = carafe_core::session::Patch::default()
            .render(&record.data, carafe_core::store::Record::STYLE);
        let data: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut tagged = vector.tagged.clone();
        // Carafe's own entries are no part of the dictionary.
        let facts = tagged.as_object_mut().unwrap().remove("_carafe");
        assert_eq!(data, tagged);
        let user = facts.map(|facts| facts["user"].as_str().unwrap().to_owned());
        assert_eq!(record.meta.user, user);
        assert_eq!(record.meta.expires.unix(), 4_000_003_600);
    }
}

#[test]
fn the_cookie_that_flask_has_made_opens_the_moved_session() {
    let all = vectors("flask_session");
    let vector = |signed: bool| {
        let row = all.iter().find(|row| row["signed"] == signed).unwrap();
        let cookie = row["set_cookie"].as_str().unwrap().split(';').next();
        (
            bytes(row["value"].as_str().unwrap()),
            cookie.unwrap().to_owned(),
        )
    };
    let (dir, (value, plain_cookie), (same, signed_cookie)) =
        (Dir::new(), vector(false), vector(true));
    assert_eq!(value, same, "the same session under the same id");
    let db = flask_table(&dir);
    flask_writes(&db, &name(0), &value, Some(NEVER));
    drop(dir.store("ours.db"));
    let (code, end) = report(
        &flask_url(&dir),
        &dir.url("ours.db"),
        &["--move", "--verify"],
    );
    assert_eq!((code, &end["moved"]), (0, &1.into()), "{end}");
    assert_eq!(rows(&db), 0);

    assert_eq!(user_of(&dir, &plain_cookie, false), Some(42));
    assert_eq!(user_of(&dir, &signed_cookie, true), Some(42));
    // SESSION_USE_SIGNER is to be followed: an id alone opens nothing where ids are signed.
    assert_eq!(user_of(&dir, &plain_cookie, true), None);
    assert_eq!(user_of(&dir, &signed_cookie, false), None);
    let forged = signed_cookie.replace(".TIHn", ".AAAA");
    assert_eq!(user_of(&dir, &forged, true), None);
}

#[test]
fn what_cannot_be_read_is_named_and_stays_and_the_expired_are_counted() {
    let (dir, good) = (Dir::new(), b"\x81\xa1a\x01");
    let db = flask_table(&dir);
    flask_writes(&db, &name(1), good, Some(NEVER));
    flask_writes(&db, &name(2), PICKLE, Some(NEVER));
    flask_writes(&db, &name(3), b"rubbish", Some(NEVER));
    flask_writes(&db, "session:AAAAAAAAAAAAAAAAAAAAAA", good, Some(NEVER));
    flask_writes(&db, &name(4), good, Some("1999-01-01 00:00:00.000000"));
    flask_writes(&db, &name(5), good, None);
    flask_writes(&db, &name(6), good, Some("soon"));
    flask_writes(
        &db,
        &name(7).replace("session:", "other:"),
        good,
        Some(NEVER),
    );
    db.execute("INSERT INTO sessions (data) VALUES (x'80')", [])
        .unwrap();
    drop(dir.store("ours.db"));
    let (code, end) = report(
        &flask_url(&dir),
        &dir.url("ours.db"),
        &["--move", "--batch", "2"],
    );
    assert_eq!(code, 1);
    for (field, count) in [("seen", 7), ("moved", 1), ("expired", 2), ("unreadable", 4)] {
        assert_eq!(end[field], count, "{field}: {end}");
    }
    let reasons: Vec<_> = end["troubles"].as_array().unwrap().iter().collect();
    for (trouble, says) in reasons.iter().zip([
        "pickle",
        "neither MessagePack nor JSON",
        "SESSION_ID_LENGTH",
        "expiry",
    ]) {
        let reason = trouble["reason"].as_str().unwrap();
        assert!(reason.contains(says), "{says}: {reason}");
    }
    let digits = |key: StoreKey| -> String {
        let first = key.as_bytes()[..6].iter();
        first.map(|byte| format!("{byte:02x}")).collect()
    };
    assert_eq!(
        reasons[0]["key"],
        digits(hashed(2)),
        "the SHA-256 of its id"
    );
    assert_eq!(rows(&db), 8, "only what was filed is deleted");
    let sql = "SELECT data FROM sessions WHERE session_id = ?";
    let kept: Vec<u8> = db.query_row(sql, [name(2)], |row| row.get(0)).unwrap();
    assert_eq!(kept, PICKLE);
    let left: i64 = db
        .query_row(
            "SELECT count(*) FROM sessions WHERE session_id = ?",
            [name(1)],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_stopped_migration_goes_on_and_a_second_one_catches_up() {
    let dir = Dir::new();
    let db = flask_table(&dir);
    let many = 1_500_u32;
    db.execute_batch("BEGIN").unwrap();
    for number in 0..many {
        let name = FlaskSession::default().name(&StoreKey::of_id(&number.to_string()));
        flask_writes(&db, &name, b"\x81\xa1a\x01", Some(NEVER));
    }
    db.execute_batch("COMMIT").unwrap();
    drop(dir.store("ours.db"));
    let (from, to) = (flask_url(&dir), dir.url("ours.db"));
    let state = dir.file("state.json");
    let keeps = ["--state", state.to_str().unwrap(), "--batch", "50"];
    let slowly = [&keeps[..], &["--rate", "100"]].concat();
    let mut child = migrate(&from, &to, &slowly)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !state.exists() {
        assert!(child.try_wait().unwrap().is_none(), "it is under way");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = std::fs::read_to_string(&state).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let cursor = kept["cursor"].as_str().unwrap();
    assert!(cursor.parse::<i64>().is_ok(), "no id is in it: {cursor}");

    let (code, end) = report(&from, &to, &[&keeps[..], &["--verify"]].concat());
    assert_eq!(
        (code, &end["seen"], &end["verified"]["same"]),
        (0, &many.into(), &many.into()),
        "{end}"
    );

    // Flask goes on: one session is used, one is new, one is used here as well.
    let key = StoreKey::of_id("7");
    let used = "UPDATE sessions SET data = x'81a16102', expiry = '2096-10-02 08:07:40.000000' \
                WHERE session_id = ?";
    let changed = db.execute(used, [FlaskSession::default().name(&key)]);
    assert_eq!(changed, Ok(1));
    flask_writes(&db, &name(9), b"\x81\xa1a\x01", Some(NEVER));
    let (code, end) = report(&from, &to, &["--verify"]);
    for (field, count) in [
        ("moved", 1),
        ("updated", 1),
        ("already_there", u64::from(many) - 1),
    ] {
        assert_eq!(end[field], count, "{field}: {end}");
    }
    assert_eq!(code, 0, "{end}");
}

#[test]
fn the_layout_is_to_be_taken_from_and_for_nothing_else() {
    let dir = Dir::new();
    drop(flask_table(&dir));
    drop(dir.store("ours.db"));
    let (flask, ours) = (flask_url(&dir), dir.url("ours.db"));
    for args in [
        &["migrate", "--from", &ours, "--to", &flask][..],
        &["sessions", "list", "--store", &flask],
        &["store", "init", "--store", &flask],
    ] {
        let refused = run(args);
        assert_eq!(refused.code, 2, "{args:?}");
        assert!(
            refused.err.contains("carafe migrate --from"),
            "{}",
            refused.err
        );
    }
    for (url, code, says) in [
        (format!("{flask}?format=pickle"), 2, "msgpack or json"),
        (format!("{flask}?lifetime=31d"), 2, "seconds"),
        (format!("{flask}?prefix=x"), 2, "no parameter"),
        (format!("{flask}?table=other"), 4, "no such table"),
        (
            "flask-session+redis+cluster://h:1".to_owned(),
            2,
            "each primary",
        ),
    ] {
        if url.contains("redis") && cfg!(not(feature = "redis")) {
            continue;
        }
        let refused = run(&["migrate", "--from", &url, "--to", &ours]);
        assert_eq!(refused.code, code, "{url}: {}", refused.err);
        assert!(refused.err.contains(says), "{}", refused.err);
    }
}

#[test]
fn sessions_move_while_a_service_uses_flasks_store_and_ours_as_one() {
    let dir = Dir::new();
    let db = flask_table(&dir);
    let value = b"\x81\xa7user_id\x2a";
    for number in 1..=4 {
        flask_writes(&db, &name(number), value, Some(NEVER));
    }
    let old = FlaskSessionStore::open(
        dir.file("flask.db"),
        "sessions",
        FlaskSession::default(),
        SqliteOptions::default(),
    );
    let new = Arc::new(dir.store("ours.db"));
    let service = MigratingStore::new(Arc::new(old.unwrap()), new.clone());
    let manager = SessionManager::new(ServerSide::new(service.clone()), SessionConfig::flask());
    let manager = Arc::new(manager.unwrap());
    let cookie = |number| name(number).replace("session:", "session=");
    let now = Timestamp::now();
    // One is used and one revoked before the rest is moved; another is revoked afterwards.
    let used = block_on(async {
        assert!(service.delete(&plain(2), now).await.unwrap());
        let slot = manager.begin();
        let session = manager.open(&slot, [cookie(1).as_bytes()], now).await;
        session.unwrap().get::<u64>("user_id").unwrap()
    });
    assert_eq!((used, rows(&db)), (Some(42), 2), "its use brought it over");
    let (code, end) = report(
        &flask_url(&dir),
        &dir.url("ours.db"),
        &["--move", "--verify"],
    );
    assert_eq!((code, &end["moved"]), (0, &2.into()), "{end}");
    block_on(async {
        assert!(service.delete(&plain(3), now).await.unwrap());
        for (number, is_there) in [(1, true), (2, false), (3, false), (4, true)] {
            let found = new.load(&hashed(number), now).await.unwrap();
            assert_eq!(found.record().is_some(), is_there, "{number}");
        }
    });
    drop((service, manager, new));
    assert_eq!(user_of(&dir, &cookie(4), false), Some(42));
    assert_eq!(user_of(&dir, &cookie(3), false), None);
}

/// Sessions 1 and 2 that are good, 3 that is a pickle, and one with a short id, moved to a file and
/// checked.
#[cfg(target_os = "linux")]
fn moved_from_a_server(dir: &Dir, from: &str) {
    drop(dir.store("ours.db"));
    let to = dir.url("ours.db");
    let (code, copied) = report(from, &to, &["--verify"]);
    assert_eq!(
        (code, &copied["moved"], &copied["verified"]["same"]),
        (1, &2.into(), &2.into()),
        "{copied}"
    );
    let (code, end) = report(from, &to, &["--move", "--batch", "1"]);
    assert_eq!(
        (code, &end["already_there"], &end["unreadable"]),
        (1, &2.into(), &2.into()),
        "{end}"
    );
    let troubles = end["troubles"].to_string();
    assert!(troubles.contains("pickle"), "{troubles}");
    assert!(troubles.contains("SESSION_ID_LENGTH"), "{troubles}");
    let store = dir.store("ours.db");
    for number in [1, 2] {
        let found = block_on(store.load(&hashed(number), Timestamp::now()));
        let record = found.unwrap().into_record().unwrap();
        assert_eq!(record.data.text_of("a"), Some("1"));
    }
}

#[cfg(all(target_os = "linux", feature = "redis"))]
#[test]
#[ignore = "needs redis-server; run by `cargo xtask test`"]
fn sessions_move_from_flasks_redis() {
    let (dir, server) = (Dir::new(), carafe_test_servers::Redis::start());
    let set = |name: &str, value: &str| {
        let said = server.cli(&["SET", name, value, "EX", "86400"]);
        assert_eq!(said.trim(), "OK");
    };
    // A prefix that is a pattern as well.
    let name = |number| name(number).replace("session:", "a*b:");
    let good = r#"{"a":1}"#;
    set(&name(1), good);
    set(&name(2), good);
    // A pickle of protocol 0, which a command line can carry.
    set(&name(3), "(dp0\nVn\np1\nI1\ns.");
    set("a*b:AAAAAAAAAAAAAAAAAAAAAA", good);
    set("axxb:AAAAAAAAAAAAAAAAAAAAAA", good);
    for number in 0..100 {
        set(&format!("other:{number}"), "x");
    }
    let url = server.tcp_url();
    moved_from_a_server(
        &dir,
        &format!("flask-session+{url}?key_prefix=a*b:&format=json"),
    );
    let left = server.cli(&["EXISTS", &name(1), &name(2)]);
    assert_eq!(left.trim(), "0");
    let kept = server.cli(&["EXISTS", &name(3), "a*b:AAAAAAAAAAAAAAAAAAAAAA"]);
    assert_eq!(kept.trim(), "2", "only what was filed is deleted");
}

/// The rows of `moved_from_a_server`, and rows that are expired, without a user, without data, or
/// another application's.
#[cfg(all(target_os = "linux", feature = "postgres", feature = "mysql"))]
fn sql_rows(server: &carafe_test_servers::Sql, table: &str, bytes: impl Fn(&str) -> String) {
    let insert = |name: &str, data: &str, expiry: &str| {
        server.sql(&format!(
            "INSERT INTO {table} (session_id, data, expiry) VALUES ({name}, {data}, {expiry})"
        ));
    };
    let (good, far) = (bytes("81a16101"), "'2096-10-02 08:06:40'");
    let quoted = |name: &str| format!("'{name}'");
    insert(&quoted(&name(1)), &good, far);
    insert(&quoted(&name(2)), &good, far);
    let pickle: String = PICKLE.iter().map(|byte| format!("{byte:02x}")).collect();
    insert(&quoted(&name(3)), &bytes(&pickle), far);
    insert("'session:AAAAAAAAAAAAAAAAAAAAAA'", &good, far);
    insert(&quoted(&name(4)), &good, "'1999-01-01 00:00:00'");
    insert(&quoted(&name(5)), &good, "NULL");
    insert("NULL", &good, far);
    insert(&quoted(&name(6).replace("session:", "other:")), "NULL", far);
}

#[cfg(all(target_os = "linux", feature = "postgres", feature = "mysql"))]
#[test]
#[ignore = "needs Postgres; run by `cargo xtask test`"]
fn sessions_move_from_flasks_table_in_postgres() {
    let (dir, server) = (Dir::new(), carafe_test_servers::Sql::postgres());
    server.sql(
        "CREATE TABLE flask_sessions (id SERIAL NOT NULL, session_id VARCHAR(255), data BYTEA, \
         expiry TIMESTAMP WITHOUT TIME ZONE, PRIMARY KEY (id), UNIQUE (session_id))",
    );
    sql_rows(&server, "flask_sessions", |hex| format!("'\\x{hex}'"));
    moved_from_a_table(&dir, &server);
}

#[cfg(all(target_os = "linux", feature = "postgres", feature = "mysql"))]
#[test]
#[ignore = "needs MariaDB; run by `cargo xtask test`"]
fn sessions_move_from_flasks_table_in_mariadb() {
    let (dir, server) = (Dir::new(), carafe_test_servers::Sql::mariadb());
    server.sql(
        "CREATE TABLE carafe.flask_sessions (id INTEGER NOT NULL AUTO_INCREMENT, \
         session_id VARCHAR(255), data MEDIUMBLOB, expiry DATETIME, \
         PRIMARY KEY (id), UNIQUE (session_id))",
    );
    sql_rows(&server, "carafe.flask_sessions", |hex| format!("x'{hex}'"));
    moved_from_a_table(&dir, &server);
}

#[cfg(all(target_os = "linux", feature = "postgres", feature = "mysql"))]
fn moved_from_a_table(dir: &Dir, server: &carafe_test_servers::Sql) {
    let url = format!("flask-session+{}", server.url());
    let wrong = run(&["migrate", "--from", &url, "--to", &dir.url("ours.db")]);
    assert_eq!(wrong.code, 4);
    assert!(
        wrong.err.contains("SESSION_SQLALCHEMY_TABLE"),
        "{}",
        wrong.err
    );
    moved_from_a_server(dir, &format!("{url}?table=flask_sessions"));
    let table = match server.url().starts_with("mysql") {
        true => "carafe.flask_sessions",
        false => "flask_sessions",
    };
    let left = server.sql(&format!("SELECT COUNT(*) FROM {table}"));
    assert_eq!(left.trim(), "6", "only what was filed is deleted");
}
