//! Parts of pages that Carafe's own programs share with the console. Not part of this crate's API.
//!
//! | file | holds |
//! |---|---|
//! | `human` | times, numbers and untrusted text for people |
//! | `json_text` | splits JSON text into tokens |
//! | `headers` | the headers that protect a page |
//! | `site` | accepted host names and form origins of a local server (DNS rebinding, CSRF) |
//! | `user_agent` | a `User-Agent` header in a few words |
//! | `icon`, `json` | drawings; JSON text in colors |
//! | `style.css` | tokens, base, page frame, controls; the style sheet of a page follows |

pub mod headers;
pub mod human;
pub mod icon;
pub mod json;
pub mod json_text;
pub mod site;
pub mod user_agent;

/// The style sheet of all pages.
pub const STYLE: &str = include_str!("style.css");

/// The style sheet of the console.
pub const CONSOLE_STYLE: &str = concat!(include_str!("style.css"), include_str!("../style.css"));
