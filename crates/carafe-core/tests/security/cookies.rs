//! CKR and CKW: which cookie of several is believed, and when one is written.

use carafe_core::{
    cookie::{CookieError, CookiePolicy, MAX_COOKIE_BYTES},
    session::{ClientSide, CommitError, Rejection, Session, SessionConfig, SessionManager},
    token::{Compression, signed::SignedFormat},
};
use std::time::Duration;

use futures_executor::block_on;

use super::browser::{
    NOON, all_managers, answered, cookie_of, manager, pair, request, ring, user_of,
};

const DAY: i64 = 86_400;

/// What a request reads: the user, and why the cookie was refused.
fn read(
    manager: &std::sync::Arc<carafe_core::session::SessionManager>,
    lines: &[&str],
) -> (Option<String>, Option<Rejection>) {
    let slot = manager.begin();
    let session =
        block_on(manager.open(&slot, lines.iter().map(|line| line.as_bytes()), NOON)).unwrap();
    (session.get("user").unwrap(), session.rejection())
}

/// Whoever controls a neighbouring subdomain can add a cookie of any name, before or behind ours.
#[test]
fn ckr_4_of_two_cookies_that_verify_none_is_believed_and_a_bad_one_does_no_harm() {
    for side in [
        ClientSide::signed(ring()),
        ClientSide::encrypted(ring(), "shop"),
    ] {
        let safe = manager(side.clone(), SessionConfig::default());
        let flask = manager(side, SessionConfig::flask());
        let cookie = |manager, user: &str| {
            cookie_of(manager, NOON, |session: &Session| {
                session.insert("user", user).unwrap();
            })
        };
        for in_one_line in [true, false] {
            let both = |one: &str, other: &str| match in_one_line {
                true => vec![format!("{one}; {other}")],
                false => vec![one.to_owned(), other.to_owned()],
            };
            let seen = |manager, one: &str, other: &str| {
                let lines = both(one, other);
                let lines: Vec<_> = lines.iter().map(String::as_str).collect();
                read(manager, &lines)
            };
            let (a, b) = (cookie(&safe, "a"), cookie(&safe, "b"));
            let bad = format!("{a}x");
            let ambiguous = (None, Some(Rejection::Ambiguous));
            assert_eq!(seen(&safe, &a, &b), ambiguous);
            assert_eq!(seen(&safe, &b, &a), ambiguous);
            assert_eq!(seen(&safe, &a, &bad), (Some("a".to_owned()), None));
            assert_eq!(seen(&safe, &bad, &a), (Some("a".to_owned()), None));
            assert_eq!(seen(&safe, &a, &a), (Some("a".to_owned()), None));

            let (a, b) = (cookie(&flask, "a"), cookie(&flask, "b"));
            let bad = format!("{a}x");
            assert_eq!(seen(&flask, &a, &b), (Some("a".to_owned()), None));
            assert_eq!(seen(&flask, &b, &a), (Some("b".to_owned()), None));
            assert_eq!(seen(&flask, &a, &bad).0.as_deref(), Some("a"));
            let (user, rejection) = seen(&flask, &bad, &a);
            assert!(
                user.is_none() && rejection.is_some(),
                "Flask takes the first, good or bad"
            );
        }
    }
}

/// Removing one of the two would leave the other, which may be the attacker's.
#[test]
fn ckr_4_an_ambiguous_session_is_not_removed_and_can_be_written() {
    let manager = manager(ClientSide::signed(ring()), SessionConfig::default());
    let cookies =
        ["a", "b"].map(|user| cookie_of(&manager, NOON, |s| s.insert("user", user).unwrap()));
    let line = cookies.join("; ");
    let effects = request(&manager, &[line.as_bytes()], NOON, |s| {
        assert!(s.is_empty());
    })
    .unwrap();
    assert_eq!(effects.set_cookie, None);
    let effects = request(&manager, &[line.as_bytes()], NOON, |s| {
        s.insert("user", "c").unwrap();
    });
    assert!(effects.unwrap().set_cookie.is_some());
}

