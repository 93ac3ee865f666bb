//! How long a session lives, and how it ends: LIF-1 to 4, 6, 8, 10 to 12, 14 and 15.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::site::{Jar, LIFETIME, NOW, Site, after, unique};
use crate::{
    clock::Timestamp,
    session::{Session, SessionError, Timeouts},
    store::{SessionStore, StoreError, StoreKey},
};

type Handler = fn(&Session) -> Result<(), SessionError>;

fn write(session: &Session) -> Result<(), SessionError> {
    session.insert("n", &1)
}

/// LIF-1: the time without use ends a session in its second, by the caller's clock.
pub async fn lif_1_idle_ends_to_the_second(store: Arc<dyn SessionStore>) {
    let site = Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()));
    let mut jar = Jar::default();
    site.visit(&mut jar, NOW, write)
        .await
        .expect("a write works");
    assert_eq!(site.look(&jar, after(1799), "n").await, Some(1));
    assert_eq!(site.look(&jar, after(1800), "n").await, None);
}

/// LIF-2: a session in steady use ends with the absolute limit, whatever ids it had.
pub async fn lif_2_use_never_outlives_the_absolute_limit(store: Arc<dyn SessionStore>) {
    let site = Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()));
    let mut jar = Jar::default();
    site.visit(&mut jar, NOW, write)
        .await
        .expect("a write works");
    let (limit, step) = (12 * 3600, 1000);
    for at in (step..limit).step_by(1000) {
        let there = site.visit(&mut jar, after(at), |session| session.get::<u64>("n"));
        assert_eq!(there.await.expect("a number"), Some(1), "after {at} s");
    }
    assert_eq!(site.look(&jar, after(limit - 1), "n").await, Some(1));
    assert_eq!(site.look(&jar, after(limit), "n").await, None);
}

/// LIF-3: a cookie that a browser would have dropped is as dead here.
pub async fn lif_3_a_replayed_cookie_is_nobody(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    let permanent = |session: &Session| session.set_permanent(true).and_then(|()| write(session));
    site.visit(&mut jar, NOW, permanent)
        .await
        .expect("a write works");
    assert_eq!(site.look(&jar, after(LIFETIME - 1), "n").await, Some(1));
    assert_eq!(site.look(&jar, after(LIFETIME), "n").await, None);
    assert_eq!(site.look(&jar, after(10 * LIFETIME), "n").await, None);
}

/// LIF-4: a log-out ends the session for every copy of its cookie, and takes the browser's away.
pub async fn lif_4_a_log_out_ends_every_copy(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    site.visit(&mut jar, NOW, |session| {
        session.log_in("bob").and_then(|()| write(session))
    })
    .await
    .expect("a log-in works");
    let copy = jar.clone();
    let out = site.visit(&mut jar, NOW, Session::log_out).await;
    out.expect("a log-out works");
    assert_eq!(jar, Jar::default(), "the cookie is removed");
    assert_eq!(site.look(&copy, NOW, "n").await, None);
}

/// LIF-6: of a thousand updates of one number at once, each counts.
pub async fn lif_6_a_thousand_updates_all_count(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    site.visit(&mut jar, NOW, |session| session.insert("n", &0))
        .await
        .expect("a write works");
    // In waves, as a server's connections bound them.
    for _ in 0..20 {
        let wave = (0..50).map(|_| async {
            let request = site.open(&jar, NOW).await;
            let update = request
                .session
                .update("n", |n: Option<u64>| n.unwrap_or(0) + 1);
            update.expect("an update works");
            request.end().await.expect("the store works")
        });
        join_all(wave).await;
    }
    assert_eq!(site.look(&jar, NOW, "n").await, Some(1000));
}

/// LIF-6: a hundred requests that write a hundred keys at once lose none.
pub async fn lif_6_a_hundred_writers_of_a_hundred_keys_keep_all(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    site.visit(&mut jar, NOW, write)
        .await
        .expect("a write works");
    let writers = (0..100).map(|number| {
        let (site, jar) = (&site, &jar);
        async move {
            let request = site.open(jar, NOW).await;
            let write = request.session.insert(&format!("k{number}"), &number);
            write.expect("a write works");
            request.end().await.expect("the store works")
        }
    });
    join_all(writers).await;
    assert_eq!(site.visit(&mut jar, NOW, Session::len).await, 101);
}

