//! OPS: shared caches, events, and the effects of a failed request.

use futures_executor::block_on;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use carafe_core::{
    session::{ClientSide, HeaderChanges, Session, SessionConfig, SessionManager, TransportKind},
    token::signed::{SignedFormat, SignedSessions},
};
use carafe_test_fixtures::logs;

use super::browser::{
    NOON, OTHER_KEY, all_managers, answered, cookie_of, key, manager, request, ring,
};

type Accessor = (&'static str, fn(&Session) -> String);

/// Every public method of `Session`, with the part of its result that a page could show.
const ACCESSORS: &[Accessor] = &[
    ("get", |s| format!("{:?}", s.get::<String>("user"))),
    ("get_value", |s| {
        format!("{:?}", s.get_value("user").unwrap())
    }),
    ("json_text", |s| format!("{:?}", s.json_text("user"))),
    ("insert", |s| format!("{:?}", s.insert("seen", &1))),
    ("insert_json", |s| {
        format!("{:?}", s.insert_json("seen", "1".to_owned()))
    }),
    ("remove", |s| format!("{:?}", s.remove("user"))),
    ("take", |s| format!("{:?}", s.take::<String>("user"))),
    ("update", |s| {
        format!(
            "{:?}",
            s.update("user", |user: Option<String>| user.unwrap_or_default())
        )
    }),
    ("get_all", |s| {
        format!("{:?}", s.get_all::<BTreeMap<String, String>>())
    }),
    ("update_all", |s| {
        let add = |all: &mut BTreeMap<_, _>| _ = all.insert("seen".to_owned(), "yes".to_owned());
        format!("{:?}", s.update_all::<BTreeMap<String, String>, _>(add))
    }),
    ("contains_key", |s| s.contains_key("user").to_string()),
    ("keys", |s| format!("{:?}", s.keys())),
    ("each_key", |s| {
        let mut keys = String::new();
        s.each_key(|key| keys.push_str(key));
        keys
    }),
    ("len", |s| s.len().to_string()),
    ("is_empty", |s| s.is_empty().to_string()),
    ("clear", |s| format!("{:?}", s.clear())),
    ("is_permanent", |s| s.is_permanent().to_string()),
    ("set_permanent", |s| format!("{:?}", s.set_permanent(true))),
    ("set_lifetime", |s| {
        format!("{:?}", s.set_lifetime(std::time::Duration::from_secs(60)))
    }),
    ("lifetime", |s| format!("{:?}", s.lifetime())),
    ("renew", |s| format!("{:?}", s.renew())),
    ("log_in", |s| format!("{:?}", s.log_in("someone"))),
    ("user", |s| format!("{:?}", s.user())),
    ("log_out", |s| format!("{:?}", s.log_out())),
    ("flash", |s| format!("{:?}", s.flash("info", "saved"))),
    ("take_flashes", |s| {
        format!("{:?}", s.take_flashes().map(|list| list.len()))
    }),
    ("authenticated", |s| format!("{:?}", s.authenticated())),
    ("is_recently_authenticated", |s| {
        s.is_recently_authenticated(std::time::Duration::from_secs(60))
            .to_string()
    }),
    ("public_id", |s| format!("{:?}", s.public_id())),
    ("set_device", |s| format!("{:?}", s.set_device("a phone"))),
    ("rejection", |s| format!("{:?}", s.rejection())),
    ("transport", |s| format!("{:?}", s.transport())),
    ("set_transport", |s| {
        format!("{:?}", s.set_transport(TransportKind::Cookie))
    }),
    ("token", |s| format!("{:?}", s.token())),
    ("csrf_token", |s| format!("{}", s.csrf_token().is_ok())),
    ("verify_csrf_token", |s| {
        format!("{}", s.verify_csrf_token("a"))
    }),
];

/// Methods that this table cannot call, with the reason why the omission is safe.
///
/// `commit` only confirms that changes are saved, and `forbid_storing` returns nothing.
const NOT_LISTED: &[&str] = &["commit", "forbid_storing"];

/// A shared cache according to RFC 9111.
///
/// `Vary` names the request headers that select the stored response, and `no-store` prevents
/// storing.
#[derive(Default)]
struct Proxy {
    stored: HashMap<&'static str, Vec<Stored>>,
}

struct Stored {
    /// `None` if the response is valid for any request.
    for_cookie: Option<String>,
    answer: Answer,
}

#[derive(Clone, PartialEq, Debug)]
struct Answer {
    body: String,
    set_cookie: Option<String>,
}

impl Proxy {
    fn get(
        &mut self,
        path: &'static str,
        cookie: &str,
        origin: impl FnOnce() -> (String, HeaderChanges),
    ) -> Answer {
        let stored = self.stored.entry(path).or_default();
        let fits = |stored: &&Stored| {
            stored
                .for_cookie
                .as_deref()
                .is_none_or(|known| known == cookie)
        };
        if let Some(hit) = stored.iter().find(fits) {
            return hit.answer.clone();
        }
        let (body, effects) = origin();
        let answer = Answer {
            body,
            set_cookie: effects.set_cookie,
        };
        if !effects.no_store {
            stored.push(Stored {
                for_cookie: effects.vary_cookie.then(|| cookie.to_owned()),
                answer: answer.clone(),
            });
        }
        answer
    }
}

fn answer(
    manager: &Arc<SessionManager>,
    cookie: &str,
    call: fn(&Session) -> String,
) -> (String, HeaderChanges) {
    let mut body = String::new();
    let effects = request(manager, &[cookie.as_bytes()], NOON, |session| {
        body = call(session);
    });
    (body, effects.unwrap())
}

/// CVE-2023-30861, CVE-2026-27205: every access to a session keeps its page out of a shared cache.
#[test]
fn no_user_gets_the_page_or_the_cookie_of_another() {
    for manager in all_managers() {
        for (name, call) in ACCESSORS {
            let mut proxy = Proxy::default();
            let cookies = ["alice", "bob"].map(|user| {
                cookie_of(&manager, NOON, |session| {
                    session.insert("user", user).unwrap();
                })
            });
            for cookie in [&cookies[0], &cookies[1], &cookies[0], "", &cookies[1]] {
                let through_proxy = proxy.get("/", cookie, || answer(&manager, cookie, *call));
                let (body, effects) = answer(&manager, cookie, *call);
                assert_eq!(through_proxy.body, body, "{name}");
                let sets_cookie = effects.set_cookie.is_some();
                assert_eq!(through_proxy.set_cookie.is_some(), sets_cookie, "{name}");
            }
            let (_, effects) = answer(&manager, &cookies[0], *call);
            assert!(effects.vary_cookie, "{name}");
        }
    }
}

/// Without `Vary`, the model mixes up users, which shows that the test can fail.
#[test]
fn the_caching_proxy_detects_a_missing_vary() {
    let mut proxy = Proxy::default();
    let page = |body: &str| (body.to_owned(), HeaderChanges::default());
    assert_eq!(proxy.get("/", "alice", || page("alice")).body, "alice");
    assert_eq!(proxy.get("/", "bob", || page("bob")).body, "alice");
}

#[test]
fn every_public_method_of_session_is_in_the_table() {
    let session = concat!(env!("CARGO_MANIFEST_DIR"), "/src/session");
    let parts = std::fs::read_dir(format!("{session}/handle")).unwrap();
    let parts = parts.map(|part| part.unwrap().path());
    let files = parts
        .filter(|part| part.is_file())
        .chain([format!("{session}/handle.rs").into()]);
    let sources: Vec<_> = files
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let names: Vec<_> = sources
        .iter()
        .flat_map(|source| source.split("#[cfg(test)]").next().unwrap().lines())
        .filter_map(|line| line.strip_prefix("    pub ")?.split_once("fn "))
        .map(|(_, rest)| rest.split(['(', '<']).next().unwrap())
        .collect();
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        let listed = ACCESSORS.iter().any(|(known, _)| *known == name);
        assert!(
            listed || NOT_LISTED.contains(&name),
            "{name} is not in ACCESSORS"
        );
    }
}

