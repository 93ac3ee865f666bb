//! The rows of the security checklist about tokens, keys and sessions in cookies.
//!
//! `docs/assurance.md` lists the tests of each row. TOK is about tokens, CRY about keys and
//! ciphers, CKR and CKW about reading and writing cookies, SID about session IDs, OPS about caches,
//! errors and logs. `session::conformance`, which every store runs, tests the SID and LIF rows
//! about sessions in a store.

mod browser;
mod cookies;
mod flask_login;
mod ids;
mod keys;
mod operations;
mod primitives;
mod tokens;
mod transports;
