//! Concurrent requests: changes of the cookie, and changes of the session that come too late.

use std::{sync::Arc, time::Duration};

use super::site::{Jar, NOW, Request, Site, after, unique};
use crate::{
    session::{CommitError, Conflict, LocalPath, Session, SessionConfig, SessionError, Timeouts},
    store::{
        ErasedStore, Selection, StoreError,
        conformance::{Spy, Verb},
    },
};

type Handler = fn(&Session) -> Result<(), SessionError>;

const LOG_IN: Handler = |session| session.log_in("bob");
const WRITE: Handler = |session| session.insert("late", &1);

async fn begun(site: &Site, begin: Handler) -> Jar {
    let mut jar = Jar::default();
    let visit = site.visit(&mut jar, NOW, begin).await;
    visit.expect("the session takes it");
    jar
}

async fn visited(site: &Site, jar: &Jar, handler: Handler) -> Jar {
    let mut jar = jar.clone();
    let visit = site.visit(&mut jar, NOW, handler).await;
    visit.expect("the session takes it");
    jar
}

async fn opened(site: &Site, jar: &Jar, handler: Handler) -> Request {
    let request = site.open(jar, NOW).await;
    handler(&request.session).expect("the session takes it");
    request
}

/// The actions that revoke a session or replace its ID.
const ENDS: [Handler; 3] = [LOG_IN, Session::renew, Session::log_out];

/// A change is not reported as saved if another request has revoked the session or replaced its ID.
pub async fn a_late_change_is_a_conflict(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let changes: [Handler; 4] = [
        WRITE,
        |session| {
            session
                .update("n", |n: Option<u64>| n.unwrap_or(0) + 1)
                .map(drop)
        },
        Session::renew,
        |session| session.flash("note", "hello"),
    ];
    for end in ENDS {
        for change in changes {
            let jar = begun(&site, |session| session.insert("n", &0)).await;
            let late = opened(&site, &jar, change).await;
            let next = visited(&site, &jar, end).await;
            match late.end().await {
                Err(error @ CommitError::Conflict) => assert_eq!(error.status(), 409),
                other => panic!("{other:?}"),
            }
            assert_eq!(site.look(&next, NOW, "late").await, None);
        }
    }
}

/// With [`Conflict::Discard`], the response of the late request is sent without a cookie.
///
/// Changes other than the handler's own writes are dropped in any case.
pub async fn a_late_change_can_be_dropped(store: Arc<dyn ErasedStore>) {
    let take: Handler = |session| {
        session.set_device("a browser")?;
        session.take_flashes().map(drop)
    };
    for (conflict, change) in [
        (Conflict::Discard, WRITE),
        (Conflict::Discard, take),
        (Conflict::Reject, take),
    ] {
        let config = SessionConfig::development().with_conflict(conflict);
        let site = Site::configured(store.clone(), config, |side| side);
        for end in ENDS {
            let jar = begun(&site, |session| session.flash("note", "hello")).await;
            let late = opened(&site, &jar, change).await;
            let next = visited(&site, &jar, end).await;
            let effects = late.end().await.expect("it is dropped");
            assert_eq!(effects.set_cookie, None);
            assert_eq!(site.look(&next, NOW, "late").await, None);
        }
    }
}

/// A read never changes the cookie of a session that was revoked, given a new ID or never known.
pub async fn a_late_read_leaves_the_cookie_alone(store: Arc<dyn ErasedStore>) {
    for config in [SessionConfig::development(), SessionConfig::flask()] {
        let site = Site::configured(store.clone(), config, |side| side);
        for end in ENDS {
            for permanent in [false, true] {
                let mut jar = begun(&site, |session| session.insert("n", &0)).await;
                let keep = site.visit(&mut jar, NOW, |session| session.set_permanent(permanent));
                keep.await.expect("a write works");
                let during = site.open(&jar, NOW).await;
                during.session.get::<u64>("n").expect("a number");
                visited(&site, &jar, end).await;
                let behind = site.open(&jar, NOW).await;
                assert_eq!(behind.session.get::<u64>("n").expect("none"), None);
                for late in [during, behind] {
                    let effects = late.end().await.expect("reading fails nothing");
                    assert_eq!(effects.set_cookie, None);
                }
            }
        }
        for unknown in ["", "no id", &"A".repeat(43)] {
            let request = site.open(&Jar::of(unknown), NOW).await;
            assert_eq!(request.session.len(), 0);
            let effects = request.end().await.expect("reading fails nothing");
            assert_eq!(effects.set_cookie, None, "{unknown:?}");
        }
    }
}

