//! Sessions and cookies in real axum routers: what a client sees on the wire.
//!
//! Most tests call a router directly; `wire.rs` goes through a socket where the server has a say: HEAD, 304,
//! streams, upgrades, panics.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod browser;
mod cookies;
mod flask;
mod headers;
mod layers;
mod lifecycle;
#[path = "../../../carafe-core/tests/security/logs.rs"]
mod logs;
mod wire;
