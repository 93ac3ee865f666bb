//! Carafe's sessions in Redis or Valkey: one server, Sentinel or a cluster.
#![doc = include_str!("../LAYOUT.md")]

mod call;
mod changes;
mod error;
#[cfg(feature = "flask-session")]
mod flask_session;
mod found;
mod layout;
mod link;
mod names;
mod options;
mod reply;
mod rotate;
mod script;
mod store;
mod turns;
mod users;
mod verbs;

#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSessionStore;
pub use options::{Deadlines, RedisOptions};
pub use redis;
pub use store::RedisStore;
