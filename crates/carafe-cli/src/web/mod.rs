//! What the pages of the demo and of the console share. Next: [`super::demo`] and [`super::console`].
//!
//! | file | holds |
//! |---|---|
//! | `site` | by which names a local server may be called, and which forms are its own (DNS rebinding, CSRF) |
//! | `ending` | the signals that end a server |
//! | `icon`, `json` | drawings; JSON text in colours |
//! | `style.css` | tokens, base, page frame, controls; a page's own sheet follows it |

pub(crate) mod ending;
pub(crate) mod icon;
pub(crate) mod json;
pub(crate) mod site;
