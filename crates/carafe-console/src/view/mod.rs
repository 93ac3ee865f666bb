//! The HTML of the console: one function per page or component, each named as in the style sheet.
//!
//! maud escapes all text except constants. The script replaces the regions with `data-live`, each
//! of which has an ID.

mod confirm;
mod frame;
mod list;
mod overview;
mod plot;
mod session;
mod text;

pub(super) use confirm::{ask_all, ask_one, ask_user};
pub(super) use frame::{Section, page, refusal, trouble};
pub(super) use list::{found, list};
pub(super) use overview::overview;
pub(super) use session::{damaged, session};
pub(super) use text::sessions;
