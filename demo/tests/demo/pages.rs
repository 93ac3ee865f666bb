//! Tests of the demo's pages, over HTTP.

use std::net::TcpListener;

use carafe_core::clock::Timestamp;
use carafe_program::{format::TokenFormat, inspection::Inspection};

use super::{COOKIE, KEY, flask_cookie, run_with, start, start_with};

const SIGNED: &str = "session";
const ENCRYPTED: &str = "__Host-Http-session";
const STORED: &str = "__Host-Http-id";
const WAYS: [(&str, &str); 3] = [
    ("signed", SIGNED),
    ("encrypted", ENCRYPTED),
    ("stored", STORED),
];

/// Returns the panel of one mode from the page.
fn panel<'p>(page: &'p str, id: &str) -> &'p str {
    let (_, rest) = page
        .split_once(&format!("<article class=\"session-panel\" id=\"{id}\""))
        .unwrap();
    rest.split("</article>").next().unwrap()
}

#[test]
fn values_are_set_and_removed_in_all_ways() {
    for (id, name) in WAYS {
        let mut demo = start();
        assert!(panel(&demo.page(), id).contains("No cookie."));
        let page = demo.submit(
            &format!("/{id}/set"),
            &[("key", "visits"), ("value", "3"), ("as", "json")],
        );
        assert!(panel(&page, id).contains("<strong>Set <code>visits</code> = <code><span class=\"tok-number\">3</span></code></strong>"));
        assert!(panel(&page, id).contains("<span class=\"data-type\">number</span>"));
        let cookie = demo.cookies[name].clone();
        assert!(
            page.contains(&cookie[cookie.len() - 12..]),
            "the page shows the cookie that the browser holds after it"
        );
        let page = demo.page();
        assert!(!page.contains("<strong>Set"), "a message is shown once");
        demo.submit(
            &format!("/{id}/set"),
            &[("key", "user"), ("value", "3"), ("as", "text")],
        );
        let page = demo.submit(&format!("/{id}/remove"), &[("key", "visits")]);
        assert!(panel(&page, id).contains("Removed <code>visits</code>"));
        assert!(
            panel(&page, id)
                .contains("&quot;3&quot;</span></code> <span class=\"data-type\">string</span>")
        );
        demo.submit(&format!("/{id}/remove"), &[("key", "user")]);
        assert!(demo.cookies.is_empty(), "an empty session has no cookie");
    }
}

#[test]
fn only_the_signed_cookie_can_be_read() {
    let mut demo = start();
    demo.submit(
        "/signed/set",
        &[("key", "drink"), ("value", "espresso"), ("as", "text")],
    );
    let page = demo.submit(
        "/encrypted/set",
        &[("key", "drink"), ("value", "espresso"), ("as", "text")],
    );
    assert!(panel(&page, "signed").contains("<pre class=\"code code-wrap\">"));
    assert!(panel(&page, "encrypted").contains("<strong>Nothing.</strong>"));
    for (name, value) in &demo.cookies {
        let format = match name == SIGNED {
            true => TokenFormat::flask(),
            false => TokenFormat::Encrypted { context: None },
        };
        let report = Inspection::of(&format, None, value, None, Timestamp::now());
        let seen = report
            .payload
            .is_some_and(|payload| payload.contains("espresso"));
        assert_eq!(seen, name == SIGNED);
    }
}

#[test]
fn a_permanent_session_outlives_the_browser() {
    let mut demo = start();
    demo.submit(
        "/signed/set",
        &[("key", "a"), ("value", "1"), ("as", "json")],
    );
    assert!(panel(&demo.page(), "signed").contains("no Expires"));
    let answer = demo.post("/signed/permanent", &[("permanent", "true")]);
    assert!(answer.header("set-cookie").unwrap().contains("; Expires="));
    let page = demo.page();
    assert!(panel(&page, "signed").contains("Made permanent"));
    assert!(panel(&page, "signed").contains("<li class=\"chip\">Expires="));
    let answer = demo.post("/signed/permanent", &[("permanent", "false")]);
    assert!(!answer.header("set-cookie").unwrap().contains("Expires"));
    let page = demo.submit("/signed/clear", &[]);
    assert!(panel(&page, "signed").contains("No cookie."));
    assert!(demo.cookies.is_empty());
}

