//! Carafe's sessions in Redis or Valkey: one server, Sentinel or a cluster.
#![doc = include_str!("../LAYOUT.md")]

mod beat;
mod call;
mod change;
mod ends;
mod error;
#[cfg(feature = "flask-session")]
mod flask_session;
mod found;
mod glance;
mod health;
mod inventory;
mod layout;
mod link;
mod listing;
mod names;
mod options;
mod pipelined;
mod place;
mod reply;
mod rotate;
mod script;
mod store;
mod sweep;
mod timed;
mod turns;
mod users;
mod verbs;
mod wait;
mod walk;
mod words;

pub use carafe_core::store::Deadlines;
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSessionStore;
pub use options::RedisOptions;
pub use redis;
pub use store::RedisStore;