/// A request that was opened before a timed renewal and saves after it sends no cookie.
///
/// This also holds if the clock of the request's node is behind, or if an earlier renewal was
/// pending when the session was opened.
pub async fn a_renewed_id_is_not_sent_again(store: Arc<dyn ErasedStore>) {
    if !store.capabilities().aliases {
        return;
    }
    let timeouts = Timeouts {
        renewal: Some(Duration::from_secs(60)),
        grace: Duration::from_secs(10),
        ..Timeouts::default()
    };
    let site = Site::configured(store, SessionConfig::flask(), |side| {
        side.with_timeouts(timeouts)
    });
    let read: Handler = |session| session.get::<u64>("late").map(drop);
    let mut jar = begun(&site, |session| {
        session.log_in("bob")?;
        session.set_permanent(true)
    })
    .await;
    for (opened, renewed, ended) in [(59, 60, 59), (60, 131, 132)] {
        let mut late = Vec::new();
        for handler in [read, WRITE] {
            let request = site.open(&jar, after(opened)).await;
            handler(&request.session).expect("the session takes it");
            late.push(request);
        }
        let old = jar.clone();
        // In the second round, the ID is used before its successor is due.
        for now in [opened, renewed, renewed] {
            let visit = site.visit(&mut jar, after(now), read).await;
            visit.expect("a number");
        }
        assert_ne!(jar, old);
        for late in late {
            let effects = late.end_at(200, after(ended)).await;
            let sent = effects.expect("the store works").set_cookie;
            assert_eq!(sent, None, "opened at {opened}");
        }
    }
    assert_eq!(site.look(&jar, after(140), "late").await, Some(1));
}

/// A request with a recently retired ID creates no session that would replace the newer one.
///
/// The request also does not report that it has emptied or renewed the newer session. A minute
/// later, the ID is unknown.
pub async fn a_retired_id_creates_no_session(store: Arc<dyn ErasedStore>) {
    let has_markers = store.capabilities().aliases;
    let site = Site::new(store);
    for end in ENDS {
        let jar = begun(&site, |session| session.insert("n", &0)).await;
        visited(&site, &jar, end).await;
        let write = opened(&site, &jar, WRITE).await;
        let clear = opened(&site, &jar, Session::clear).await;
        let renew = opened(&site, &jar, Session::renew).await;
        if has_markers {
            for late in [write, clear, renew] {
                let end = late.end().await;
                assert!(matches!(end, Err(CommitError::Conflict)), "{end:?}");
            }
        }
        let later = site.open(&jar, after(60)).await;
        WRITE(&later.session).expect("the session takes it");
        let effects = later.end().await.expect("the store works");
        assert!(effects.set_cookie.is_some());
    }
}

/// A log-in always results in a session, regardless of the session that the request opened.
///
/// The session has the request's own writes and none of the old content.
pub async fn a_log_in_always_leads_to_a_session(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let log_in: Handler = |session| {
        session.log_in("ada")?;
        session.insert("own", &1)
    };
    for end in ENDS {
        let mut jar = begun(&site, |session| session.insert("old", &1)).await;
        let during = opened(&site, &jar, log_in).await;
        visited(&site, &jar, end).await;
        let behind = opened(&site, &jar, log_in).await;
        for request in [during, behind] {
            jar.keep(&request.end().await.expect("a log-in succeeds"));
            let user = site.visit(&mut jar.clone(), NOW, Session::user).await;
            assert_eq!(user.as_deref(), Some("ada"));
            assert_eq!(site.look(&jar, NOW, "own").await, Some(1));
            assert_eq!(site.look(&jar, NOW, "old").await, None);
        }
    }
}