/// LIF-8: an operator ends all sessions, and none is let in when the call has returned.
pub async fn lif_8_every_session_ends_at_once(store: Arc<dyn SessionStore>) {
    if store.inventory().is_none() {
        return;
    }
    // A past of its own, so that other checks' sessions on the same store stay; and a life until today.
    let then = Timestamp::from_unix(1_000);
    let site = Site::with(store, |side| {
        side.with_timeouts(Timeouts {
            idle: Some(Duration::from_secs(5_000_000_000)),
            ..Timeouts::default()
        })
    });
    let mut jars = vec![Jar::default(); 30];
    for jar in &mut jars {
        let visit = site.visit(jar, then, write).await;
        visit.expect("a write works");
    }
    let mut young = Jar::default();
    let visit = site.visit(&mut young, then.saturating_add(5_000), write);
    visit.await.expect("a write works");
    site.0.end_all_sessions(then).await.expect("it works");
    for jar in &jars {
        assert_eq!(site.look(jar, NOW, "n").await, None);
    }
    assert_eq!(site.look(&young, NOW, "n").await, Some(1));
}

/// LIF-10: a session knows when its user last proved who they are; use does not refresh that.
pub async fn lif_10_a_log_in_is_recent_for_a_while(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    let recent = |session: &Session| session.is_recently_authenticated(300);
    assert!(
        !site
            .visit(&mut jar, NOW, |session| {
                write(session).is_ok() && recent(session)
            })
            .await
    );
    let log_in = |session: &Session| session.log_in("bob");
    site.visit(&mut jar, NOW, log_in)
        .await
        .expect("a log-in works");
    assert!(site.visit(&mut jar, after(300), recent).await);
    site.visit(&mut jar, after(300), write)
        .await
        .expect("a write works");
    assert!(!site.visit(&mut jar, after(301), recent).await);
    site.visit(&mut jar, after(302), log_in)
        .await
        .expect("a log-in works");
    assert!(site.visit(&mut jar, after(303), recent).await);
}

/// LIF-11: fifty requests with the old id across a renewal are all let in; after the grace time none is.
pub async fn lif_11_requests_in_flight_survive_a_renewal(store: Arc<dyn SessionStore>) {
    let grace = Duration::from_secs(30);
    let site = Site::with(store, |side| {
        side.with_timeouts(Timeouts {
            renewal: Some(Duration::from_secs(900)),
            grace,
            ..Timeouts::default()
        })
    });
    let mut jar = Jar::default();
    site.visit(&mut jar, NOW, |session| session.insert("n", &0))
        .await
        .expect("a write works");
    let old = jar.clone();
    let requests = (0..50).map(|_| async {
        let request = site.open(&old, after(900)).await;
        let known = request.session.get::<u64>("n").expect("a number");
        let update = request
            .session
            .update("n", |n: Option<u64>| n.unwrap_or(0) + 1);
        update.expect("an update works");
        let effects = request.end().await.expect("the store works");
        (known, effects)
    });
    let done = join_all(requests).await;
    assert!(
        done.iter().all(|(known, _)| known.is_some()),
        "none was logged out"
    );
    let renewed: Vec<_> = done
        .iter()
        .filter_map(|(_, effects)| effects.set_cookie.as_ref())
        .collect();
    assert_eq!(renewed.len(), 1, "one of them has renewed the id");
    done.iter().for_each(|(_, effects)| jar.keep(effects));
    assert_eq!(site.look(&jar, after(900), "n").await, Some(50));
    assert_eq!(site.look(&old, after(929), "n").await, Some(50));
    assert_eq!(site.look(&old, after(930), "n").await, None);
    assert_eq!(site.look(&jar, after(930), "n").await, Some(50));
}

/// LIF-12: looking at a session, even at length, files nothing and sends no cookie.
pub async fn lif_12_reading_creates_nothing(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    for _ in 0..100 {
        let look = |session: &Session| {
            (
                session.len(),
                session.user(),
                session.take_flashes().is_ok(),
            )
        };
        site.visit(&mut jar, NOW, look).await;
        assert_eq!(jar, Jar::default());
    }
}

