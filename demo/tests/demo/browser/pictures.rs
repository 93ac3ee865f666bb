//! The screenshots of the README. Every test run creates them; `cargo xtask screenshots` copies
//! them to the README.

use carafe_test_browser::{DESK, FIREFOX, IPHONE, PHONE, Visitor, Window, keep_picture};

use super::site::{Site, log_in, set};

/// A user with two devices, who has set values and run the race.
fn busy(window: Window) -> (Site, Visitor) {
    let site = Site::new(window, true);
    let ada = site.visitor(FIREFOX);
    for way in ["signed", "encrypted", "stored"] {
        set(&ada, way, "drink", "\"espresso\"");
    }
    log_in(&ada, "ada");
    let second = site.visitor(IPHONE);
    log_in(&second, "ada");
    ada.submit("#race button");
    (site, ada)
}

fn keep(name: &str, png: &[u8]) {
    keep_picture(name, png, env!("CARGO_TARGET_TMPDIR"));
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn the_page_at_a_desk() {
    let (_site, ada) = busy(DESK);
    keep(
        "demo-desk.png",
        &ada.picture(
            0.0,
            ada.edge("#stored .panel-section:has(> #stored-server)", "top"),
        ),
    );
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn the_page_on_a_phone() {
    let (_site, ada) = busy(PHONE);
    let (top, bottom) = (ada.edge("#race", "top"), ada.edge("#devices", "bottom"));
    keep("demo-phone.png", &ada.picture(top, bottom + 24.0));
}
