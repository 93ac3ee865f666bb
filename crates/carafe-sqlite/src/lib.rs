//! Sessions in an SQLite file: Carafe's embedded store, for services on one machine.
//!
//! Reads run in parallel and where they are asked for. One thread writes: it commits what has queued up as
//! one transaction, so that durable writes share their `fsync`. Several processes may share a file on a
//! local disk. It never makes tables unasked, never overwrites a row that it cannot read, and needs no
//! runtime. Times and data stand in the file so that any SQLite tool shows them: [`SCHEMA`].
//!
//! | file | holds |
//! |---|---|
//! | `store` | [`SqliteStore`]; `contract` makes it a `SessionStore`, `inventory` an `Inventory` |
//! | `options`, `url`, `connect`, `schema` | from a file to connections |
//! | `reader`, `writer`, `batch`, `job` | who runs what, and when |
//! | `find`, `look`, `change`, `claim`, `remove`, `rows` | the statements |
//! | `health` | what an operator wants to know of a file |
//! | `flask_session` | the table of Flask-Session instead (feature `flask-session`) |
//! | `error` | what went wrong, by kind |
//!
//! # Example
//!
//! ```
//! use carafe_core::{
//!     clock::Timestamp,
//!     session::{Patch, SessionData},
//!     store::{Handle, Record, SessionStore, StoreKey},
//! };
//! use carafe_sqlite::{SqliteOptions, SqliteStore};
//!
//! # let file = std::env::temp_dir().join(format!("carafe-example-{}.db", std::process::id()));
//! SqliteStore::migrate(&file)?; // once, as the step of a deployment that it is
//! let store = SqliteStore::open(&file, SqliteOptions::default())?;
//!
//! let (key, now) = (StoreKey::of_id("an id from a cookie"), Timestamp::now());
//! let record = Record {
//!     data: SessionData::parse(r#"{"n":1}"#.to_owned(), Record::STYLE)?,
//!     user: None,
//!     handle: Handle::random()?,
//!     device: None,
//!     created: now,
//!     renewed: now,
//!     last_seen: now,
//!     expires: now.saturating_add(1800),
//!     authenticated: None,
//!     version: 0,
//! };
//! # futures_executor::block_on(async {
//! store.create(&key, &record, now).await?;
//! let mut patch = Patch::default();
//! patch.set("n", "2".to_owned());
//! store.patch(&key, &record, &patch, now).await?;
//! let loaded = store.load(&key, now).await?.expect("it was filed");
//! assert_eq!(loaded.data.text_of("n"), Some("2"));
//! # Ok::<(), carafe_core::store::StoreError>(())
//! # })?;
//! store.close(); // or drop it: what has queued up is committed first
//! # std::fs::remove_file(&file)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a commit is worth
//!
//! | [`Durability`] | survives `kill -9` | survives a power cut |
//! |---|---|---|
//! | `Full`, the default | yes | yes |
//! | `Normal` | yes | the newest writes may be lost; the file is whole |
//!
//! # Deadlines
//!
//! A write that the writer has not begun within [`SqliteOptions::deadline`] is answered with
//! `StoreError::Timeout` and not run. Whoever waits for another process' lock is let go in the same way. A
//! disk that hangs inside one `fsync` hangs the thread that called it: no timeout of this crate can end
//! that, so a service with such disks puts its own around the store's futures, which may be dropped at any
//! time; what was queued is applied all the same.

mod batch;
mod change;
mod claim;
mod connect;
mod contract;
mod error;
mod find;
#[cfg(feature = "flask-session")]
mod flask_session;
mod health;
mod inventory;
mod job;
mod look;
mod options;
mod reader;
mod remove;
mod rows;
mod schema;
mod sql;
mod store;
mod url;
mod writer;

pub use error::OpenError;
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSessionStore;
pub use options::{Durability, SqliteOptions};
pub use schema::{SCHEMA, SCHEMA_VERSION};
pub use store::SqliteStore;
