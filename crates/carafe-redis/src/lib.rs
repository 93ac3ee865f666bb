//! Carafe's sessions in Redis or Valkey: one server, Sentinel or a cluster.
#![doc = include_str!("../LAYOUT.md")]

mod changes;
mod error;
mod layout;
mod link;
mod options;
mod reply;
mod rotate;
mod script;
mod store;
mod turns;
mod users;

pub use options::{Deadlines, RedisOptions};
pub use redis;
pub use store::RedisStore;