/// A browser with a revoked session begins the next log-in immediately.
///
/// The new session has the attempt and none of the old content.
pub async fn a_log_in_begins_after_a_revocation(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    for end in ENDS {
        for commits_early in [false, true] {
            let mut jar = begun(&site, |session| session.insert("old", &1)).await;
            visited(&site, &jar, end).await;
            let request = site.open(&jar, NOW).await;
            let attempt = request.session.begin_login(LocalPath::or_root("/"));
            let attempt = attempt.expect("the session takes it");
            if commits_early {
                request.session.commit().await.expect("a commit works");
            }
            jar.keep(&request.end().await.expect("a new session has it"));
            assert_eq!(site.look(&jar, NOW, "old").await, None);
            let callback = site.open(&jar, NOW).await;
            let finished = callback.session.finish_login(attempt.state()).await;
            assert_eq!(finished.expect("the store works"), Some(attempt));
        }
    }
}

/// After `renew`, the old ID is invalid immediately (OWASP ASVS 7.2.4).
pub async fn a_renewal_by_a_handler_kills_the_old_id(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let old = begun(&site, LOG_IN).await;
    let promote: Handler = |session| {
        session.insert("admin", &1)?;
        session.renew()
    };
    let new = visited(&site, &old, promote).await;
    assert_ne!(old, new);
    assert_eq!(site.look(&new, NOW, "admin").await, Some(1));
    assert_eq!(site.visit(&mut old.clone(), NOW, Session::len).await, 0);
}

/// A log-out revokes the session even if another request has given it a new ID since.
pub async fn a_log_out_ends_a_session_under_its_new_id(store: Arc<dyn ErasedStore>) {
    if store.powers().users().is_none() || !store.capabilities().notes_uses {
        return;
    }
    let site = Site::new(store);
    let old = begun(&site, LOG_IN).await;
    let out = opened(&site, &old, Session::log_out).await;
    let new = visited(&site, &old, Session::renew).await;
    let mut jar = new.clone();
    jar.keep(&out.end().await.expect("a log-out works"));
    assert_eq!(jar, Jar::default());
    assert_eq!(site.visit(&mut new.clone(), NOW, Session::user).await, None);
}

/// A log-out takes effect after a server error and without a response. Other changes do not.
pub async fn a_log_out_happens_without_a_response(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    for has_response in [true, false] {
        let jar = begun(&site, LOG_IN).await;
        let request = opened(&site, &jar, WRITE).await;
        match has_response {
            true => _ = request.end_with(500).await.expect("nothing is saved"),
            false => request.hang_up().await,
        }
        assert_eq!(site.look(&jar, NOW, "late").await, None);
        let request = opened(&site, &jar, Session::log_out).await;
        match has_response {
            true => _ = request.end_with(500).await.expect("a log-out works"),
            false => request.hang_up().await,
        }
        assert_eq!(site.visit(&mut jar.clone(), NOW, Session::user).await, None);
    }
}

/// A log-in of another user removes the values of the previous user.
///
/// This holds even if that user was removed from the dictionary before.
pub async fn another_user_never_inherits(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let changes: [Handler; 3] = [
        |_| Ok(()),
        |session| session.remove("_user_id").map(drop),
        |session| session.insert("_user_id", "ada"),
    ];
    for change in changes {
        let mut jar = begun(&site, |session| {
            session.log_in("bob")?;
            session.insert("admin", &1)
        })
        .await;
        let switch = |session: &Session| {
            change(session)?;
            session.log_in("ada")
        };
        let visit = site.visit(&mut jar, NOW, switch).await;
        visit.expect("a log-in works");
        assert_eq!(site.look(&jar, NOW, "admin").await, None);
        let user = site.visit(&mut jar, NOW, Session::user).await;
        assert_eq!(user.as_deref(), Some("ada"));
    }
}

