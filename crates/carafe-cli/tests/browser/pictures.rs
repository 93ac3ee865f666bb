//! The pictures of the README. They are made by every run, so that they can be made at all;
//! `cargo xtask screenshots` has them put where the README shows them.

use std::{env, fs, path::PathBuf};

use crate::{
    site::{DESK, FIREFOX, IPHONE, PHONE, Site, Window, log_in, set},
    support::chromium::Visitor,
};

/// A README is read on slow connections too.
const MOST_BYTES: usize = 250_000;

/// Somebody with two devices who has set values and run the race.
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
    assert!(png.starts_with(b"\x89PNG"));
    assert!(png.len() < MOST_BYTES, "{name} has {} bytes", png.len());
    let directory = env::var_os("CARAFE_PICTURES").map(PathBuf::from);
    let directory = directory.unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(name), png).unwrap();
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