#[test]
fn one_changed_character_is_refused_and_can_be_put_back() {
    for (id, name) in WAYS {
        let mut demo = start();
        demo.submit(
            &format!("/{id}/set"),
            &[("key", "visits"), ("value", "3"), ("as", "json")],
        );
        let page = demo.submit(&format!("/{id}/permanent"), &[("permanent", "true")]);
        assert!(panel(&page, id).contains("Change one character"));
        let good = demo.cookies[name].clone();
        let answer = demo.post(&format!("/{id}/tamper"), &[]);
        assert!(
            answer.header("set-cookie").unwrap().contains("; Expires="),
            "it is kept as long as before"
        );
        let bad = demo.cookies[name].clone();
        assert_eq!(
            good.bytes()
                .zip(bad.bytes())
                .filter(|(a, b)| a != b)
                .count(),
            1
        );
        let page = demo.page();
        let refused = panel(&page, id);
        let reason = match id {
            "stored" => "<code>unknown-id: ",
            _ => "<code>bad-signature: ",
        };
        assert!(refused.contains("Cookie rejected") && refused.contains(reason));
        assert!(refused.contains("<mark class=\"tampered-character\""));
        assert!(refused.contains("An empty session.") && refused.contains("Put it back"));
        demo.submit(&format!("/{id}/tamper"), &[]);
        assert_eq!(demo.cookies[name], bad, "a second click changes nothing");
        let page = demo.submit(&format!("/{id}/restore"), &[]);
        assert!(
            panel(&page, id).contains("visits") && !panel(&page, id).contains("Cookie rejected")
        );
        demo.submit(&format!("/{id}/tamper"), &[]);
        demo.submit(&format!("/{id}/clear"), &[]);
        assert!(demo.cookies.is_empty(), "start over");
    }
}

#[test]
fn a_foreign_cookie_is_refused_and_not_blamed_on_the_demo() {
    let mut demo = start();
    demo.cookies.insert(SIGNED.to_owned(), COOKIE.to_owned());
    demo.cookies.insert(ENCRYPTED.to_owned(), "A".repeat(200));
    let page = demo.page();
    assert!(panel(&page, "signed").contains("This cookie was not changed here."));
    assert!(!page.contains("<mark"));
    assert!(panel(&page, "encrypted").contains("malformed: its version is unknown"));
    for odd in ["x", "a.b", "\"a b\"", "a.b.c.d", "%%%"] {
        demo.cookies.insert(SIGNED.to_owned(), odd.to_owned());
        demo.cookies.insert(ENCRYPTED.to_owned(), odd.to_owned());
        demo.cookies.insert(STORED.to_owned(), odd.to_owned());
        let page = demo.page();
        assert!(panel(&page, "stored").contains("This session is over"));
        demo.submit("/stored/tamper", &[]);
        demo.submit("/signed/tamper", &[]);
        demo.submit("/encrypted/restore", &[]);
    }
}

#[test]
fn a_value_that_is_no_json_stays_in_the_form() {
    let mut demo = start();
    let answer = demo.post(
        "/signed/set",
        &[("key", "user"), ("value", "ada"), ("as", "json")],
    );
    assert_eq!(answer.status, 422);
    let panel = panel(&answer.body, "signed");
    assert!(panel.contains(
        "<code>ada</code> is not JSON. Choose Text, or write it as <code>&quot;ada&quot;</code>."
    ));
    assert!(
        panel.contains("name=\"key\" value=\"user\"")
            && panel.contains("name=\"value\" value=\"ada\"")
    );
    assert!(panel.contains("aria-invalid=\"true\" aria-describedby=\"signed-problem\""));
    assert!(demo.cookies.is_empty());
    assert_eq!(
        demo.get("/signed/set").header("location"),
        Some("/"),
        "a reload ends at the page"
    );
}

#[test]
fn a_session_too_large_for_a_cookie_is_refused_with_its_size() {
    let mut demo = start();
    demo.submit(
        "/encrypted/set",
        &[("key", "a"), ("value", "1"), ("as", "json")],
    );
    let before = demo.cookies.clone();
    let long = "x".repeat(4000);
    let answer = demo.post(
        "/encrypted/set",
        &[("key", "long"), ("value", &long), ("as", "text")],
    );
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("browsers drop cookies over 4096"));
    assert_eq!(demo.cookies, before);
}

