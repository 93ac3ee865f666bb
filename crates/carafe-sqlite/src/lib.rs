//! A session store in an SQLite file: Carafe's embedded store, for services on one machine.
//!
//! Reads run in parallel on the calling threads. One thread writes and commits all queued writes
//! in one transaction, so that durable writes share an `fsync`. Several processes may share a file
//! on a local disk. The store creates tables only on request, never overwrites a row that it cannot
//! read, and needs no async runtime. Times and data are readable with any SQLite tool: see
//! [`SCHEMA`].
//!
//! | module | contents |
//! |---|---|
//! | `store` | [`SqliteStore`]; `contract` and `inventory` implement the traits of stores |
//! | `options`, `url`, `access`, `connect`, `schema`, `tables` | opening a file |
//! | `reader`, `long_reads`, `writer`, `batch`, `job` | scheduling of reads and writes |
//! | `find`, `look`, `change`, `sweep_lease`, `remove`, `rows` | the statements |
//! | `health` | the operators' health report |
//! | `flask_session` | the table of Flask-Session (feature `flask-session`) |
//! | `error` | error types |
//!
//! # Example
//!
//! ```
//! use carafe::{ServerSide, SessionLayer};
//! use carafe_sqlite::{SqliteOptions, SqliteStore};
//!
//! # let file = std::env::temp_dir().join(format!("carafe-example-{}.db", std::process::id()));
//! SqliteStore::migrate(&file)?; // once, as a step of a deployment
//! let store = SqliteStore::open(&file, SqliteOptions::default())?;
//! let sessions = SessionLayer::new(ServerSide::new(store));
//! # drop(sessions);
//! # std::fs::remove_file(&file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A store that is dropped commits its queued writes first.
//!
//! # Durability
//!
//! | [`Durability`] | survives `kill -9` | survives a power failure |
//! |---|---|---|
//! | `Full`, the default | yes | yes |
//! | `Normal` | yes | the newest writes may be lost; the file stays consistent |
//!
//! # File permissions
//!
//! A new file and its log are readable and writable by their owner only. A file that any user can
//! write is refused, and so is a file that any user can replace: in a world-writable directory, or
//! behind a symbolic link in such a directory. A world-readable file is a problem in
//! [`SqliteStore::health`], as is any symbolic link. Group permissions are the operator's decision.
//!
//! # Deadlines
//!
//! A write that is not started within [`SqliteOptions::deadline`] fails with `StoreError::Timeout`
//! and is not run; so does a write that waits for another process' lock. A disk that hangs inside
//! an `fsync` blocks the calling thread, and no timeout of this crate can interrupt it. A service
//! with such disks adds its own timeout around the store's futures, which may be dropped at any
//! time; a queued write is applied even if its future is dropped.

mod access;
mod batch;
mod change;
mod connect;
mod contract;
mod error;
mod find;
#[cfg(feature = "flask-session")]
mod flask_session;
mod health;
mod inventory;
mod job;
mod long_reads;
mod look;
mod options;
mod reader;
mod remove;
mod rows;
mod schema;
mod sql;
mod store;
mod sweep_lease;
mod tables;
mod url;
mod writer;

#[cfg(feature = "flask-session")]
pub use carafe_core::flask::stored::{FlaskSession, Format};
pub use carafe_core::store::StoreError;
pub use error::OpenError;
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSessionStore;
pub use options::{Durability, SqliteOptions};
pub use store::SqliteStore;
pub use tables::{SCHEMA, SCHEMA_VERSION};
