//! The HTML of the demo page: one function per component, each named as in the style sheet.
//!
//! maud escapes all text. Only constants (`icon`) are not escaped. The panels line up because each
//! has the same seven children (CSS subgrid), including the slot of the banner, which may be empty.

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
