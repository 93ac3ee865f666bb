//! Cookies as the browser has stored them, which may differ from the `Set-Cookie` line.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    thread,
};

use carafe_core::cookie::CookiePolicy;
use carafe_test_browser::{Chromium, DESK, FIREFOX, StoredCookie};

use super::site::{Site, set};

/// The attributes of a cookie in the browser.
fn attributes(cookie: &StoredCookie) -> (&str, &str, bool, bool, &str) {
    let StoredCookie {
        domain,
        path,
        http_only,
        secure,
        same_site,
        ..
    } = cookie;
    (domain, path, *http_only, *secure, same_site)
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn the_browser_keeps_the_attributes_that_the_page_shows() {
    let site = Site::new(DESK, true);
    let ada = site.visitor(FIREFOX);
    for (way, name, expected) in [
        ("signed", "session", ("127.0.0.1", "/", true, false, "")),
        (
            "encrypted",
            "__Host-Http-session",
            ("127.0.0.1", "/", true, true, "Lax"),
        ),
        (
            "stored",
            "__Host-Http-id",
            ("127.0.0.1", "/", true, true, "Lax"),
        ),
    ] {
        set(&ada, way, "visits", "1");
        let kept = ada.cookie(name).unwrap();
        assert_eq!(attributes(&kept), expected, "{name}");
        assert_eq!(kept.expires, None, "{name} goes with the browser");
        assert_eq!(ada.ask("document.cookie"), "", "no script can read {name}");

        ada.submit(&format!("#{way} form[action$=permanent] button"));
        let kept = ada.cookie(name).unwrap();
        assert_eq!(attributes(&kept), expected, "{name}");
        let chips = ada.text(&format!("#{way} .chips"));
        let date = chips
            .lines()
            .find_map(|chip| chip.strip_prefix("Expires="))
            .unwrap();
        let shown = ada.ask(&format!("Date.parse({date:?}) / 1000"));
        // The browser corrects the date by the difference between its clock and the `Date` of the
        // response, which has whole seconds.
        let off = kept.expires.unwrap() - shown.as_f64().unwrap();
        assert!(
            off.abs() < 2.0,
            "{name} stays until then, and not {off} s longer"
        );

        ada.submit(&format!("#{way} form[action$=clear] button"));
        assert!(ada.cookie(name).is_none(), "{name} is removed");
    }
}

/// Starts a server that answers every request with these cookies. Returns its port.
fn server(cookies: Vec<String>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .for_each(drop);
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n";
            let cookies: String = cookies
                .iter()
                .map(|line| format!("Set-Cookie: {line}\r\n"))
                .collect();
            // A browser may open connections in advance and leave them.
            let _ = stream.write_all(format!("{head}{cookies}\r\n").as_bytes());
        }
    });
    port
}

/// A name, attributes, and whether browsers accept such a cookie.
struct Case {
    name: &'static str,
    secure: bool,
    http_only: bool,
    path: &'static str,
    domain: Option<&'static str>,
    kept: bool,
}

impl Case {
    const fn good(name: &'static str) -> Self {
        Self {
            name,
            secure: true,
            http_only: true,
            path: "/",
            domain: None,
            kept: true,
        }
    }

    fn line(&self) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let http_only = if self.http_only { "; HttpOnly" } else { "" };
        let domain = self
            .domain
            .map(|domain| format!("; Domain={domain}"))
            .unwrap_or_default();
        format!(
            "{}=1{secure}{http_only}; Path={}{domain}; SameSite=Lax",
            self.name, self.path
        )
    }

    /// Returns whether Carafe accepts such a cookie policy.
    fn is_allowed_by_us(&self) -> bool {
        let policy = CookiePolicy::builder(self.name).secure(self.secure);
        let policy = policy.http_only(self.http_only).path(self.path);
        let policy = match self.domain {
            Some(domain) => policy.domain(domain),
            None => policy,
        };
        policy.build().is_ok()
    }
}

/// Tests each invalid attribute under a prefix and under a plain name: browsers reject the cookie
/// because of its prefix (RFC 6265bis §4.1.3).
#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn what_our_policy_refuses_under_a_prefix_the_browser_refuses_too() {
    const PARENT: Option<&str> = Some("shop.localhost");
    #[rustfmt::skip]
    let cases = [
        Case::good("__Host-good"),
        Case { domain: PARENT, kept: false, ..Case::good("__Host-domain") },
        Case { domain: PARENT, ..Case::good("plain-domain") },
        Case { path: "/sub", kept: false, ..Case::good("__Host-path") },
        Case { path: "/sub", ..Case::good("plain-path") },
        Case { secure: false, kept: false, ..Case::good("__Host-insecure") },
        Case { secure: false, kept: false, ..Case::good("__Secure-insecure") },
        Case { secure: false, ..Case::good("plain-insecure") },
        Case::good("__Host-Http-good"),
        Case { http_only: false, kept: false, ..Case::good("__Host-Http-script") },
        Case { domain: PARENT, kept: false, ..Case::good("__Host-Http-domain") },
        Case { http_only: false, ..Case::good("plain-script") },
    ];
    let port = server(cases.iter().map(Case::line).collect());
    let chromium = Chromium::start();
    let visitor = chromium.visitor();
    visitor.open(&format!("http://app.shop.localhost:{port}/"));
    for case in &cases {
        let stored = visitor.cookie(case.name);
        assert_eq!(stored.is_some(), case.kept, "{}", case.line());
        assert_eq!(case.is_allowed_by_us(), case.kept, "{}", case.line());
    }
}
