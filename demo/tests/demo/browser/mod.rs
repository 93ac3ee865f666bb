//! The demo in a real browser: what a visitor sees, what the browser has stored, and pictures of
//! it.
//!
//! | file | holds |
//! |---|---|
//! | `site` | a running demo and its visitors |
//! | `walk` | through all of the page: on a phone and at a desk, with scripts and without |
//! | `cookies` | the attributes that the browser really stored, and what it refused |
//! | `overlap` | a session in a store while requests of two tabs overlap |
//! | `pictures` | the screenshots of the README |

mod cookies;
mod overlap;
mod pictures;
mod site;
mod walk;
