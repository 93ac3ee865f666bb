//! Cookies on the wire: parses the `Cookie` header and renders `Set-Cookie` text.
//!
//! This module reads with Werkzeug's two grammars ([`Grammar`]), writes Werkzeug's text
//! ([`SetCookie`]) and defines the name and the attributes of an application's cookie once, so that
//! the cookie and its removal cannot differ ([`CookiePolicy`]).
//!
//! This module knows neither sessions nor keys, reads no clock and changes no response: it takes
//! header bytes and a time, and returns text or an error. No output ever contains CR, LF or NUL.
//!
//! `parse.rs` parses the `Cookie` header. `set_cookie.rs`, which lists the differences from
//! Werkzeug, and `policy.rs` render `Set-Cookie`. Specification: RFC 6265bis and Werkzeug 3.1.9.
//!
//! # Example
//!
//! ```
//! use carafe_core::cookie::{CookiePolicy, Grammar, Persistence, RequestCookies};
//!
//! let theme = CookiePolicy::builder("theme").build()?;
//! assert_eq!(
//!     theme.set("solarized dark", Persistence::BrowserSession)?,
//!     "theme=\"solarized dark\"; Secure; HttpOnly; Path=/; SameSite=Lax",
//! );
//!
//! let header: &[u8] = b"theme=\"solarized dark\"; session=abc";
//! let cookies = RequestCookies::parse([header], Grammar::Strict);
//! assert_eq!(cookies.get("theme"), Some("solarized dark"));
//! assert_eq!(cookies.get("language"), None);
//! # Ok::<(), carafe_core::cookie::CookieError>(())
//! ```

mod attributes;
mod candidates;
#[cfg(feature = "cookie")]
mod convert;
mod date;
mod error;
mod grammar;
mod header_list;
mod parse;
mod policy;
mod prefix;
mod public_suffix;
mod request;
mod same_site;
mod scan;
mod set_cookie;
mod value;

pub use candidates::{Candidates, MAX_CANDIDATES, values_of};
pub use date::http_date;
pub use error::CookieError;
pub use grammar::Grammar;
pub(crate) use header_list::is_same_cookie;
pub use header_list::sets_cookie;
pub use parse::{MAX_HEADER_BYTES, MAX_PAIRS, Pair, Pairs, pairs};
pub use policy::{CookiePolicy, CookiePolicyBuilder, Persistence};
pub use prefix::Prefix;
pub use request::RequestCookies;
pub use same_site::SameSite;
pub(crate) use scan::find;
pub use set_cookie::SetCookie;

/// The longest cookie lifetime that browsers grant (RFC 6265bis §5.5): 400 days, in seconds.
pub const MAX_AGE_LIMIT: i64 = 400 * 24 * 60 * 60;
/// The maximum size of a cookie's name and value together, in bytes (RFC 6265bis §5.6).
pub const MAX_COOKIE_BYTES: usize = 4096;
/// The maximum size of one attribute's value, in bytes (RFC 6265bis §5.6).
pub const MAX_ATTRIBUTE_BYTES: usize = 1024;
