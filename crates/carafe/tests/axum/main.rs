//! What only axum can do, and what only a look into the log can tell; what every adapter must do is in `adapter.rs`.
//!
//! Most tests call a router directly; `wire.rs` goes through a socket where the server has a say: streams, upgrades,
//! HTTP/2.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod browser;
mod layers;
mod log;
#[path = "../../../carafe-core/tests/security/logs.rs"]
mod logs;
mod wire;
