//! The HTML of the demo page: one function per component, each named as in the style sheet.
//!
//! maud escapes all text; what is not escaped is constant (`icon`). The panels line up because each
//! has the same seven children (CSS subgrid), the banner's slot among them, empty or not.

mod bar;
mod card;
mod code;
mod cookie;
mod devices;
mod dictionary;
mod keys;
mod page;
mod panel;
mod race;
mod reader;
mod record;

pub(super) use page::page;

use carafe_console::shared::{icon, json};
