//! Session lifetime and expiry: LIF-1 to 4, 6, 8, 10 to 12, 14 and 15.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::site::{Jar, LIFETIME, NOW, Site, after, unique};
use crate::{
    clock::Timestamp,
    session::{Session, SessionError, Timeouts},
    store::{ErasedStore, StoreError, StoreKey},
};

type Handler = fn(&Session) -> Result<(), SessionError>;

fn write(session: &Session) -> Result<(), SessionError> {
    session.insert("n", &1)
}

/// LIF-1: a session expires in the exact second of its idle timeout, by the caller's clock.
pub async fn the_idle_timeout_is_exact_to_the_second(store: Arc<dyn ErasedStore>) {
    let site = Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()));
    let mut jar = Jar::default();
    site.visit(&mut jar, NOW, write)
        .await
        .expect("a write works");
    assert_eq!(site.look(&jar, after(1799), "n").await, Some(1));
    assert_eq!(site.look(&jar, after(1800), "n").await, None);
}

/// LIF-2: a session in constant use expires at the absolute limit, even if its ID changes.
pub async fn use_never_outlives_the_absolute_limit(store: Arc<dyn ErasedStore>) {
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

/// LIF-3: a cookie that a browser would have dropped is rejected.
pub async fn a_replayed_cookie_of_an_expired_session_has_no_user(store: Arc<dyn ErasedStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    let permanent = |session: &Session| session.set_permanent(true).and_then(|()| write(session));
    site.visit(&mut jar, NOW, permanent)
        .await
        .expect("a write works");
    assert_eq!(site.look(&jar, after(LIFETIME - 1), "n").await, Some(1));
    assert_eq!(site.look(&jar, after(LIFETIME), "n").await, None);
    assert_eq!(site.look(&jar, after(10 * LIFETIME), "n").await, None);
}

/// LIF-4: a log-out revokes the session for every copy of its cookie and removes the cookie.
pub async fn a_log_out_ends_every_copy(store: Arc<dyn ErasedStore>) {
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

/// LIF-6: a thousand concurrent updates of one number all count.
pub async fn a_thousand_updates_all_count(store: Arc<dyn ErasedStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    site.visit(&mut jar, NOW, |session| session.insert("n", &0))
        .await
        .expect("a write works");
    // In batches, because a server's connections limit concurrency.
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

/// LIF-6: a hundred concurrent requests that write a hundred keys lose none.
pub async fn a_hundred_writers_of_a_hundred_keys_keep_all(store: Arc<dyn ErasedStore>) {
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

/// LIF-8: an operator revokes all sessions, and none is accepted once the call has returned.
pub async fn all_sessions_are_revoked_with_one_call(store: Arc<dyn ErasedStore>) {
    if store.powers().listing().is_none() {
        return;
    }
    // A separate time in the past, so that sessions of other checks on the same store are kept, and
    // a lifetime that lasts until today.
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

/// LIF-10: a session records when its user last authenticated, and use does not change that time.
pub async fn a_log_in_is_recent_for_a_while(store: Arc<dyn ErasedStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    let recent = |session: &Session| session.is_recently_authenticated(Duration::from_secs(300));
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

/// LIF-11: fifty requests with the old ID across a renewal are accepted and get the same new ID.
///
/// This holds regardless of how late the requests are. Once the grace period after the first use of
/// the new ID is over, the old ID is rejected.
pub async fn requests_in_flight_survive_a_renewal(store: Arc<dyn ErasedStore>) {
    let has_aliases = store.capabilities().aliases;
    let grace = Duration::from_secs(30);
    let site = Site::with(store, |side| {
        side.with_timeouts(Timeouts {
            renewal: Some(Duration::from_secs(900)),
            grace,
            ..Timeouts::default()
        })
    });
    let mut jar = Jar::default();
    let begin = |session: &Session| {
        session.log_in("bob")?;
        session.insert("n", &0)
    };
    let visit = site.visit(&mut jar, NOW, begin).await;
    visit.expect("a log-in works");
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
    if !has_aliases {
        assert!(
            renewed.is_empty(),
            "no id is renewed that would be dead at once"
        );
        return;
    }
    let (first, rest) = renewed.split_first().expect("the id was renewed");
    assert!(
        rest.iter().all(|other| other == first),
        "one new id for all"
    );
    done.iter().for_each(|(_, effects)| jar.keep(effects));
    // The response was lost, so the old ID is still accepted, and the response carries the new one.
    let mut lost = old.clone();
    let late = site.visit(&mut lost, after(5_000), |session| session.get::<u64>("n"));
    assert_eq!(late.await.expect("a number"), Some(50));
    assert_eq!(lost, jar);
    // The use of the new ID starts the grace period of the old one.
    let used = site.visit(&mut jar, after(6_000), |session| session.get::<u64>("n"));
    assert_eq!(used.await.expect("a number"), Some(50));
    assert_eq!(jar, lost, "the new id stays");
    assert_eq!(site.look(&old, after(6_029), "n").await, Some(50));
    assert_eq!(site.look(&old, after(6_030), "n").await, None);
    assert_eq!(site.look(&jar, after(6_030), "n").await, Some(50));
}

/// LIF-12: any number of reads creates no record and sends no cookie.
pub async fn reading_creates_nothing(store: Arc<dyn ErasedStore>) {
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

/// LIF-14: if a session loses its last key, its cookie and its record are deleted.
pub async fn an_empty_session_is_no_session(store: Arc<dyn ErasedStore>) {
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
        let state = store.load(&key, NOW).await.expect("load works");
        assert!(state.record().is_none());
    }
}

/// LIF-14: removing the user from the dictionary, as in Flask, logs the user out.
///
/// The remaining values get a new ID and no user.
pub async fn clearing_the_dictionary_logs_out(store: Arc<dyn ErasedStore>) {
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
        match site.0.sessions_of(&user, None, NOW).await {
            Err(StoreError::Unsupported) => {}
            listed => assert!(listed.expect("of_user works").is_empty()),
        }
    }
}

/// LIF-15: a node with a wrong clock neither extends nor restores a session.
///
/// The clock is a day behind or ahead. No session outlives the configured lifetime by the node's
/// own clock.
pub async fn a_node_with_a_wrong_clock_expires_and_restores_no_session_of_others(
    store: Arc<dyn ErasedStore>,
) {
    const DAY: i64 = 86_400;
    let (site, mut jar) = (Site::new(store), Jar::default());
    site.visit(&mut jar, NOW, write)
        .await
        .expect("a write works");
    // A use by a clock that is behind does not shorten the lifetime, and the recorded use is kept.
    site.visit(&mut jar, after(-DAY), write)
        .await
        .expect("a write works");
    assert_eq!(site.look(&jar, after(LIFETIME - 1), "n").await, Some(1));
    // A clock that is ahead sees an expired session, without effect on other nodes.
    assert_eq!(site.look(&jar, after(LIFETIME + DAY), "n").await, None);
    let late = site.open(&jar, after(LIFETIME + DAY)).await;
    late.end().await.expect("the store works");
    assert_eq!(site.look(&jar, after(LIFETIME - 1), "n").await, Some(1));
}

/// A log-in keeps the values of an anonymous visitor and drops the values of another user.
pub async fn an_anonymous_session_goes_along_at_log_in(store: Arc<dyn ErasedStore>) {
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
