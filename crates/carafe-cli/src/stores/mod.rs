//! Opens any store from its URL. The rest of the program only knows the store traits of
//! `carafe_core`.
//!
//! | file | holds |
//! |---|---|
//! | `url` | [`StoreUrl`]: the kind and location of a store, displayed without its password |
//! | `kind` | [`StoreKind`]: the kinds of stores, and which of them are built in |
//! | `opened` | [`OpenStore`]: an open store with the operations of operators |
//! | `flask_session` | the parameters of a URL of a store in Flask-Session's layout |
//! | `sqlite`, `redis`, `sql` | the opening of each store, behind its cargo feature |
//! | `open` | [`open()`], [`init`]: what the kind of a URL's store decides |
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