/// A request that removes the user from a concurrently revoked session leaves no session.
pub async fn a_revoked_session_has_no_successor(store: Arc<dyn ErasedStore>) {
    if store.powers().users().is_none() {
        return;
    }
    let (site, user) = (Site::new(store), unique("user"));
    let mut jar = Jar::default();
    let begin = |session: &Session| {
        session.log_in(&user)?;
        session.insert("rest", &1)
    };
    let visit = site.visit(&mut jar, NOW, begin).await;
    visit.expect("a log-in works");
    let leave: Handler = |session| session.remove("_user_id").map(drop);
    let late = opened(&site, &jar, leave).await;
    let ended = site.0.end_sessions_of(&user, Selection::All).await;
    assert_eq!(ended.expect("the store works"), 1);
    let end = late.end().await;
    assert!(matches!(end, Err(CommitError::Conflict)), "{end:?}");
}

/// The cookie is replaced when a permanent session becomes a browser session.
pub async fn an_earlier_permanence_is_taken_back(store: Arc<dyn ErasedStore>) {
    for config in [SessionConfig::development(), SessionConfig::flask()] {
        let site = Site::configured(store.clone(), config, |side| side);
        let jar = begun(&site, |session| session.set_permanent(true)).await;
        let request = opened(&site, &jar, |session| session.set_permanent(false)).await;
        let effects = request.end().await.expect("the store works");
        let cookie = effects.set_cookie.expect("the cookie is sent again");
        assert!(
            cookie.starts_with(jar.0.as_deref().expect("it has one")),
            "the same id"
        );
        assert!(!cookie.contains("Expires"));
        let request = opened(&site, &jar, |session| session.insert("n", &1)).await;
        let effects = request.end().await.expect("the store works");
        assert_eq!(effects.set_cookie, None);
    }
}

/// A session that is only read stays alive while it is used, and its ID is renewed.
///
/// This holds for every preset's cookie policy.
pub async fn timeouts_hold_for_reads_under_every_preset(store: Arc<dyn ErasedStore>) {
    let has_aliases = store.capabilities().aliases;
    for config in [
        SessionConfig::development(),
        SessionConfig::flask(),
        SessionConfig::starlette(),
    ] {
        let site = Site::configured(store.clone(), config, |side| {
            side.with_timeouts(Timeouts::asvs_l2())
        });
        let mut jar = begun(&site, LOG_IN).await;
        let first = jar.clone();
        for minute in (5..90).step_by(5) {
            let user = site
                .visit(&mut jar, after(minute * 60), Session::user)
                .await;
            assert_eq!(user.as_deref(), Some("bob"), "after {minute} minutes");
        }
        assert_eq!(jar != first, has_aliases, "the id is renewed");
        let idle = after(85 * 60 + 1_800);
        assert_eq!(site.visit(&mut jar, idle, Session::user).await, None);
    }
}

/// A read-only or unreachable store fails no request that only reads or does not use its session.
pub async fn a_use_that_cannot_be_noted_fails_nothing(store: Arc<dyn ErasedStore>) {
    for config in [SessionConfig::development(), SessionConfig::flask()] {
        let spy = Arc::new(Spy::shared(store.clone()));
        let site = Site::configured(spy.clone(), config, |side| {
            side.with_timeouts(Timeouts {
                renewal: Some(Duration::from_secs(60)),
                ..Timeouts::default()
            })
        });
        let mut jar = begun(&site, LOG_IN).await;
        let keep = site.visit(&mut jar, NOW, |session| session.set_permanent(true));
        keep.await.expect("a write works");
        let fail = |verbs: &'static [Verb]| {
            spy.before(move |call| {
                let fails = verbs.contains(&call.verb);
                Box::pin(async move {
                    match fails {
                        true => Err(StoreError::Full),
                        false => Ok(()),
                    }
                })
            });
        };
        fail(&[Verb::Touch, Verb::Patch, Verb::Rotate]);
        let late = after(super::site::LIFETIME / 2);
        let request = site.open(&jar, late).await;
        assert_eq!(request.session.user().as_deref(), Some("bob"));
        let effects = request.end().await.expect("reading fails nothing");
        assert_eq!(effects.set_cookie, None);
        fail(&[Verb::Load, Verb::Touch, Verb::Patch, Verb::Rotate]);
        let slot = site.0.begin();
        let line = jar.0.clone().unwrap_or_default();
        let effects = site.0.end(&slot, [line.as_bytes()], 200, || late).await;
        let effects = effects.expect("a session that no handler uses fails nothing");
        assert_eq!(effects.set_cookie, None);
    }
}
