//! Private servers for tests, on free ports and in temporary directories.
//!
//! The directories are removed when the test process exits for any reason.
//!
//! ```no_run
//! let redis = carafe_test_servers::Redis::start();
//! let postgres = carafe_test_servers::Sql::postgres();
//! assert_eq!(redis.cli(&["PING"]), "PONG");
//! assert_eq!(postgres.sql("SELECT 1").trim(), "1");
//! postgres.kill(); // like a power failure
//! postgres.restart();
//! ```
//!
//! | module | contents |
//! |---|---|
//! | `keeper` | a supervised process, which can be killed, stopped and restarted |
//! | `memcached` | [`Memcached`] |
//! | `nginx` | [`Nginx`], a TLS proxy; `certificate` creates its certificate |
//! | `oidc` | [`OidcProvider`], of npm |
//! | `pgbouncer` | [`PgBouncer`], a pooler for Postgres |
//! | `redis` | [`Redis`], and a sentinel |
//! | `sql` | [`Sql`]: Postgres and MariaDB, as an unprivileged user |
//! | `shell` | runs a program to completion |
//!
//! For tests only: it never uses a server that is already running, and panics with a hint if a
//! program is not installed.

#![allow(clippy::missing_panics_doc, reason = "a panic is how a test fails")]

mod certificate;
mod keeper;
mod memcached;
mod nginx;
mod oidc;
mod pgbouncer;
mod redis;
mod shell;
mod sql;

use std::net::TcpListener;

pub use memcached::Memcached;
pub use nginx::Nginx;
pub use oidc::OidcProvider;
pub use pgbouncer::PgBouncer;
pub use redis::Redis;
pub use sql::Sql;

/// Returns a port without a listener.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}
