//! A real headless Chromium for tests, driven over its DevTools protocol.
//!
//! ```no_run
//! use carafe_test_browser::Chromium;
//!
//! let chromium = Chromium::start();
//! let ada = chromium.visitor(); // a browser of its own: nothing is shared with other visitors
//! ada.open("http://127.0.0.1:5000/");
//! ada.fill("#log-in-name", "ada");
//! ada.submit("form.log-in button");
//! assert!(ada.text("#devices").contains("You are ada."));
//! ```
//!
//! The protocol uses two pipes (`--remote-debugging-pipe`) instead of a port: no other process on
//! the machine can reach the browser, there is no address to wait for, and no WebSocket library is
//! needed. The profile is a temporary directory. Mouse and keyboard actions are the browser's own
//! events, so an element that is covered, disabled or outside of the page cannot be clicked. A test
//! fails if the browser does not answer within [`PATIENCE`].
//!
//! | file | contents |
//! |---|---|
//! | `lib` | [`Chromium`]: starts the browser and its visitors |
//! | `wire` | commands and events |
//! | `visitor` | [`Visitor`]: a person's actions on a page, and the stored cookies |
//! | `window` | window sizes, user agents, pictures of the README |
//! | `client` | [`Client`]: a small HTTP client with cookies, for pages that need no browser |
//!
//! Tests that use the browser are marked `#[ignore = "needs Chromium; run by `cargo xtask test`"]`.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]
#![allow(clippy::missing_panics_doc, reason = "a panic is how a test fails")]

mod client;
mod visitor;
mod window;
mod wire;

use std::{
    cell::RefCell,
    fs::{self, File},
    process::{Child, Command, Stdio},
    rc::Rc,
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;

pub use client::{Client, Page, encoded};
pub use visitor::{StoredCookie, Visitor};
pub use window::{DESK, FIREFOX, IPHONE, PHONE, Window, keep_picture};
pub use wire::PATIENCE;
use wire::Wire;

/// The names of the browser on different systems, which `cargo xtask setup` also tries.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The protocol uses the file descriptors 3 and 4. A shell can redirect them; Rust needs `unsafe`
/// for this.
const WITH_PIPES: &str = r#"log=$1; shift; exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>"$log""#;

/// `--no-sandbox`: the sandbox does not run as root, as in containers, and all tested pages are
/// Carafe's own.
const OPTIONS: [&str; 9] = [
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--no-first-run",
    "--lang=en-US",
];

/// A running browser, which is stopped on drop.
pub struct Chromium {
    wire: Rc<RefCell<Wire>>,
    child: Child,
    profile: TempDir,
}

impl Chromium {
    /// Starts a browser with an empty profile.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a browser with these additional options.
    pub fn start_with(options: &[&str]) -> Self {
        let profile = tempfile::Builder::new()
            .prefix("carafe-chromium-")
            .tempdir()
            .unwrap();
        let log = profile.path().join("stderr");
        File::create(&log).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", WITH_PIPES, "sh"])
            .arg(&log)
            .arg(*NAME)
            .args(OPTIONS)
            .args(options)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let wire = Wire::new(
            child.stdin.take().unwrap(),
            child.stdout.take().unwrap(),
            log,
        );
        Self {
            wire: Rc::new(RefCell::new(wire)),
            child,
            profile,
        }
    }

    /// Returns a visitor with a new browser context: no cookies, no cache, one empty page of 1280
    /// by 800 pixels.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.wire)
    }

    /// Waits for the process to exit. Returns whether it did.
    fn has_ended(&mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        false
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.wire
            .borrow_mut()
            .send(None, "Browser.close", &json!({}));
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // A helper process may still write to the directory, which then remains.
        let _ = fs::remove_dir_all(self.profile.path());
    }
}

/// The first name that starts a browser.
static NAME: LazyLock<&str> = LazyLock::new(|| {
    let answers = |name: &&&str| {
        let version = Command::new(name).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    NAMES.iter().find(answers).unwrap_or_else(|| {
        panic!("none of {NAMES:?} runs here: `cargo xtask setup` installs what the tests need")
    })
});