#[test]
fn hostile_keys_and_values_are_text() {
    let mut demo = start();
    let evil = "\"><script>alert(1)</script>&amp;'";
    for (id, _) in WAYS {
        let page = demo.submit(
            &format!("/{id}/set"),
            &[("key", evil), ("value", evil), ("as", "text")],
        );
        assert!(
            !page.contains("<script") && !page.contains("\"><sc"),
            "{id}"
        );
        assert!(panel(&page, id).contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;"));
        let answer = demo.post(
            &format!("/{id}/set"),
            &[("key", evil), ("value", evil), ("as", "json")],
        );
        assert!(!answer.body.contains("<script"), "{id}");
    }
    demo.cookies
        .insert(SIGNED.to_owned(), "<script>.<b>.x".to_owned());
    assert!(!demo.page().contains("<script"));
    let answer = demo.post(
        "/read",
        &[("cookie", evil), ("key", evil), ("lifetime", evil)],
    );
    assert!(answer.status == 200 && !answer.body.contains("<script"));
}

#[test]
fn forms_of_other_sites_are_refused() {
    let mut demo = start();
    let own = format!("http://{}", demo.host);
    for (header, status) in [
        (("Sec-Fetch-Site", "cross-site"), 403),
        (("Sec-Fetch-Site", "same-site"), 403),
        (("Origin", "http://evil.example"), 403),
        (("Origin", "null"), 403),
        (("Origin", own.as_str()), 303),
    ] {
        let fields = [("key", "a"), ("value", "1"), ("as", "json")];
        let answer = demo.post_with("/signed/set", &fields, &[header]);
        assert_eq!(answer.status, status, "{header:?}");
        assert_eq!(
            answer.header("set-cookie").is_some(),
            status == 303,
            "{header:?}"
        );
    }
    assert_eq!(
        demo.post_with("/read", &[], &[("Sec-Fetch-Site", "cross-site")])
            .status,
        403
    );
}

#[test]
fn names_that_somebody_else_may_own_are_refused() {
    let mut demo = start();
    let port = demo.host.rsplit(':').next().unwrap().to_owned();
    for (name, status) in [
        ("localhost", 303),
        ("127.0.0.1", 303),
        ("evil.example", 421),
    ] {
        let host = format!("{name}:{port}");
        let fields = [("key", "a"), ("value", "1"), ("as", "json")];
        let headers = [("Host", host.as_str()), ("Sec-Fetch-Site", "same-origin")];
        let answer = demo.post_with("/signed/set", &fields, &headers);
        assert_eq!(
            (answer.status, answer.header("set-cookie").is_some()),
            (status, status == 303),
            "{name}"
        );
    }
}

#[test]
fn a_key_in_the_environment_reads_the_sessions_of_an_application() {
    let mut demo = start_with(&[("SECRET_KEY", KEY)]);
    let signed = flask_cookie(KEY, "{\"drink\":\"espresso\"}");
    demo.cookies.insert(SIGNED.to_owned(), signed);
    assert!(panel(&demo.page(), "signed").contains("<code class=\"data-key\">drink</code>"));
    let refused = run_with(&[("SECRET_KEY", "")], &["--listen", "127.0.0.1:0"]);
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
}

#[test]
fn every_answer_has_the_strict_headers() {
    let mut demo = start();
    for path in [
        "/",
        "/style.css",
        "/nothing/here/at-all",
        "/signed/nonsense",
    ] {
        let answer = demo.get(path);
        let policy = answer.header("content-security-policy").unwrap();
        for rule in [
            "default-src 'none'",
            "style-src 'self'",
            "img-src data:",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {rule}");
        }
        assert!(!policy.contains("script") && !policy.contains("unsafe"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let page = demo.get("/");
    assert_eq!(page.header("vary"), Some("Cookie"));
    for inline in ["<script", "<style", "style=\"", " onclick", "http-equiv"] {
        assert!(!page.body.contains(inline), "{inline}");
    }
    assert_eq!(
        demo.get("/style.css").header("content-type"),
        Some("text/css; charset=utf-8")
    );
}

#[test]
fn cookies_of_a_flask_application_are_read() {
    let mut demo = start();
    let sample = demo.get("/?sample=flask").body;
    assert!(sample.contains("verdict-ok") && sample.contains("2023-11-14 22:13:20 UTC"));
    let mut read = |cookie: &str, key: &str, lifetime: &str| {
        let answer = demo.post(
            "/read",
            &[("cookie", cookie), ("key", key), ("lifetime", lifetime)],
        );
        assert_eq!(answer.status, 200);
        answer.body
    };
    assert!(read(COOKIE, KEY, "2678400").contains("verdict-expired"));
    let old = read(
        &format!("session={COOKIE}\r\n"),
        &format!("new\r\n{KEY}\r\n"),
        "any",
    );
    assert!(old.contains("verdict-ok") && old.contains("2 of 2, fallback 1"));
    let wrong = read(COOKIE, "another", "any");
    assert!(
        wrong.contains("verdict-bad-signature")
            && wrong.contains("not decoded: nothing vouches for it")
    );
    assert!(read("nonsense", KEY, "any").contains("verdict-malformed"));
    assert!(read(COOKIE, "\r\n", "any").contains("the secret key is empty"));
    assert!(
        read(COOKIE, KEY, "any").contains(&format!("{KEY}</textarea>")),
        "what was typed stays"
    );
}

#[test]
fn the_help_has_examples() {
    let help = run_with(&[], &["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("Examples:\n"), "{}", help.out);
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let run = run_with(&[], &["--listen", &address]);
    assert_eq!(
        (run.code, run.out.as_str(), run.err.lines().count()),
        (1, "", 1)
    );
    assert!(
        run.err.contains("is in use by another program")
            && run.err.contains("--listen 127.0.0.1:0"),
        "{}",
        run.err
    );
    let run = run_with(&[], &["--listen", "nonsense"]);
    assert_eq!((run.code, run.err.lines().count()), (2, 1), "{}", run.err);
}
