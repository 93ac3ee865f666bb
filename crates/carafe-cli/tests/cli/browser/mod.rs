//! `carafe console` in a real browser: what an operator sees, and pictures of it.
//!
//! | file | holds |
//! |---|---|
//! | `console` | a running console, its live pages, keyboard, contrast and labels |
//! | `proxy` | the console behind a real proxy with TLS |
//! | `pictures` | the screenshots of the README |

mod console;
mod pictures;
mod proxy;
