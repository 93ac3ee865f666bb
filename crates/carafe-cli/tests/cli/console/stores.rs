//! The console before every store that is a server: pages, search, revoking, and what it says when
//! the server is gone.

#![cfg(all(feature = "redis", feature = "postgres", feature = "mysql"))]

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    console::{Console, Wanted, handle, key, record},
    stores::PATIENT,
};
use carafe_core::{
    clock::Timestamp,
    store::{Created, ErasedStore},
};
use carafe_redis::RedisOptions;
use carafe_sqlx::{MySqlStore, PostgresStore};
use carafe_test_servers::{Redis, Sql};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().unwrap()
}

/// Sixty sessions, three of them ada's.
async fn fill(store: &dyn ErasedStore) {
    let now = Timestamp::now();
    for n in 0..60 {
        let other = format!("user {n}");
        let user = if n < 3 { "ada" } else { &other };
        let wanted = Wanted {
            user: Some(user),
            age: 60 + i64::from(n),
            ..Wanted::default()
        };
        let filed = store.create(&key(n), &record(n, wanted, now), now).await;
        assert_eq!(filed.unwrap(), Created::Created);
    }
}

/// An operator's walk through the pages.
fn works(console: &mut Console) {
    let page = console.look("/");
    assert!(page.contains("<dt>Live sessions</dt><dd>60</dd>"), "{page}");
    let first = console.look("/sessions");
    let rows = |page: &str| page.matches("<a id=\"s-").count();
    assert_eq!(rows(&first), 50);
    let (_, next) = first.split_once("id=\"next\" href=\"").unwrap();
    assert_eq!(rows(&console.look(next.split('"').next().unwrap())), 10);
    assert_eq!(rows(&console.look("/sessions?q=ada")), 3);
    let session = format!("/sessions/{}", handle(1));
    assert_eq!(
        rows(&console.look(&format!("/sessions?q={}", handle(1)))),
        1
    );
    assert!(console.look(&session).contains("&quot;dark&quot;"));
    assert_eq!(
        console.send_form(&format!("{session}/revoke"), &[]).status,
        303
    );
    assert_eq!(console.get(&session).status, 404);
    assert_eq!(
        console.send_form("/revoke-user", &[("name", "ada")]).status,
        303
    );
    assert!(
        console
            .look("/sessions")
            .contains("Revoked 2 sessions of ada")
    );
    let typed = [("typed", "revoke all sessions")];
    assert_eq!(console.send_form("/end-all", &typed).status, 303);
    let until = Instant::now() + Duration::from_secs(60);
    while !console
        .look("/")
        .contains("Revoked all sessions: 57 sessions")
    {
        assert!(Instant::now() < until, "they end");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(rows(&console.look("/sessions")), 0);
}

/// The pages while the server is down, and after it came back.
fn says_so(console: &mut Console, kill: impl Fn(), restart: impl Fn()) {
    kill();
    let page = console.get("/sessions");
    assert_eq!(page.status, 503, "{}", page.body);
    assert!(page.body.contains("The store does not respond"));
    restart();
    let until = Instant::now() + Duration::from_secs(60);
    while console.get("/sessions").status != 200 {
        assert!(Instant::now() < until, "it comes back");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(
        !console
            .look("/sessions")
            .contains("The store does not respond")
    );
}

#[test]
#[ignore = "needs redis-server; run by `cargo xtask test`"]
fn redis() {
    let (server, runtime) = (Redis::start(), runtime());
    runtime.block_on(async {
        let store = RedisOptions::new()
            .deadlines(PATIENT)
            .connect(server.tcp_url())
            .await
            .unwrap();
        fill(&store).await;
    });
    let mut console = Console::over(&server.tcp_url()).let_in();
    works(&mut console);
    says_so(&mut console, || server.kill(), || server.restart());
}

#[test]
#[ignore = "needs Postgres; run by `cargo xtask test`"]
fn postgres() {
    let (server, runtime) = (Sql::postgres(), runtime());
    runtime.block_on(async {
        let store = PostgresStore::connect(server.url())
            .await
            .unwrap()
            .deadlines(PATIENT);
        store.migrate().await.unwrap();
        fill(&store).await;
    });
    let mut console = Console::over(server.url()).let_in();
    works(&mut console);
    says_so(&mut console, || server.kill(), || server.restart());
}

#[test]
#[ignore = "needs MariaDB; run by `cargo xtask test`"]
fn mariadb() {
    let (server, runtime) = (Sql::mariadb(), runtime());
    runtime.block_on(async {
        let store = MySqlStore::connect(server.url())
            .await
            .unwrap()
            .deadlines(PATIENT);
        store.migrate().await.unwrap();
        fill(&store).await;
    });
    let mut console = Console::over(server.url()).let_in();
    works(&mut console);
    says_so(&mut console, || server.kill(), || server.restart());
}
