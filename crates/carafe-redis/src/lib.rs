//! Carafe's sessions in Redis or Valkey: one server, Sentinel or a cluster.
#![doc = include_str!("../LAYOUT.md")]

mod call;
mod changes;
mod error;
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

pub use carafe_core::store::Deadlines;
pub use options::RedisOptions;
pub use redis;
pub use store::RedisStore;
