//! The command `carafe`, run as a person runs it.
//!
//! | module | tests |
//! |---|---|
//! | `inspect`, `sign`, `key` | the commands for cookies and keys |
//! | `tokens` | the same for access tokens and refresh tokens |
//! | `sessions`, `store`, `migrate`, `migrate_flask_session` | commands for stores, on SQLite |
//! | `servers` | the same commands on Redis, Postgres and MariaDB |
//! | `docs` | `docs/cli.md`, the manual and the completions |
//! | `console` | `carafe console` over HTTP |
//! | `browser` | the console in Chromium |

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod browser;
mod console;
mod docs;
mod inspect;
mod key;
mod migrate;
mod migrate_flask_session;
mod servers;
mod sessions;
mod sign;
mod store;
mod support;
mod tokens;
