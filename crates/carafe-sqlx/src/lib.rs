//! Carafe session stores in Postgres, MySQL and MariaDB.
//!
//! One table holds the sessions, one row each, and their former keys. An operation is one statement
//! unless another request writes the same session; a patch then locks the row in a short
//! transaction and merges. A rotation always needs a transaction, because it writes two rows. The
//! database's clock is never used: expiry is decided by the caller's `now`.
//!
//! | module | contents |
//! |---|---|
//! | `store` | [`SqlStore`], its constructors and options; `deadline` limits its operations |
//! | `connect`, `connect_error`, `pool` | connecting to a URL: TLS, poolers, causes of failures |
//! | `verbs` | load, create, touch, delete; `change`: patch, rotate; `trim`: the limit per user |
//! | `inventory`, `look` | pages, samples and scans for operators; `health`: the health report |
//! | `statements` | all SQL; `postgres` and `mysql` hold the differences |
//! | `sweep_lease` | the lease that selects the process that sweeps |
//! | `row`, `value` | conversion between records and columns |
//! | `flask_session` | a store on Flask-Session's table (feature `flask-session`) |
//! | `lease` | a connection that returns to its pool only when it is idle |

#[cfg(not(any(feature = "postgres", feature = "mysql")))]
compile_error!("carafe-sqlx without a database: turn on its feature `postgres` or `mysql`");

mod change;
mod connect;
mod connect_error;
mod contract;
mod deadline;
mod dialect;
mod failure;
#[cfg(feature = "flask-session")]
mod flask_session;
mod health;
mod inventory;
mod lease;
mod look;
mod migrate;
#[cfg(feature = "mysql")]
mod mysql;
mod pool;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod statements;
mod store;
mod sweep_lease;
mod table;
mod trim;
mod value;
mod verbs;

#[cfg(feature = "flask-session")]
pub use carafe_core::flask::stored::{FlaskSession, Format};
pub use carafe_core::store::{Deadlines, StoreError};
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSessionStore;
#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use store::SqlStore;
pub use table::InvalidTable;
