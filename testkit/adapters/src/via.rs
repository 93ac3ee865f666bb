//! The same checks over every transport of tokens.
//!
//! A check writes `Cookie` headers and reads `Set-Cookie` headers. The client translates both at
//! the socket: the value of the session's cookie goes to the transport's request header, and the
//! transport's response header is shown to the check as a cookie.

use std::cell::Cell;

use carafe_core::session::Transport;

/// The response header of the bearer transport, and the header of the other one.
pub const TOKEN: &str = "x-session-token";

/// The transport of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// The cookie, with no other transport.
    #[default]
    Cookie,
    /// The cookie, before a bearer token.
    CookieBeforeBearer,
    /// A bearer token, with no other transport.
    Bearer,
    /// A bearer token, before the cookie.
    BearerBeforeCookie,
    /// A header, with no other transport.
    Header,
}

thread_local! {
    static VIA: Cell<Via> = const { Cell::new(Via::Cookie) };
    static NAME: Cell<&'static str> = const { Cell::new("session") };
}

/// Runs a check with sites and clients of a transport.
///
/// The setting is per thread, because each test has its own thread.
pub fn through(via: Via, check: impl FnOnce()) {
    VIA.set(via);
    check();
}

/// The translation of one client.
#[derive(Clone, Copy, Debug)]
pub struct Translation {
    via: Via,
    /// The name of the session's cookie.
    name: &'static str,
}

impl Translation {
    /// Returns the translation of this thread's check.
    pub(crate) fn current() -> Self {
        let (via, name) = (VIA.get(), NAME.get());
        Self { via, name }
    }

    /// Returns the transports of a site whose session cookie has this name.
    pub(crate) fn transports(name: &str) -> Vec<Transport> {
        NAME.set(match name {
            "session" => "session",
            "__Host-Http-session" => "__Host-Http-session",
            other => String::from(other).leak(),
        });
        let (cookie, bearer) = (Transport::cookie(), Transport::bearer(TOKEN));
        match VIA.get() {
            Via::Cookie => vec![cookie],
            Via::CookieBeforeBearer => vec![cookie, bearer],
            Via::Bearer => vec![bearer],
            Via::BearerBeforeCookie => vec![bearer, cookie],
            Via::Header => vec![Transport::header(TOKEN)],
        }
    }

    const fn is_cookie(self) -> bool {
        matches!(self.via, Via::Cookie | Via::CookieBeforeBearer)
    }

    /// Returns the header lines that a request sends instead of this one.
    pub(crate) fn request(self, name: &str, value: &str) -> Vec<(String, String)> {
        let unchanged = |value: &str| (name.to_owned(), value.to_owned());
        if self.is_cookie() || !name.eq_ignore_ascii_case("cookie") {
            return vec![unchanged(value)];
        }
        let (mut others, mut lines) = (Vec::new(), Vec::new());
        for pair in value.split("; ") {
            match pair
                .strip_prefix(self.name)
                .and_then(|rest| rest.strip_prefix('='))
            {
                None => others.push(pair),
                Some(token) if self.via == Via::Header => {
                    lines.push((TOKEN.to_owned(), token.to_owned()));
                }
                Some(token) => lines.push(("Authorization".to_owned(), format!("Bearer {token}"))),
            }
        }
        if !others.is_empty() {
            lines.push(unchanged(&others.join("; ")));
        }
        lines
    }

    /// Translates the headers of a response.
    pub(crate) fn response(self, headers: &mut [(String, String)]) {
        for (name, value) in headers {
            if name == "vary" {
                *value = self.vary(value);
            }
            if self.is_cookie() {
                let is_other = self.via == Via::CookieBeforeBearer && name == TOKEN;
                assert!(!is_other, "a request with a cookie got another token");
                continue;
            }
            if name == TOKEN {
                let removal = if value.is_empty() { "; Max-Age=0" } else { "" };
                *value = format!("{}={value}{removal}", self.name);
                "set-cookie".clone_into(name);
            } else if name == "set-cookie" {
                let is_ours = value.starts_with(&format!("{}=", self.name));
                assert!(!is_ours, "a request without a cookie got one");
            }
        }
    }

    /// Replaces the names of the transports' request headers, which must all be present.
    fn vary(self, value: &str) -> String {
        let expected: &[&str] = match self.via {
            Via::Cookie => &["Cookie"],
            Via::CookieBeforeBearer | Via::BearerBeforeCookie => &["Cookie", "Authorization"],
            Via::Bearer => &["Authorization"],
            Via::Header => &[TOKEN],
        };
        let is_in = |name: &str| {
            value
                .split(", ")
                .any(|known| known.eq_ignore_ascii_case(name))
        };
        if !expected.iter().all(|name| is_in(name)) {
            return value.to_owned();
        }
        let mut names: Vec<_> = value.split(", ").collect();
        if !expected.contains(&"Cookie") && !is_in("cookie") {
            names.push("Cookie");
        }
        names.retain(|name| {
            *name == "Cookie" || name.eq_ignore_ascii_case("cookie") || !expected.contains(name)
        });
        names.join(", ")
    }
}
