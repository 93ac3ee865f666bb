//! The pictures of the README. They are made by every run, so that they can be made at all;
//! `cargo xtask screenshots` has them put where the README shows them.

use carafe_core::store::ClientKind;
use carafe_test_browser::{DESK, PHONE, keep_picture};

use super::console::Ops;
use crate::support::console::{Sessions, Wanted};

/// Some sessions of a day: many young ones, a few old ones, the same in each run.
fn a_day_of_sessions() -> Sessions {
    const CLIENTS: [(Option<&str>, ClientKind); 7] = [
        (Some("Firefox on Linux"), ClientKind::Cookie),
        (Some("Chrome on Windows"), ClientKind::Cookie),
        (Some("Safari on iPhone"), ClientKind::Cookie),
        (Some("Chrome on Android"), ClientKind::Cookie),
        (Some("Shop 3.1 on Android"), ClientKind::RefreshToken),
        (Some("Shop 3.1 on iPhone"), ClientKind::RefreshToken),
        (None, ClientKind::Bearer),
    ];
    const USERS: [&str; 6] = ["ada", "grace", "edsger", "barbara", "radia", "niklaus"];
    let sessions = Sessions::new();
    let mut random = 7_u64;
    let mut next = move |below: u64| {
        // Knuth's MMIX generator.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    sessions.fill(1_284, |n, file| {
        let somebody = format!("user{}", 100 + next(400));
        let user = match next(20) {
            0..3 => Some(USERS[usize::try_from(next(6)).unwrap()]),
            3..13 => Some(somebody.as_str()),
            _ => None,
        };
        let hours = next(24).min(next(24)).min(next(24));
        let age = match n {
            0..8 => 11 * (u64::from(n) + 1) * (u64::from(n) + 1),
            _ => 900 + 3_600 * hours + next(3_600),
        };
        let idle = next(600).min(age);
        let left = 12 * 3_600 - next(12).min(next(12)) * 3_600 - idle;
        let [age, idle, left] = [age, idle, left].map(|seconds| i64::try_from(seconds).unwrap());
        let (device, client) = CLIENTS[usize::try_from(next(7)).unwrap()];
        file(Wanted {
            user,
            device,
            age,
            idle,
            left,
            client: Some(client),
            ..Wanted::default()
        });
    });
    sessions
}

fn keep(name: &str, png: &[u8]) {
    keep_picture(name, png, env!("CARGO_TARGET_TMPDIR"));
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn the_console_at_a_desk() {
    let ops = Ops::new(a_day_of_sessions(), &[]);
    let operator = ops.operator(DESK, true);
    let bottom = operator.edge(".list-box", "bottom") + 24.0;
    keep("console-desk.png", &operator.picture(0.0, bottom));
}

#[test]
#[ignore = "needs Chromium; run by `cargo xtask test`"]
fn the_console_on_a_phone() {
    let ops = Ops::new(a_day_of_sessions(), &[]);
    let operator = ops.operator(PHONE, true);
    let bottom = operator.edge("#expiring", "bottom") + 24.0;
    keep("console-phone.png", &operator.picture(0.0, bottom));
}