#[test]
fn ckr_8_a_bad_cookie_blocks_nobody() {
    let bad: [&[u8]; 8] = [
        b"junk",
        b"a.b.c",
        b"\xff\xfe\x80",
        b"\"unclosed",
        b"....",
        &[b'A'; 4090],
        b"eyJhIjoxfQ.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw",
        b"\0\x01\x02",
    ];
    for manager in all_managers() {
        let name = manager.cookie().name().to_owned();
        for value in bad {
            let line = [name.as_bytes(), b"=", value].concat();
            let effects = request(&manager, &[&line], NOON, |session| {
                assert!(session.is_empty());
                session.insert("user", "a").unwrap();
            });
            let next = pair(&effects.unwrap());
            assert_eq!(user_of(&manager, &next, NOON).as_deref(), Some("a"));
        }
    }
}

#[test]
fn ckr_8_the_safe_preset_removes_a_bad_cookie_and_never_echoes_it() {
    let manager = manager(ClientSide::signed(ring()), SessionConfig::default());
    let line = format!("{}=marker-of-an-attacker", manager.cookie().name());
    let effects = request(&manager, &[line.as_bytes()], NOON, |s| {
        assert!(s.is_empty());
    })
    .unwrap();
    let removal = effects.set_cookie.unwrap();
    assert!(
        removal.contains("Max-Age=0") && !removal.contains("marker"),
        "{removal}"
    );
    // Flask leaves it alone.
    let flask = super::browser::manager(ClientSide::signed(ring()), SessionConfig::flask());
    let effects = request(&flask, &[b"session=junk"], NOON, |s| assert!(s.is_empty())).unwrap();
    assert_eq!(effects.set_cookie, None);
}

/// A session whose cookie has exactly this many bytes of name and value.
fn of_size(side: &dyn Fn() -> ClientSide, size: usize) -> Result<usize, CommitError> {
    // Base64 leaves gaps of one length in four; a longer name closes them.
    for name in ["session", "session1", "session12", "session123"] {
        let config = SessionConfig::flask().with_cookie(CookiePolicy::flask(name));
        let manager = manager(side(), config);
        for length in 2_500..3_200 {
            let filled = request(&manager, &[], NOON, |session| {
                session.insert("large", &"x".repeat(length)).unwrap();
                session.insert("small", &1).unwrap();
            });
            let actual = match &filled {
                Ok(effects) => pair(effects).len() - 1,
                Err(CommitError::TooLarge { size, .. }) => *size,
                Err(error) => panic!("{error}"),
            };
            if actual == size {
                return filled.map(|_| actual);
            }
        }
    }
    panic!("no cookie of {size} bytes")
}

