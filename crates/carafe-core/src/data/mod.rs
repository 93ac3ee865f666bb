//! The dictionary of a session and its changes.
//!
//! The public paths of these types are in [`crate::session`].
//!
//! | file | content |
//! |---|---|
//! | `dict` | [`SessionData`], the dictionary, with each value as JSON text |
//! | `packed` | a dictionary as bytes that need no scan |
//! | `patch` | [`Patch`], the changes of a request, applicable to any later state |
//! | `merge` | the dictionary that results from a patch |

mod dict;
mod merge;
mod packed;
mod patch;

pub use dict::SessionData;
pub use patch::{Access, Change, MetaPatch, Patch, Update, UpdateError, UpdateFn};
