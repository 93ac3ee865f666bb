//! The rows of the security checklist that concern tokens, keys and sessions in cookies: one test a row,
//! named after it. TOK is about tokens, CRY about keys and ciphers, CKR and CKW about reading and writing
//! cookies, OPS about caches, errors and logs.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod browser;
mod cookies;
mod keys;
mod logs;
mod operations;
mod tokens;
