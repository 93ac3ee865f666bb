//! Tests of the public API.
//!
//! | module | needs |
//! |---|---|
//! | `refresh` | nothing |
//! | `lost_reply` | nothing: a server over HTTP behind `testkit/proxy` |
//! | `servers` | Redis, Postgres and MariaDB; run by `cargo xtask test` |
//! | `flask`, `issue`, `jsonwebtoken` | nothing |
//! | `example` | nothing: calls the routes of the example |
//! | `fuzz_corpus` | nothing |
//! | `oracles` | Python and Node; run by `cargo xtask test` |
//! | `wycheproof` | C2SP/wycheproof; `cargo xtask test` runs it if `CARAFE_WYCHEPROOF` is set |

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod example;
mod flask;
mod fuzz_corpus;
mod issue;
mod jsonwebtoken;
mod lost_reply;
mod oracles;
mod refresh;
mod responses;
mod servers;
mod wycheproof;
