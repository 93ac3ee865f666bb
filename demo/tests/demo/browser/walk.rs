//! Uses everything that the page offers, by mouse and keyboard. The page must work without scripts,
//! so the same steps run without scripts, too.

use carafe_test_browser::{Chromium, DESK, FIREFOX, IPHONE, PHONE, Visitor, Window};

use super::site::{Site, log_in, set};

const WAYS: [&str; 3] = ["signed", "encrypted", "stored"];

fn walk(window: Window, scripts: bool) {
    let site = Site::new(window, scripts);
    let ada = site.visitor(FIREFOX);
    fits(&ada);
    sets_and_removes(&ada);
    tampers(&ada);
    let second = site.visitor(IPHONE);
    has_two_devices(&ada, &second);
    races(&ada);
    rotates(&ada);
    is_revoked(&ada, &second);
    reads_a_flask_cookie(&ada);
}

/// Asserts that the page does not scroll sideways.
fn fits(visitor: &Visitor) {
    assert!(!visitor.scrolls_sideways(), "{}", visitor.ask("innerWidth"));
}

fn sets_and_removes(ada: &Visitor) {
    for way in WAYS {
        let panel = format!("#{way}");
        assert!(ada.text(&panel).contains("No cookie."));
        set(
            ada,
            way,
            "drink",
            "\"a very long espresso, with a glass of water\"",
        );
        set(ada, way, "visits", "3");
        assert!(ada.text(&panel).contains("Set visits = 3"));
        assert_eq!(ada.count(&format!("{panel} .data-key")), 2);
        fits(ada);

        ada.fill(&format!("#{way}-key"), "user");
        ada.fill(&format!("#{way}-value"), "ada");
        ada.submit(&format!("{panel} .set-form .button-primary"));
        assert!(ada.text(&panel).contains("ada is not JSON. Choose Text"));
        ada.click(&format!("{panel} .choice label:last-child"));
        ada.submit(&format!("{panel} .set-form .button-primary"));
        assert!(ada.text(&panel).contains("Set user = \"ada\""));
        ada.submit(&format!("{panel} form:has(> [value=user]) button"));
        assert!(ada.text(&panel).contains("Removed user"));
        assert_eq!(ada.count(&format!("{panel} .data-key")), 2);
    }
    assert!(ada.text("#signed-readable + pre").contains("\"visits\": 3"));
    assert!(
        ada.text("#encrypted")
            .contains("Without the key this is noise.")
    );
    assert!(ada.text("#stored .record").contains("SHA-256 of the ID"));
}

fn tampers(ada: &Visitor) {
    for way in WAYS {
        let panel = format!("#{way}");
        ada.submit(&format!("#{way}-tamper ~ form button"));
        let refused = ada.text(&panel);
        assert!(
            refused.contains("Cookie rejected") && refused.contains("An empty session."),
            "{refused}"
        );
        assert_eq!(ada.text(&format!("{panel} mark")).len(), 1);
        fits(ada);
        ada.submit(&format!("{panel} form[action$=restore] button"));
        assert!(!ada.text(&panel).contains("Cookie rejected"));
        assert_eq!(ada.count(&format!("{panel} .data-key")), 2);
    }
}

fn has_two_devices(ada: &Visitor, second: &Visitor) {
    assert!(ada.text("#devices").contains("Nobody is logged in."));
    log_in(ada, "ada");
    assert!(ada.text("#devices").contains("Logged in as ada"));
    assert_eq!(ada.count(".device"), 1);
    log_in(second, "ada");
    for (visitor, own, other) in [
        (ada, "Firefox on Linux", "Safari on iPhone"),
        (second, "Safari on iPhone", "Firefox on Linux"),
    ] {
        visitor.reload();
        assert_eq!(visitor.count(".device"), 2);
        assert_eq!(
            visitor.text(".device:first-child h3"),
            format!("{own} This browser")
        );
        assert_eq!(visitor.text(".device:last-child h3"), other);
        assert_eq!(
            visitor.count(".device button"),
            1,
            "the other one can be revoked"
        );
        fits(visitor);
    }
}

