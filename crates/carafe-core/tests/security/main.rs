//! The rows of the security checklist that concern tokens, keys and sessions in cookies: one test a row,
//! named after it. TOK is about tokens, CRY about keys and ciphers, CKR and CKW about reading and writing
//! cookies, SID about session ids, OPS about caches, errors and logs. What SID and LIF say about sessions in a store is in
//! `session::conformance`, which every store runs.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod browser;
mod cookies;
mod ids;
mod keys;
mod logs;
mod operations;
mod primitives;
mod tokens;
