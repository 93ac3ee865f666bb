//! The demo and the console in a real browser: what a visitor sees, what the browser has stored, and pictures of them.
//!
//! | file | holds |
//! |---|---|
//! | `site` | a running demo, and visitors in front of it |
//! | `console` | the same for the console, its live pages, and what it owes to whoever cannot see or point |
//! | `proxy` | the console behind a real proxy with TLS |
//! | `walk` | through all of the page: on a phone and at a desk, with scripts and without |
//! | `cookies` | the attributes that the browser really stored, and what it refused |
//! | `pictures` | the screenshots of the README |

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod console;
mod cookies;
mod pictures;
mod proxy;
mod site;
#[path = "../support/mod.rs"]
mod support;
mod walk;
