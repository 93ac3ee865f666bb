//! The native module of flask-carafe: Carafe's engine for CPython.
//!
//! The module transfers headers, values and errors between Python and `carafe_core`, which makes
//! every decision. The Python package contains the Flask-specific parts: the session interface, the
//! commands and the exceptions.
//!
//! | file | holds |
//! |---|---|
//! | `engine` | [`Engine`](engine::Engine): an application's settings, and its sessions |
//! | `session` | [`SessionBase`](session::SessionBase): the dictionary of one request |
//! | `admin` | operations on the sessions of a user and of a store |
//! | `migrate` | Flask-Session's sessions into a store of ours |
//! | `values` | conversion between Python values and JSON text |
//! | `settings` | converts Python's settings to the engine's |
//! | `snapshot` | whether the settings have changed since the last request |
//! | `stores` | any store from its URL |
//! | `head` | the headers of a response |
//! | `signer` | itsdangerous' signatures |
//! | `runtime` | the runtime of a process, and its behavior after a fork |
//! | `errors` | the engine's errors as exceptions |
//! | `events` | the engine's log events as records of Python's `logging` |
//!
//! No lock is held while Python code runs, because Python code may switch threads.

mod admin;
mod engine;
mod errors;
mod events;
mod head;
mod migrate;
mod runtime;
mod session;
mod settings;
mod signer;
mod snapshot;
mod stores;
mod values;

use pyo3::prelude::*;

/// The engine behind the package `flask_carafe`.
#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::{
        admin::{revoke, revoke_all, sessions_of, sweep},
        engine::Engine,
        migrate::migrate,
        runtime::after_fork,
        session::SessionBase,
        signer::MacSigner,
        snapshot::Snapshot,
    };

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::events::collect();
        Ok(())
    }
}
