//! Tests of `Set-Cookie` for each row of the security checklist (CKW).
//! `tests/core/cookie_user_agent.rs` tests how browsers read the cookies.

use std::time::Duration;

use proptest::prelude::*;

use super::SetCookie;
use crate::{
    clock::Timestamp,
    cookie::{CookieError, MAX_AGE_LIMIT, MAX_ATTRIBUTE_BYTES, SameSite},
};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

fn text(cookie: &SetCookie) -> String {
    cookie.render(NOW).unwrap()
}

#[test]
fn attributes_stand_in_werkzeugs_order() {
    let all = SetCookie::new("k", "v")
        .max_age_seconds(60)
        .expires(Timestamp::from_unix(0))
        .path("/p")
        .domain("example.com")
        .http_only(true)
        .same_site(SameSite::Lax)
        .partitioned(true);
    let want = "k=v; Domain=example.com; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60; Secure; HttpOnly; Path=/p; SameSite=Lax; Partitioned";
    assert_eq!(text(&all), want);
}

#[test]
fn a_lifetime_sends_both_dates_unless_told_otherwise() {
    let cookie = SetCookie::new("k", "v").max_age(Duration::from_millis(1900));
    assert_eq!(
        text(&cookie),
        "k=v; Expires=Tue, 14 Nov 2023 22:13:21 GMT; Max-Age=1; Path=/"
    );
    assert_eq!(text(&cookie.without_expires().no_path()), "k=v; Max-Age=1");
}

#[test]
fn a_domain_is_a_host_name_for_which_browsers_keep_cookies() {
    for (domain, want) in [
        ("example.com", "example.com"),
        (".example.com", "example.com"),
        ("example.com:5000", "example.com"),
        ("EXAMPLE.com", "EXAMPLE.com"),
        ("localhost", "localhost"),
        ("app.localhost", "app.localhost"),
        ("under_score.internal", "under_score.internal"),
        ("1.2.3.4.example", "1.2.3.4.example"),
        ("shop.co.uk", "shop.co.uk"),
        ("shop.herokuapp.com", "shop.herokuapp.com"),
        ("co.example", "co.example"),
    ] {
        assert_eq!(
            text(&SetCookie::new("k", "v").domain(domain)),
            format!("k=v; Domain={want}; Path=/")
        );
    }
    let long = format!("{}.com", "a".repeat(64));
    for domain in [
        "",
        ".",
        ":80",
        "a..b",
        "[::1]",
        "a b",
        "a;b",
        "a,b",
        "a/b",
        "a\0b",
        "a\r\nX: y",
        "a=b",
        &long,
    ] {
        let error = SetCookie::new("k", "v")
            .domain(domain)
            .render(NOW)
            .unwrap_err();
        assert!(matches!(error, CookieError::Domain { .. }), "{domain:?}");
    }
    for (domain, reason) in [
        ("shop.example.com.", "leave the dot out"),
        (".example.com.:80", "leave the dot out"),
        ("com", "without a dot"),
        (".COM", "without a dot"),
        ("com.", "without a dot"),
        ("intranet", "without a dot"),
        ("co.uk", "public suffix"),
        (".Co.Uk", "public suffix"),
        ("com.au.", "public suffix"),
        ("herokuapp.com", "public suffix"),
        ("github.io:443", "public suffix"),
        ("127.0.0.1", "IP address"),
        ("127.0.0.1.", "IP address"),
        ("10.1:8080", "IP address"),
        ("0x7f.1", "IP address"),
        ("2130706433", "IP address"),
        ("::1", "IP address"),
        ("[::1]:80", "IP address"),
        ("2001:db8::1", "IP address"),
    ] {
        let error = SetCookie::new("k", "v").domain(domain).render(NOW);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let error = SetCookie::new("k", "v")
        .domain("bücher.example")
        .render(NOW)
        .unwrap_err();
    assert!(error.to_string().contains("punycode"));
}

#[test]
fn names_are_tokens() {
    for name in [
        "",
        " ",
        "a b",
        "a;b",
        "a=b",
        "a,b",
        "a\"",
        "é",
        "a\r\nb",
        "a\0",
        "a\u{7f}",
        "(a)",
        "[a]",
        "a/b",
        "a{",
        "\u{2000}__Host-a",
    ] {
        let error = SetCookie::new(name, "v").render(NOW).unwrap_err();
        assert!(matches!(error, CookieError::Name { .. }), "{name:?}");
        assert!(!error.to_string().contains(['\r', '\n']), "{error}");
    }
    assert_eq!(
        text(&SetCookie::new("!#$%&'*+-.^_`|~09azAZ", "").no_path()),
        "!#$%&'*+-.^_`|~09azAZ="
    );
}

#[test]
fn name_and_value_have_at_most_4096_bytes() {
    for (size, fits) in [(4095, true), (4096, true), (4097, false)] {
        let result = SetCookie::new("k", "v".repeat(size - 1)).render(NOW);
        assert_eq!(result.is_ok(), fits, "{size}");
        // Escapes count as rendered: é is \303\251, and the value has two quotation marks.
        let escaped = SetCookie::new("k".repeat(size - 10), "é").render(NOW);
        assert_eq!(escaped.is_ok(), fits, "{size}");
    }
    let error = SetCookie::new("k", "s3cret".repeat(1000))
        .render(NOW)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("6001 bytes") && !error.contains("s3cret"),
        "{error}"
    );
    assert!(SetCookie::new("k".repeat(4097), "").render(NOW).is_err());
}

