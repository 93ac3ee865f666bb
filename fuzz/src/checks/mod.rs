//! One function per fuzz target, which panics if a guarantee of the core is broken.
//!
//! A check covers more than panics: it asserts the properties of accepted input. No check needs a
//! fuzzer, so `cargo test` replays the corpus.

mod config;
mod cookies;
mod dates;
mod encrypted;
mod input;
mod json;
mod session;
mod signed;
mod stored;

pub use config::flask_config;
pub use cookies::{cookie_header, set_cookie};
pub use dates::http_date;
pub use encrypted::encrypted_open;
pub use json::{json_value, scan_root};
pub use session::session_model;
pub use signed::{signed_body, signed_open, signer};
pub use stored::flask_session;

/// A check of arbitrary bytes.
pub type Check = fn(&[u8]);

/// All checks by the name of their target, which is also the name of their corpus.
pub const ALL: &[(&str, Check)] = &[
    ("cookie_header", cookie_header),
    ("encrypted_open", encrypted_open),
    ("flask_config", flask_config),
    ("flask_session", flask_session),
    ("http_date", http_date),
    ("json_value", json_value),
    ("scan_root", scan_root),
    ("session_model", session_model),
    ("set_cookie", set_cookie),
    ("signed_body", signed_body),
    ("signed_open", signed_open),
    ("signer", signer),
];

/// The targets whose checks are in other modules and are replayed by other crates.
pub const ELSEWHERE: &[&str] = &["jwt"];
