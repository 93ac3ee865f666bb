//! The commands on Redis, Postgres and MariaDB, each started for this test, and the long way from
//! one to another.
//!
//! The last test moves 100,000 sessions, or as many as `CARAFE_SESSIONS` says.

#![cfg(all(
    target_os = "linux",
    feature = "redis",
    feature = "postgres",
    feature = "mysql"
))]
#![allow(clippy::print_stdout, reason = "what was measured is of use")]

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::support::{
    carafe, json, run,
    stores::{Dir, PATIENT, block_on, fill, load},
};
use carafe_core::store::SessionStore;
use carafe_redis::RedisOptions;
use carafe_sqlx::{MySqlStore, PostgresStore};
use carafe_test_servers::{Redis, Sql};

fn postgres() -> (Sql, String) {
    of(Sql::postgres())
}

fn mariadb() -> (Sql, String) {
    of(Sql::mariadb())
}

fn of(server: Sql) -> (Sql, String) {
    let url = server.url().to_owned();
    (server, url)
}

/// An operator's work with a store, from the first day.
fn operate(url: &str, kind: &str, store: impl Future<Output = impl SessionStore>) {
    for _ in 0..2 {
        let init = run(&["store", "init", "--store", url]);
        assert_eq!((init.code, init.err.as_str()), (0, ""));
    }
    let health = json(&["store", "check", "--json", "--store", url]);
    assert_eq!(
        (&health["store"], &health["good"]),
        (&kind.into(), &true.into()),
        "{health}"
    );
    let record = block_on(async {
        let store = store.await;
        fill(&store, 0..60).await;
        load(&store, 7).await.unwrap()
    });
    let public_id = record.meta.public_id.to_string();

    let first = json(&[
        "sessions", "list", "--json", "--limit", "40", "--store", url,
    ]);
    let after = format!("--after={}", first["next"].as_str().unwrap());
    let rest = json(&[
        "sessions", "list", "--json", "--limit", "40", &after, "--store", url,
    ]);
    let handles = |page: &serde_json::Value| -> Vec<String> {
        let page = page["sessions"].as_array().unwrap().iter();
        page.map(|session| session["public_id"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut all = [handles(&first), handles(&rest)].concat();
    all.sort();
    all.dedup();
    assert_eq!((all.len(), rest["next"].is_null()), (60, true));

    let shown = json(&["sessions", "show", "--json", "--store", url, &public_id]);
    assert!(shown["data"].as_str().unwrap().contains("Zoë 7"));
    let stats = json(&["sessions", "stats", "--json", "--store", url]);
    assert_eq!(stats["total"], 60, "{stats}");
    assert_eq!(
        run(&["sessions", "revoke", "--store", url, &public_id]).code,
        0
    );
    assert_eq!(
        run(&["sessions", "revoke", "--store", url, &public_id]).code,
        3
    );
    assert_eq!(run(&["sessions", "sweep", "--store", url]).code, 0);
    let ended = json(&[
        "sessions", "revoke", "--user", "user8", "--json", "--store", url,
    ]);
    assert_eq!(ended["revoked"], 1);
    let ended = json(&[
        "sessions", "revoke", "--all", "--yes", "--json", "--store", url,
    ]);
    assert_eq!(ended["revoked"], 58);
    let stats = json(&["sessions", "stats", "--json", "--store", url]);
    assert_eq!(stats["total"], 0, "{stats}");
}

#[test]
#[ignore = "needs redis-server; run by `cargo xtask test`"]
fn redis_is_operated() {
    let server = Redis::start();
    let url = server.tcp_url();
    operate(&url, "redis", async {
        let options = RedisOptions::new().deadlines(PATIENT);
        options.connect(url.as_str()).await.unwrap()
    });
}

/// The transport and the authentication; never the name.
#[test]
#[ignore = "needs redis-server, Postgres and MariaDB; run by `cargo xtask test`"]
fn check_reports_transport_and_authentication() {
    let redis = Redis::start();
    redis.cli(&["CONFIG", "SET", "requirepass", "hunter2"]);
    let tls = Sql::postgres_with_tls();
    let (_mariadb, mariadb) = mariadb();
    let other_host = format!("postgres://postgres@0.0.0.0:{}/postgres", tls.port);
    for (url, transport, authentication) in [
        (
            format!("redis://:hunter2@127.0.0.1:{}", redis.port()),
            "plain, not encrypted",
            "password",
        ),
        (
            format!("{}?user=default&pass=hunter2", redis.url()),
            "socket",
            "user and password",
        ),
        (
            tls.url().to_owned(),
            "TLS, not verified",
            "user, no password",
        ),
        (
            format!(
                "{other_host}?sslrootcert={}",
                tls.dir.join("certificate").display()
            ),
            "TLS, verified",
            "user, no password",
        ),
        (
            format!("{other_host}?sslmode=require&tls=unverified"),
            "TLS, not verified",
            "user, no password",
        ),
        (mariadb, "plain, not encrypted", "user, no password"),
    ] {
        assert_eq!(run(&["store", "init", "--store", &url]).code, 0, "{url}");
        // The servers of tests do not keep what they write, which is a problem of its own.
        let report = run(&["store", "check", "--json", "--store", &url]).out;
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let facts = &report["facts"];
        assert_eq!(facts["transport"], transport, "{report}");
        assert_eq!(facts["authentication"], authentication, "{report}");
        assert!(!report.to_string().contains("hunter2"), "{report}");
    }
    for parameters in [
        "",
        "?sslmode=prefer",
        "?sslmode=require",
        "?sslmode=verify-full",
    ] {
        let run = run(&[
            "store",
            "check",
            "--store",
            &format!("{other_host}{parameters}"),
        ]);
        assert_eq!(run.code, 4, "{parameters}: {}", run.out);
        assert!(run.err.contains("tls=unverified"), "{}", run.err);
    }
}

#[test]
#[ignore = "needs redis-server; run by `cargo xtask test`"]
fn applications_with_a_prefix_are_kept_apart() {
    let server = Redis::start();
    let url = server.tcp_url();
    block_on(async {
        let options = RedisOptions::new().deadlines(PATIENT).prefix("shop");
        fill(&options.connect(url.as_str()).await.unwrap(), 0..5).await;
    });
    for (url, total) in [(url.clone(), 0), (format!("{url}?prefix=shop"), 5)] {
        let stats = json(&["sessions", "stats", "--json", "--store", &url]);
        assert_eq!(stats["total"], total, "{url}");
    }
}

#[test]
#[ignore = "needs Postgres; run by `cargo xtask test`"]
fn postgres_is_operated() {
    let (_server, url) = of(Sql::postgres_with(""));
    let before = run(&["sessions", "list", "--store", &url]);
    assert_eq!(before.code, 4);
    assert!(before.err.contains("carafe store init"), "{}", before.err);
    operate(&url, "postgres", async {
        PostgresStore::connect(&url)
            .await
            .unwrap()
            .deadlines(PATIENT)
    });
}

#[test]
#[ignore = "needs Postgres; run by `cargo xtask test`"]
fn a_server_that_forgets_after_a_power_cut_is_a_problem() {
    let (_server, url) = postgres();
    assert_eq!(run(&["store", "init", "--store", &url]).code, 0);
    let checked = run(&["store", "check", "--store", &url]);
    assert_eq!((checked.code, checked.err.as_str()), (1, ""));
    assert!(
        checked.out.starts_with("unhealthy: postgres:"),
        "{}",
        checked.out
    );
    assert!(checked.out.contains("\n  problem: "), "{}", checked.out);
}

#[test]
#[ignore = "needs MariaDB; run by `cargo xtask test`"]
fn mariadb_is_operated() {
    let (_server, url) = mariadb();
    let before = run(&["sessions", "list", "--store", &url]);
    assert_eq!(before.code, 4);
    assert!(before.err.contains("carafe store init"), "{}", before.err);
    operate(&url, "mysql", async {
        MySqlStore::connect(&url).await.unwrap().deadlines(PATIENT)
    });
}

#[test]
#[ignore = "needs redis-server, Postgres and MariaDB; run by `cargo xtask test`"]
fn sessions_come_back_unchanged_from_a_way_through_all_stores() {
    let dir = Dir::new();
    let (redis, (_postgres, postgres), (_mariadb, mariadb)) =
        (Redis::start(), postgres(), mariadb());
    block_on(fill(&dir.store("a.db"), 0..500));
    let way = [
        dir.url("a.db"),
        redis.tcp_url(),
        postgres,
        format!("{mariadb}?table=shop_sessions"),
        dir.url("z.db"),
    ];
    for (leg, pair) in way.windows(2).enumerate() {
        let [from, to] = pair else {
            unreachable!("windows of two")
        };
        assert_eq!(run(&["store", "init", "--store", to]).code, 0);
        // The first leg leaves its sessions where they are, to compare with.
        let how = if leg == 0 { "--verify" } else { "--move" };
        let report = json(&[
            "migrate", "--json", "--quiet", how, "--from", from, "--to", to,
        ]);
        assert_eq!(report["moved"], 500, "{report}");
    }
    let (first, last) = (&way[0], &way[4]);
    let report = json(&[
        "migrate", "--json", "--quiet", "--verify", "--from", first, "--to", last,
    ]);
    assert_eq!(
        (&report["already_there"], &report["verified"]["same"]),
        (&500.into(), &500.into()),
        "{report}"
    );
}

#[test]
#[ignore = "needs redis-server and Postgres; run by `cargo xtask test`"]
fn memory_stays_flat_from_redis_to_postgres() {
    let sessions = std::env::var("CARAFE_SESSIONS").ok();
    let sessions: u64 = sessions.map_or(100_000, |text| text.parse().unwrap());
    let redis = Redis::start();
    let (_server, to) = postgres();
    let from = redis.tcp_url();
    block_on(async {
        let options = RedisOptions::new().deadlines(PATIENT);
        fill(&options.connect(from.as_str()).await.unwrap(), 0..sessions).await;
    });
    assert_eq!(run(&["store", "init", "--store", &to]).code, 0);

    let began = std::time::Instant::now();
    let mut child = carafe()
        .args(["migrate", "--json", "--move", "--from", &from, "--to", &to])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut peaks = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        assert!(line.ends_with(" %"), "{line}");
        peaks.extend(peak(child.id()));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["moved"], sessions, "{report}");
    // A line comes each 5 %.
    let [_, early, .., late] = &peaks[..] else {
        panic!("{peaks:?}")
    };
    println!(
        "{sessions} sessions in {:?}; peak of memory {early} KiB after 10 %, {late} KiB at the end",
        began.elapsed()
    );
    assert!(
        *late < early + 16 * 1024,
        "memory grows on the way: {peaks:?}"
    );
}

/// The most memory that a process has had so far, in KiB; `None` if it is over.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
