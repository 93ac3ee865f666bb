//! Servers for tests: private ones on free ports, in directories of their own, gone with the test however
//! it ends.
//!
//! ```no_run
//! let redis = carafe_test_servers::Redis::start();
//! let postgres = carafe_test_servers::Sql::postgres();
//! assert_eq!(redis.cli(&["PING"]), "PONG");
//! assert_eq!(postgres.sql("SELECT 1").trim(), "1");
//! postgres.kill(); // as a power cut would
//! postgres.restart();
//! ```
//!
//! | file | holds |
//! |---|---|
//! | `keeper` | a process that is watched over, killed, stopped and started again |
//! | `nginx` | [`Nginx`], a proxy with TLS |
//! | `redis` | [`Redis`], and a sentinel |
//! | `sql` | [`Sql`]: Postgres and MariaDB, as a user without rights |
//! | `shell` | running a program to its end |
//!
//! It never relies on a server that runs already, and panics with what to install if a program is missing:
//! it is for tests only.

#![allow(clippy::missing_panics_doc, reason = "a panic is how a test fails")]

mod keeper;
mod nginx;
mod redis;
mod shell;
mod sql;

use std::net::TcpListener;

pub use nginx::Nginx;
pub use redis::Redis;
pub use sql::Sql;

/// A port that nobody listens on.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}
