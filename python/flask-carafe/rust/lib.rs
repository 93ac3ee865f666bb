//! The native module of flask-carafe: Carafe's engine for CPython.
//!
//! The module carries headers, values and errors between Python and `carafe_core`, which makes
//! every decision. The Python package beside it contains what is Flask's: the session interface,
//! the commands and the exceptions.
//!
//! | file | holds |
//! |---|---|
//! | `engine` | [`Engine`](engine::Engine): one application's settings, and its sessions in this process |
//! | `session` | [`SessionBase`](session::SessionBase): the dictionary of one request |
//! | `admin` | operations on the sessions of a user and of a store |
//! | `migrate` | Flask-Session's sessions into a store of ours |
//! | `values` | Python's values from and to JSON text |
//! | `settings` | Python's settings as the engine's |
//! | `stores` | any store from its URL |
//! | `head` | the headers of a response |
//! | `signer` | itsdangerous' signatures |
//! | `runtime` | the runtime of a process, and what a fork does to it |
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
    };

    #[pymodule_init]
    fn init(_module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::events::collect();
        Ok(())
    }
}
