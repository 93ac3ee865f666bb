//! Concurrent use of one refresh token on the stores with a server.

use std::{sync::Arc, time::Duration};

use carafe_core::{clock::Timestamp, store::Deadlines};
use carafe_redis::RedisOptions;
use carafe_sqlx::{MySqlStore, PostgresStore};
use carafe_test_servers::{Redis, Sql};

use crate::refresh::a_hundred_at_once;

/// Long deadlines for a busy machine.
const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(60),
    read: Duration::from_secs(60),
    write: Duration::from_secs(60),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server; run by `cargo xtask test`"]
async fn a_hundred_parallel_refreshes_give_one_successor_on_redis() {
    let server = Redis::start();
    let options = RedisOptions::new().deadlines(PATIENT);
    let store = options.connect(server.url()).await.unwrap();
    a_hundred_at_once(Arc::new(store), Timestamp::now()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres; run by `cargo xtask test`"]
async fn a_hundred_parallel_refreshes_give_one_successor_on_postgres() {
    let server = Sql::postgres();
    let store = PostgresStore::connect(server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let store = Arc::new(store.deadlines(PATIENT));
    a_hundred_at_once(store, Timestamp::now()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs mariadb; run by `cargo xtask test`"]
async fn a_hundred_parallel_refreshes_give_one_successor_on_mariadb() {
    let server = Sql::mariadb();
    let store = MySqlStore::connect(server.url()).await.unwrap();
    store.migrate().await.unwrap();
    let store = Arc::new(store.deadlines(PATIENT));
    a_hundred_at_once(store, Timestamp::now()).await;
}