fn races(ada: &Visitor) {
    assert!(ada.text("#race").contains("Not run yet."));
    for _ in 0..2 {
        ada.submit("#race button");
        assert_eq!(ada.text("#race-carafe .lane-count"), "50 of 50");
        let whole = ada.text("#race-whole .lane-count strong");
        assert!((1..=50).contains(&whole.parse::<u64>().unwrap()), "{whole}");
        assert!(ada.text("#stored .record").contains("\"count\":50"));
    }
    assert!(ada.text("#devices").contains("You are ada."));
    fits(ada);
}

fn rotates(ada: &Visitor) {
    let before = ["session", "__Host-Http-session"].map(|name| ada.cookie(name).unwrap().value);
    let key = ada.text(".key:first-child code");
    assert!(ada.text("#encrypted .cookie-legend").contains(&key));
    ada.submit("#keys .button-primary");
    let new = ada.text(".key:first-child code");
    assert_ne!(new, key);
    assert_eq!(ada.text(".key:nth-child(2) code"), key);
    assert!(
        ada.text("#encrypted .banner")
            .contains(&format!("Key id {key} → {new}"))
    );
    assert!(ada.text("#encrypted .cookie-legend").contains(&new));
    let after = ["session", "__Host-Http-session"].map(|name| ada.cookie(name).unwrap().value);
    assert!(before[0] != after[0] && before[1] != after[1]);
    assert!(
        ada.text("#devices").contains("You are ada."),
        "nobody is logged out"
    );
    for way in ["signed", "encrypted"] {
        assert_eq!(
            ada.count(&format!("#{way} .data-key")),
            2,
            "nor has lost anything"
        );
    }
    fits(ada);
}

fn is_revoked(ada: &Visitor, second: &Visitor) {
    ada.submit(".device .button-danger");
    assert!(ada.text("#devices").contains("Ended 1 session"));
    assert_eq!(ada.count(".device"), 1);
    second.reload();
    assert!(second.text("#devices").contains("Your session is over"));
    assert!(second.text("#stored").contains("This session is over"));
    assert_eq!(second.count(".device"), 0);
    fits(second);
    second.submit("#stored form[action$=clear] button:enabled");
    assert!(second.cookie("__Host-Http-id").is_none(), "start over");
    ada.reload();
    assert!(ada.text("#devices").contains("You are ada."));
    ada.submit("#devices form[action$=log-out] button");
    assert!(
        ada.cookie("__Host-Http-id").is_none()
            && ada.text("#devices").contains("Nobody is logged in.")
    );
}

fn reads_a_flask_cookie(ada: &Visitor) {
    ada.fill(
        "#read-cookie",
        "eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw",
    );
    ada.fill("#read-key", "flask-spec-secret");
    ada.submit("#read .button-primary");
    assert!(ada.text(".reader-result").contains("Expired"));
    fits(ada);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn at_a_desk() {
    walk(DESK, true);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn at_a_desk_without_scripts() {
    walk(DESK, false);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn on_a_phone() {
    walk(PHONE, true);
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn on_a_phone_without_scripts() {
    walk(PHONE, false);
}

/// Checks that the check itself can fail.
#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn a_page_that_is_too_wide_is_noticed() {
    let chromium = Chromium::start();
    let visitor = chromium.visitor();
    for window in [PHONE, DESK] {
        visitor.resize(window.width, window.height);
        for (more, expected) in [(0, false), (1, true), (200, true)] {
            let width = window.width + more;
            visitor.open(&format!("data:text/html,<meta name=viewport content='width=device-width'><body style='margin:0'><div style='width:{width}px'>x"));
            assert_eq!(
                visitor.scrolls_sideways(),
                expected,
                "{width} in {}",
                window.width
            );
        }
    }
}

/// Tests the window widths between a phone and a desktop.
#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn no_width_scrolls_sideways() {
    let site = Site::new(DESK, true);
    let ada = site.visitor(FIREFOX);
    for way in WAYS {
        set(
            &ada,
            way,
            "a-key-that-is-rather-long-for-a-key",
            "\"and a long value\"",
        );
    }
    log_in(&ada, "a name of forty characters, no blank: xx");
    ada.submit("#race button");
    ada.submit("#keys button");
    for width in [320, 360, 430, 600, 768, 834, 1024, 1180, 1440, 1920] {
        ada.resize(width, 900);
        fits(&ada);
    }
}
