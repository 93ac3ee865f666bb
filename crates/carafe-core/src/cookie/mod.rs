//! Cookies on the wire: the `Cookie` header in, `Set-Cookie` text out.
//!
//! Reads with Werkzeug's two grammars ([`Grammar`]), writes Werkzeug's text ([`SetCookie`]), and keeps
//! what one application cookie looks like in one place, so that its removal can never differ from
//! it ([`CookiePolicy`]).
//!
//! Never: knows what a session or a key is, reads a clock, or touches a response. It takes header
//! bytes and a time, and hands back text or an error. Whatever strings come in, no output has a CR, LF or NUL.
//!
//! Next: `parse.rs` for the way in, `set_cookie.rs` (with the list of hardenings) and `policy.rs`
//! for the way out. Specification: RFC 6265bis and Werkzeug 3.1.9.

mod attributes;
mod candidates;
#[cfg(feature = "cookie")]
mod convert;
mod date;
mod error;
mod grammar;
mod header_list;
mod invalid;
mod parse;
mod policy;
mod prefix;
mod request;
mod same_site;
mod scan;
mod set_cookie;
mod value;

pub use candidates::{Candidates, MAX_CANDIDATES, values_of};
pub use date::http_date;
pub use error::CookieError;
pub use grammar::Grammar;
pub use header_list::sets_cookie;
pub use invalid::InvalidCookie;
pub use parse::{MAX_HEADER_BYTES, MAX_PAIRS, Pair, Pairs, pairs};
pub use policy::{CookiePolicy, CookiePolicyBuilder, Persistence};
pub use prefix::Prefix;
pub use request::RequestCookies;
pub use same_site::SameSite;
pub use set_cookie::SetCookie;

/// The longest lifetime a browser grants (RFC 6265bis §5.5): 400 days, in seconds.
pub const MAX_AGE_LIMIT: i64 = 400 * 24 * 60 * 60;
/// The most bytes that name and value may have together (RFC 6265bis §5.6).
pub const MAX_COOKIE_BYTES: usize = 4096;
/// The most bytes that the value of one attribute may have (RFC 6265bis §5.6).
pub const MAX_ATTRIBUTE_BYTES: usize = 1024;