#[test]
fn ckw_7_a_cookie_that_browsers_would_drop_is_an_error_that_names_its_largest_keys() {
    let signed = || {
        let format = SignedFormat::flask().with_compression(Compression::Never);
        ClientSide::signed_as(ring(), format)
    };
    let encrypted = || ClientSide::encrypted(ring(), "shop");
    let sides: [&dyn Fn() -> ClientSide; 2] = [&signed, &encrypted];
    for side in sides {
        assert_eq!(of_size(side, 4095).unwrap(), 4095);
        assert_eq!(of_size(side, MAX_COOKIE_BYTES).unwrap(), 4096);
        let error = of_size(side, 4097).unwrap_err();
        let CommitError::TooLarge { size, largest } = &error else {
            panic!("{error}")
        };
        assert_eq!(
            (*size, largest[0].0.as_str(), largest[1].0.as_str()),
            (4097, "large", "small")
        );
        let message = error.to_string();
        for part in ["4097", "4096", "\"large\"", "\"small\" (1 bytes)"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(!message.contains("xxx"), "{message}");
    }
}

/// The browser has a good cookie; failing to renew it is no reason to fail the request.
#[test]
fn ckw_7_a_cookie_that_is_only_renewed_never_fails_a_request() {
    let wide = |compression| {
        let format = SignedFormat::flask().with_compression(compression);
        manager(
            ClientSide::signed_as(ring(), format),
            SessionConfig::flask(),
        )
    };
    // Written by a program that compresses; not every program has a browser's limit.
    let cookie = cookie_of(&wide(Compression::WhenShorter), NOON, |session| {
        session.insert("large", &"x".repeat(5_000)).unwrap();
        session.set_permanent(true).unwrap();
    });
    let plain = wide(Compression::Never);
    for status in [200, 404, 500] {
        let effects = answered(&plain, &[cookie.as_bytes()], NOON, status, |session| {
            assert_eq!(
                session.get::<String>("large").unwrap().unwrap().len(),
                5_000
            );
        });
        assert_eq!(effects.unwrap().set_cookie, None);
    }
    let changed = request(&plain, &[cookie.as_bytes()], NOON, |s| {
        s.insert("n", &1).unwrap();
    });
    assert!(matches!(changed, Err(CommitError::TooLarge { .. })));
}

#[test]
fn ckw_7_a_lifetime_beyond_every_calendar_does_not_panic() {
    for preset in [
        SessionConfig::flask(),
        SessionConfig::default(),
        SessionConfig::starlette(),
    ] {
        let lasting = |lifetime| {
            let side = ClientSide::encrypted(ring(), "shop");
            SessionManager::new(side, preset.clone().with_lifetime(lifetime))
        };
        let refused = lasting(Duration::MAX).unwrap_err();
        assert!(matches!(refused, CookieError::Lifetime { .. }), "{refused}");
        let manager =
            std::sync::Arc::new(lasting(Duration::from_secs(100 * 365 * 86_400)).unwrap());
        // A lifetime that is changed while running is bounded instead: nobody could answer an error.
        manager.set_lifetime(Duration::MAX);
        request(&manager, &[], NOON, |session| {
            session.set_permanent(true).unwrap();
        })
        .unwrap();
    }
}

/// A thousand reads over a lifetime: the time is renewed once in a twentieth of it at most.
#[test]
fn ckw_13_reading_sends_a_cookie_twenty_times_a_lifetime_at_most() {
    for side in [
        ClientSide::signed(ring()),
        ClientSide::encrypted(ring(), "shop"),
    ] {
        let manager = manager(side, SessionConfig::default());
        let mut cookie = cookie_of(&manager, NOON, |s| s.insert("user", "a").unwrap());
        let mut sent = 0;
        for step in 1..=1_000 {
            let now = NOON.saturating_add(31 * DAY * step / 1_000);
            let effects = request(&manager, &[cookie.as_bytes()], now, |session| {
                assert!(session.contains_key("user"));
            });
            let effects = effects.unwrap();
            assert!(effects.vary_cookie);
            if effects.set_cookie.is_some() {
                sent += 1;
                cookie = pair(&effects);
            }
        }
        assert!((1..=20).contains(&sent), "{sent} cookies were sent");
        let idle = NOON.saturating_add(62 * DAY);
        assert_eq!(
            user_of(&manager, &cookie, idle).as_deref(),
            Some("a"),
            "used, so still alive"
        );
    }
}

#[test]
fn ckw_13_flasks_permanent_sessions_are_sent_with_every_response() {
    let manager = manager(ClientSide::signed(ring()), SessionConfig::flask());
    let cookie = cookie_of(&manager, NOON, |session| {
        session.set_permanent(true).unwrap();
    });
    for status in [200, 302, 404, 500] {
        let slot = manager.begin();
        let effects = block_on(manager.commit(&slot, [cookie.as_bytes()], status, NOON)).unwrap();
        assert!(
            effects.set_cookie.is_some() && effects.vary_cookie,
            "{status}"
        );
    }
}