#[test]
fn a_page_that_does_not_touch_the_session_is_cached_for_all() {
    let manager = manager(ClientSide::signed(ring()), SessionConfig::default());
    let cookie = cookie_of(&manager, NOON, |session| {
        session.insert("user", "a").unwrap();
    });
    let slot = manager.begin();
    let effects = block_on(manager.commit(&slot, [cookie.as_bytes()], 200, NOON)).unwrap();
    assert_eq!(effects, HeaderChanges::default());
}

#[test]
fn every_response_with_our_cookie_is_no_store() {
    for manager in all_managers() {
        for (name, call) in ACCESSORS {
            let cookie = cookie_of(&manager, NOON, |session| {
                session.insert("user", "a").unwrap();
            });
            let (_, effects) = answer(&manager, &cookie, *call);
            assert_eq!(effects.no_store, effects.set_cookie.is_some(), "{name}");
            assert!(
                effects.vary_cookie || effects.set_cookie.is_none(),
                "{name}"
            );
        }
    }
}

#[test]
fn a_rejected_cookie_is_one_event_with_its_reason() {
    let manager = manager(ClientSide::signed(ring()), SessionConfig::default());
    let name = manager.cookie().name().to_owned();
    let ours = SignedSessions::new(&ring(), &SignedFormat::flask());
    let foreign = SignedSessions::new(&key(OTHER_KEY).into(), &SignedFormat::flask());
    let later = NOON.saturating_add(40 * 86_400);
    let two = format!(
        "{}; {name}={}",
        ours.seal(r#"{"a":1}"#, NOON),
        ours.seal(r#"{"a":2}"#, NOON)
    );
    for (value, now, level, reason) in [
        ("junk".to_owned(), NOON, "INFO", "malformed"),
        (foreign.seal("{}", NOON), NOON, "INFO", "bad-signature"),
        (ours.seal("{}", NOON), later, "INFO", "expired"),
        (ours.seal("{}", later), NOON, "INFO", "from-future"),
        (ours.seal("rubbish", NOON), NOON, "INFO", "bad-payload"),
        (two, NOON, "WARN", "ambiguous"),
    ] {
        let line = format!("{name}={value}");
        let lines = logs::lines_of(|| {
            let effects = request(&manager, &[line.as_bytes()], now, |session| {
                assert!(session.is_empty());
                assert!(session.rejection().is_some());
            });
            effects.unwrap();
        });
        assert_eq!(lines.len(), 1, "{reason}: {lines:?}");
        assert_eq!(lines[0].level.as_str(), level, "{reason}");
        assert!(
            lines[0].text.contains(&format!("reason=\"{reason}\"")),
            "{lines:?}"
        );
        assert!(
            lines[0].text.contains(&format!("cookie=\"{name}\"")),
            "{lines:?}"
        );
        assert!(!lines[0].text.contains(value.as_str()), "{lines:?}");
    }
}

#[test]
fn a_valid_request_logs_nothing() {
    for manager in all_managers() {
        let lines = logs::lines_of(|| {
            let cookie = cookie_of(&manager, NOON, |session| {
                session.insert("user", "a").unwrap();
            });
            for lines in [vec![cookie.as_bytes()], vec![], vec![&b"theme=dark"[..]]] {
                let effects = request(&manager, &lines, NOON, |session| _ = session.len());
                effects.unwrap();
            }
        });
        assert!(lines.is_empty(), "{lines:?}");
    }
}

#[test]
fn a_bad_cookie_that_is_never_read_logs_nothing() {
    let manager = manager(ClientSide::signed(ring()), SessionConfig::default());
    let line = format!("{}=junk", manager.cookie().name());
    let lines = logs::lines_of(|| {
        let slot = manager.begin();
        block_on(manager.commit(&slot, [line.as_bytes()], 200, NOON)).unwrap();
    });
    assert!(lines.is_empty(), "{lines:?}");
}

/// By default a 500 response saves only a log-out; Flask saves every change.
#[test]
fn a_server_error_saves_what_the_preset_says() {
    type Case = (&'static str, fn(&Session), bool, bool);
    let cases: [Case; 5] = [
        ("insert", |s| s.insert("n", &1).unwrap(), false, true),
        ("clear", |s| s.clear().unwrap(), false, true),
        ("log_in", |s| s.log_in("a").unwrap(), false, true),
        ("log_out", |s| s.log_out().unwrap(), true, true),
        ("read", |s| _ = s.len(), false, false),
    ];
    for side in [
        ClientSide::signed(ring()),
        ClientSide::encrypted(ring(), "shop"),
    ] {
        let safe = manager(side.clone(), SessionConfig::default());
        let flask = manager(side, SessionConfig::flask());
        for (name, call, safe_sends, flask_sends) in cases {
            for (manager, sends) in [(&safe, safe_sends), (&flask, flask_sends)] {
                let cookie = cookie_of(manager, NOON, |s| s.insert("user", "a").unwrap());
                for status in [500, 502, 503, 599] {
                    let effects =
                        answered(manager, &[cookie.as_bytes()], NOON, status, call).unwrap();
                    assert_eq!(effects.set_cookie.is_some(), sends, "{name} {status}");
                    assert!(effects.vary_cookie, "{name} {status}");
                }
                for status in [200, 302, 400, 404, 499] {
                    let effects =
                        answered(manager, &[cookie.as_bytes()], NOON, status, call).unwrap();
                    assert_eq!(
                        effects.set_cookie.is_some(),
                        name != "read",
                        "{name} {status}"
                    );
                }
            }
        }
    }
}
