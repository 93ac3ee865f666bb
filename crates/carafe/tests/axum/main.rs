//! Tests of the axum adapter, and of guarded stores.
//!
//! | module | asserts |
//! |---|---|
//! | `adapter` | what every adapter must do, over real HTTP |
//! | `api` | `examples/api.rs`, and cross-site requests in Chromium |
//! | `guarded` | a store behind a guard, with a paused clock |
//! | `layers` | the layer missing, twice, nested, merged |
//! | `live` | `examples/live.rs`, over WebSockets |
//! | `log` | the log events of failures |
//! | `wire` | streams, upgrades and HTTP/2, through a socket |
//!
//! `browser` is the client of these tests. The log is recorded per thread, and each runtime pauses
//! its own clock, so concurrent tests do not affect each other.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod adapter;
mod api;
mod browser;
mod guarded;
mod layers;
mod live;
mod log;
mod wire;