/// LIF-14: a session that loses its last key is taken away, cookie and record.
pub async fn lif_14_an_empty_session_is_no_session(store: Arc<dyn SessionStore>) {
    let ways: [Handler; 2] = [|session| session.remove("n").map(drop), Session::clear];
    for empty in ways {
        let (site, mut jar) = (Site::new(store.clone()), Jar::default());
        site.visit(&mut jar, NOW, write)
            .await
            .expect("a write works");
        let key = StoreKey::of_id(jar.id().expect("a session has an id"));
        site.visit(&mut jar, NOW, empty)
            .await
            .expect("a write works");
        assert_eq!(jar, Jar::default());
        assert!(store.load(&key, NOW).await.expect("load works").is_none());
    }
}

/// LIF-14: a log-out in Flask's manner, by taking the user out of the dictionary, ends the log-in as well: what
/// is left lives under a new id and is nobody's.
pub async fn lif_14_clearing_a_log_in_ends_it(store: Arc<dyn SessionStore>) {
    let ways: [Handler; 2] = [
        |session| session.remove("_user_id").map(drop),
        Session::clear,
    ];
    for leave in ways {
        let (site, mut jar, user) = (Site::new(store.clone()), Jar::default(), unique("user"));
        let log_in = |session: &Session| session.log_in(&user);
        site.visit(&mut jar, NOW, log_in)
            .await
            .expect("a log-in works");
        let before = jar.clone();
        let goodbye = |session: &Session| leave(session).and_then(|()| session.insert("bye", &1));
        site.visit(&mut jar, NOW, goodbye)
            .await
            .expect("a write works");
        assert_ne!(jar, before);
        assert_eq!(site.look(&jar, NOW, "bye").await, Some(1));
        assert_eq!(site.visit(&mut before.clone(), NOW, Session::len).await, 0);
        match site.0.sessions_of(&user, NOW).await {
            Err(StoreError::Unsupported) => {}
            listed => assert!(listed.expect("of_user works").is_empty()),
        }
    }
}

/// LIF-15: a node whose clock is a day behind or ahead prolongs nothing beyond the configured lifetime from
/// its own time, and brings nothing back.
pub async fn lif_15_clocks_that_differ_harm_nobody(store: Arc<dyn SessionStore>) {
    const DAY: i64 = 86_400;
    let (site, mut jar) = (Site::new(store), Jar::default());
    site.visit(&mut jar, NOW, write)
        .await
        .expect("a write works");
    // A use by a clock that is behind shortens nothing, and what was noted stays.
    site.visit(&mut jar, after(-DAY), write)
        .await
        .expect("a write works");
    assert_eq!(site.look(&jar, after(LIFETIME - 1), "n").await, Some(1));
    // A clock that is ahead finds it over, and that changes nothing for the others.
    assert_eq!(site.look(&jar, after(LIFETIME + DAY), "n").await, None);
    let late = site.open(&jar, after(LIFETIME + DAY)).await;
    late.end().await.expect("the store works");
    assert_eq!(site.look(&jar, after(LIFETIME - 1), "n").await, Some(1));
}

/// What an anonymous visitor has collected is there after the log-in; what another user had is not.
pub async fn an_anonymous_session_goes_along_at_log_in(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    site.visit(&mut jar, NOW, |session| session.insert("cart", &3))
        .await
        .expect("a write works");
    let bob = |session: &Session| session.log_in("bob");
    site.visit(&mut jar, NOW, bob)
        .await
        .expect("a log-in works");
    assert_eq!(site.look(&jar, NOW, "cart").await, Some(3));
    let alice = |session: &Session| session.log_in("alice");
    site.visit(&mut jar, NOW, alice)
        .await
        .expect("a log-in works");
    assert_eq!(site.look(&jar, NOW, "cart").await, None);
    let user = site.visit(&mut jar, NOW, Session::user).await;
    assert_eq!(user.as_deref(), Some("alice"));
}
