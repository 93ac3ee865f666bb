//! The demo in a real browser: the page, the stored cookies, and screenshots.
//!
//! | file | holds |
//! |---|---|
//! | `site` | a running demo and its visitors |
//! | `walk` | all of the page: on a phone and on a desktop, with scripts and without |
//! | `cookies` | the attributes that the browser stored, and the cookies that it rejected |
//! | `overlap` | a session in a store with overlapping requests of two tabs |
//! | `pictures` | the screenshots of the README |

mod cookies;
mod overlap;
mod pictures;
mod site;
mod walk;
