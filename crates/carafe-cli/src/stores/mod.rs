//! Any store, from its URL. The rest of the program knows stores by the contract of `carafe_core` only.
//!
//! | file | holds |
//! |---|---|
//! | `args` | `--store URL` and `STORE_URL` |
//! | `url` | [`StoreUrl`]: which store, where, and how to speak of it without its password |
//! | `kind` | [`StoreKind`]: the stores there are, and which of them are built in |
//! | `opened` | [`OpenStore`]: a store that answers, with what an operator asks of it |
//! | `flask_session` | what is in Flask-Session's layout, for a migration to take from |
//! | `sqlite`, `redis`, `sql` | how each is opened, each behind its feature |

mod args;
#[cfg(feature = "flask-session")]
mod flask_session;
mod kind;
mod opened;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod sql;
mod sqlite;
mod url;

pub(crate) use args::StoreArgs;
pub(crate) use kind::StoreKind;
pub(crate) use opened::{Initialized, OpenStore};
pub(crate) use url::StoreUrl;
