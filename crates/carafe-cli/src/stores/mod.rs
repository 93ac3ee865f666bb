//! Any store, from its URL. The rest of the program knows stores by the contract of `carafe_core` only.
//!
//! | file | holds |
//! |---|---|
//! | `url` | [`StoreUrl`]: which store, where, and how to speak of it without its password |
//! | `kind` | [`StoreKind`]: the stores there are, and which of them are built in |
//! | `opened` | [`OpenStore`]: a store that answers, with what an operator asks of it |
//! | `flask_session` | the parameters of a URL of a store in Flask-Session's layout |
//! | `sqlite`, `redis`, `sql` | how each is opened, each behind its feature |
//! | `open` | [`open`], [`init`]: what the kind of a URL's store decides |
//! | `args` | `--store URL` and `STORE_URL` |

mod args;
#[cfg(feature = "flask-session")]
mod flask_session;
mod kind;
mod open;
mod opened;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod sql;
mod sqlite;
mod url;

pub(crate) use args::StoreArgs;
pub(crate) use kind::StoreKind;
#[cfg(feature = "flask-session")]
pub(crate) use open::open_flask_session;
pub(crate) use open::{init, open};
pub(crate) use opened::{Initialized, OpenStore};
pub(crate) use url::StoreUrl;