#[test]
fn an_attribute_has_at_most_1024_bytes() {
    for (size, fits) in [
        (MAX_ATTRIBUTE_BYTES, true),
        (MAX_ATTRIBUTE_BYTES + 1, false),
    ] {
        let path = format!("/{}", "p".repeat(size - 1));
        assert_eq!(
            SetCookie::new("k", "v").path(path).render(NOW).is_ok(),
            fits
        );
        let domain = "a.".repeat(size / 2 - 1) + &"a".repeat(2 + size % 2);
        assert_eq!(
            SetCookie::new("k", "v").domain(domain).render(NOW).is_ok(),
            fits
        );
    }
    let error = SetCookie::new("k", "v")
        .path(" ".repeat(400))
        .render(NOW)
        .unwrap_err();
    assert_eq!(
        error,
        CookieError::AttributeTooLong {
            attribute: "Path",
            size: 1200
        }
    );
}

#[test]
fn a_lifetime_is_at_most_400_days() {
    for age in [
        Duration::from_secs(34_560_001),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ] {
        assert_eq!(
            text(&SetCookie::new("k", "v").max_age(age).without_expires()),
            "k=v; Max-Age=34560000; Path=/"
        );
    }
    let cookie = SetCookie::new("k", "v").max_age_seconds(i64::MIN);
    assert_eq!(
        text(&cookie),
        "k=v; Expires=Mon, 10 Oct 2022 22:13:20 GMT; Max-Age=-34560000; Path=/"
    );
}

#[test]
fn an_expiry_without_four_digits_is_refused() {
    let late = SetCookie::new("k", "v").expires(Timestamp::from_unix(253_402_300_800));
    assert_eq!(
        late.render(NOW),
        Err(CookieError::Date {
            unix: 253_402_300_800
        })
    );
    assert!(
        SetCookie::new("k", "v")
            .max_age_seconds(1)
            .render(Timestamp::from_unix(i64::MAX))
            .is_err()
    );
}

#[test]
fn debug_shows_no_value() {
    let text = format!("{:?}", SetCookie::new("name", "s3cret"));
    assert!(text.contains("name") && !text.contains("s3cret"), "{text}");
}

/// A deliberate exception: Werkzeug writes such a cookie, so a standalone cookie may, while a
/// policy does not build.
#[test]
fn same_site_none_without_secure_is_written_as_by_werkzeug() {
    assert_eq!(
        text(&SetCookie::new("k", "v").same_site(SameSite::None)),
        "k=v; Path=/; SameSite=None"
    );
}

#[test]
fn partitioned_turns_secure_on() {
    let cookie = SetCookie::new("k", "v").partitioned(true).secure(false);
    assert_eq!(text(&cookie), "k=v; Secure; Path=/; Partitioned");
}

proptest! {
    #[test]
    fn any_lifetime_is_within_400_days(seconds: i64, unix in 0_i64..4_000_000_000) {
        let text = SetCookie::new("k", "v").max_age_seconds(seconds).render(Timestamp::from_unix(unix)).unwrap();
        let sent: i64 = text.split("Max-Age=").nth(1).unwrap().split(';').next().unwrap().parse().unwrap();
        prop_assert_eq!(sent, seconds.clamp(-MAX_AGE_LIMIT, MAX_AGE_LIMIT));
    }
}
