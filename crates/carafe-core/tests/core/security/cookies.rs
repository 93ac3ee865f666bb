//! CKR and CKW: the selection of one of several cookies, and the conditions under which a cookie is
//! written.

use carafe_core::{
    cookie::{CookieError, CookiePolicy, CookiePolicyBuilder, MAX_CANDIDATES, MAX_COOKIE_BYTES},
    session::{
        ClientSide, CommitError, Rejection, ServerSide, Session, SessionBackend, SessionConfig,
        SessionManager,
    },
    store::MemoryStore,
    token::{Compression, signed::SignedFormat},
};
use std::time::Duration;

use futures_executor::block_on;

use super::browser::{
    NOON, all_managers, answered, cookie_of, manager, pair, request, ring, user_of,
};

/// Returns the user that a request reads, and the reason of a rejected cookie.
fn read(
    manager: &std::sync::Arc<carafe_core::session::SessionManager>,
    lines: &[&str],
) -> (Option<String>, Option<Rejection>) {
    let slot = manager.begin();
    let session =
        block_on(manager.open(&slot, lines.iter().map(|line| line.as_bytes()), NOON)).unwrap();
    (session.get("user").unwrap(), session.rejection())
}

/// An attacker on a sibling subdomain can add a cookie of any name, in any order.
#[test]
fn two_verified_cookies_are_both_rejected_and_a_forged_one_is_ignored() {
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

/// As many cookies as a browser may send, including more than are kept as candidates.
#[test]
fn starlettes_preset_takes_the_last_of_several_cookies_good_or_bad() {
    let starlette = manager(
        ClientSide::signed_as(ring(), SignedFormat::starlette()),
        SessionConfig::starlette(),
    );
    let cookie = |user: &str| {
        cookie_of(&starlette, NOON, |session: &Session| {
            session.insert("user", user).unwrap();
        })
    };
    let (last, bad) = (cookie("last"), "session=junk");
    for others in 0..8 {
        let mut lines: Vec<_> = (0..others).map(|n| cookie(&n.to_string())).collect();
        lines.push(last.clone());
        let joined = lines.join("; ");
        let separate: Vec<_> = lines.iter().map(String::as_str).collect();
        for lines in [&[&*joined][..], &separate] {
            let seen = read(&starlette, lines);
            assert_eq!(seen, (Some("last".to_owned()), None), "{others} others");
            let with_bad = [lines, &[bad]].concat();
            let (user, rejection) = read(&starlette, &with_bad);
            assert!(user.is_none() && rejection.is_some(), "{others} others");
        }
    }
}

/// Removing one of the two would leave the other, which may be the attacker's.
#[test]
fn an_ambiguous_session_is_not_removed_and_can_be_written() {
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

/// If more cookies of the name are sent than are examined, none is accepted.
///
/// One of the other cookies might verify. The rule applies even if all examined cookies are equal,
/// and if the only valid cookie is the last.
#[test]
fn more_cookies_of_the_name_than_are_looked_at_are_ambiguous() {
    let signed = manager(ClientSide::signed(ring()), SessionConfig::default());
    let stored = manager(
        ServerSide::new(MemoryStore::new()),
        SessionConfig::default(),
    );
    for manager in [signed, stored] {
        let cookie = cookie_of(&manager, NOON, |session: &Session| {
            session.insert("user", "a").unwrap();
        });
        let name = manager.cookie().name();
        for count in [4, 5, 9] {
            let expected = match count > MAX_CANDIDATES {
                true => (None, Some(Rejection::Ambiguous)),
                false => (Some("a".to_owned()), None),
            };
            let copies = vec![cookie.as_str(); count];
            assert_eq!(read(&manager, &copies), expected, "{count} copies");
            let junk = format!("{name}=junk");
            let mut lines = vec![junk.as_str(); count - 1];
            lines.push(&cookie);
            assert_eq!(
                read(&manager, &lines),
                expected,
                "{count} with one that is good"
            );
        }
    }
}

/// A deployment gives the cookie another domain, path or partition.
///
/// Each write removes the old cookie, and while a browser has both, the most recently issued one is
/// accepted.
#[test]
fn a_cookie_of_a_former_scope_gives_way_to_the_new_one() {
    let flask = || CookiePolicy::flask("session");
    let scopes: [fn(CookiePolicyBuilder) -> CookiePolicyBuilder; 3] = [
        |policy| policy.domain("example.com"),
        |policy| policy.path("/app"),
        |policy| policy.secure(true).partitioned(true),
    ];
    let sides: [fn() -> SessionBackend; 2] = [
        || ClientSide::signed(ring()).into(),
        || ServerSide::new(MemoryStore::new()).into(),
    ];
    for scope in scopes {
        for side in sides {
            for safe in [true, false] {
                let config = || match safe {
                    true => SessionConfig::default(),
                    false => SessionConfig::flask(),
                };
                let side = side();
                let old = SessionManager::new(side.clone(), config().with_cookie(flask()));
                let old = std::sync::Arc::new(old.unwrap());
                let policy = scope(flask()).formerly(flask());
                let new = SessionManager::new(side, config().with_cookie(policy));
                let new = std::sync::Arc::new(new.unwrap());
                let by = |manager: &std::sync::Arc<SessionManager>, user: &'static str, at| {
                    cookie_of(manager, at, |session: &Session| {
                        session.insert("user", user).unwrap();
                    })
                };
                for is_sent_first in [true, false] {
                    let before = by(&old, "old", NOON.saturating_add(-9));
                    let after = by(&new, "new", NOON);
                    let line = match is_sent_first {
                        true => format!("{before}; {after}"),
                        false => format!("{after}; {before}"),
                    };
                    let seen = read(&new, &[line.as_str()]).0;
                    if safe {
                        assert_eq!(seen.as_deref(), Some("new"), "{line}");
                    }
                    for ends in [false, true] {
                        let slot = new.begin();
                        let now = NOON.saturating_add(10);
                        let session = block_on(new.open(&slot, [line.as_bytes()], now)).unwrap();
                        match ends {
                            true => session.log_out().unwrap(),
                            false => session.insert("more", &1).unwrap(),
                        }
                        let mut effects = block_on(new.commit(&slot, [], 200, now)).unwrap();
                        if !ends && effects.set_cookie.is_none() {
                            continue; // A change of a session in a store needs no cookie.
                        }
                        let former = effects.former_removals.take().expect("one former policy");
                        assert_eq!(former[..], [old.cookie().removal().to_owned()]);
                    }
                }
            }
        }
    }
}

#[test]
fn a_bad_cookie_does_not_block_a_request() {
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
fn a_bad_cookie_is_left_alone_unless_its_removal_is_asked_for_and_never_echoed() {
    let read = |config| {
        let manager = super::browser::manager(ClientSide::signed(ring()), config);
        let line = format!("{}=marker-of-an-attacker", manager.cookie().name());
        let effects = request(&manager, &[line.as_bytes()], NOON, |s| {
            assert!(s.is_empty());
        });
        effects.unwrap().set_cookie
    };
    // The cookie may belong to another application, or a newer response may have replaced it.
    assert_eq!(read(SessionConfig::default()), None);
    assert_eq!(read(SessionConfig::flask()), None);
    let removal = read(SessionConfig::default().with_remove_rejected(true)).unwrap();
    assert!(
        removal.contains("Max-Age=0") && !removal.contains("marker"),
        "{removal}"
    );
}

/// Returns the result for a session cookie with exactly this many bytes of name and value.
fn of_size(side: &dyn Fn() -> ClientSide, size: usize) -> Result<usize, CommitError> {
    // Base64 cannot produce one length in four, so longer names fill the gaps.
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
fn a_cookie_that_browsers_would_drop_is_an_error_that_names_its_largest_keys() {
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

/// The browser has a valid cookie, so a failed renewal must not fail the request.
#[test]
fn a_cookie_that_is_only_renewed_never_fails_a_request() {
    let wide = |compression| {
        let format = SignedFormat::flask().with_compression(compression);
        manager(
            ClientSide::signed_as(ring(), format),
            SessionConfig::flask(),
        )
    };
    // Written by a program that compresses, with a size that no browser would accept.
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
fn a_lifetime_beyond_every_calendar_does_not_panic() {
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
        // A lifetime that is changed at run time is clamped instead, because no caller could handle
        // an error.
        manager.set_lifetime(Duration::MAX);
        request(&manager, &[], NOON, |session| {
            session.set_permanent(true).unwrap();
        })
        .unwrap();
    }
}

/// A thousand reads over a lifetime: the time is renewed at most once per twentieth of it.
#[test]
fn reads_send_at_most_twenty_cookies_in_a_lifetime() {
    for side in [
        ClientSide::signed(ring()),
        ClientSide::encrypted(ring(), "shop"),
    ] {
        let manager = manager(side, SessionConfig::default());
        let mut cookie = cookie_of(&manager, NOON, |s| s.insert("user", "a").unwrap());
        let mut sent = 0;
        for step in 1..=1_000 {
            let now = NOON + manager.lifetime() * step / 1_000;
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
        let idle = NOON + manager.lifetime() * 2;
        assert_eq!(
            user_of(&manager, &cookie, idle).as_deref(),
            Some("a"),
            "used, so still alive"
        );
    }
}

#[test]
fn flasks_permanent_sessions_are_sent_with_every_response() {
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
