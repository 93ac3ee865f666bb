//! Carafe's sessions in Postgres, MySQL and MariaDB.
//!
//! One table holds the sessions, one row each. Every verb is one statement where nobody else writes the
//! same session; where somebody does, a patch takes the row's lock in a short transaction and merges.
//! The database's clock is never asked: what has expired is decided by the caller's `now`.
//!
//! | file | holds |
//! |---|---|
//! | `store` | [`SqlStore`]: how one is made and configured; `deadline` bounds what it does |
//! | `verbs` | what load, create, touch and delete do; `change` is patch and rotate |
//! | `inventory`, `look` | pages, samples and walks for operators; `health` is how a store is |
//! | `statements` | all SQL; `postgres` and `mysql` are what they do not agree on |
//! | `claim` | which of several processes sweeps |
//! | `row` | a record as columns and back |
//! | `flask_session` | the same on the table of Flask-Session (feature `flask-session`) |
//! | `lease` | a connection that only goes back to its pool clean |

#[cfg(not(any(feature = "postgres", feature = "mysql")))]
compile_error!("carafe-sqlx without a database: turn on its feature `postgres` or `mysql`");

mod change;
mod claim;
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
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod statements;
mod store;
mod table;
mod verbs;

pub use carafe_core::store::Deadlines;
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSessionStore;
#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use store::SqlStore;
pub use table::InvalidTable;
