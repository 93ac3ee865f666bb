//! Carafe's sessions in Redis or Valkey: one server, Sentinel or a cluster.
#![doc = include_str!("../LAYOUT.md")]

mod call;
mod change;
mod connection;
mod endpoint;
mod error;
mod finish;
#[cfg(feature = "flask-session")]
mod flask_session;
mod header;
mod health;
mod index_entry;
mod inventory;
mod key_locks;
mod layout;
mod listing;
mod names;
mod options;
mod replication;
mod reply;
mod revoke;
mod rotate;
mod script;
mod store;
mod summaries;
mod sweep;
mod users;
mod value;
mod verbs;
mod wait;
mod walk;

#[cfg(feature = "flask-session")]
pub use carafe_core::flask::stored::{FlaskSession, Format};
pub use carafe_core::store::{Deadlines, StoreError};
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSessionStore;
pub use options::RedisOptions;
pub use redis;
pub use store::RedisStore;
