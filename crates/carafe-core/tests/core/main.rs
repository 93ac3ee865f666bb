//! Tests of the engine's public API.
//!
//! | module | asserts |
//! |---|---|
//! | `cookie_user_agent` | cookies as kept and removed by the browser in `user_agent` |
//! | `cookie_vectors` | the same cookies as Werkzeug |
//! | `fuzz_corpus` | every input that fuzzing found |
//! | `cas_store`, `memory_store`, `moving_store` | the contract, on the stores of the core |
//! | `provider_sessions` | the `sid` of a session, and log-ins at an OpenID provider that fail |
//! | `security` | the rows of the security checklist |
//! | `signed_ids` | server-side IDs with a signature |
//! | `vectors` | the tokens of Flask, Quart, Starlette and itsdangerous |

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[cfg(feature = "conformance")]
mod cas_store;
mod cookie_user_agent;
mod cookie_vectors;
mod fuzz_corpus;
#[cfg(feature = "conformance")]
mod memory_store;
#[cfg(feature = "conformance")]
mod moving_store;
mod provider_sessions;
mod security;
mod signed_ids;
mod user_agent;
mod vectors;
