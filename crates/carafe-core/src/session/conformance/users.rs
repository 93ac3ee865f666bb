//! The sessions of one user: LIF-7 and LIF-9.

use std::sync::Arc;

use futures_util::future::{join, join_all};

use super::site::{Jar, NOW, Site, unique};
use crate::{
    session::{AtLimit, CommitError, Session},
    store::{ErasedStore, Selection},
};

/// LIF-7: none of a thousand sessions is accepted once the call that revokes them has returned.
///
/// Fifty of the sessions have in-flight requests.
pub async fn no_request_gets_a_revoked_session(store: Arc<dyn ErasedStore>) {
    if store.powers().users().is_none() {
        return;
    }
    let (site, user) = (Site::new(store), unique("user"));
    let jars = logged_in(&site, &user, 1000).await;
    let in_flight = jars.iter().take(50).map(|jar| async {
        let request = site.open(jar, NOW).await;
        let write = request.session.insert("late", &1);
        write.expect("a write works");
        request.end().await
    });
    let (ended, late) = join(
        site.0.end_sessions_of(&user, Selection::All),
        join_all(in_flight),
    )
    .await;
    assert_eq!(ended.expect("it works"), 1000);
    let seen = join_all(jars.iter().map(|jar| site.open(jar, NOW))).await;
    assert!(seen.iter().all(|request| request.session.user().is_none()));
    // A late request gets a conflict. If the store does not mark retired IDs, the request has
    // created a new session without a user instead.
    for effects in &late {
        let effects = match effects {
            Ok(effects) => effects,
            Err(CommitError::Conflict) => continue,
            Err(error) => panic!("{error}"),
        };
        let mut jar = Jar::default();
        jar.keep(effects);
        assert_eq!(site.visit(&mut jar, NOW, Session::user).await, None);
    }
}

/// LIF-7: "log out everywhere else" keeps the current session, and a list shows the rest.
pub async fn all_sessions_but_this_one_are_revoked(store: Arc<dyn ErasedStore>) {
    if store.powers().users().is_none() {
        return;
    }
    let (site, user) = (Site::new(store), unique("user"));
    let mut jars = logged_in(&site, &user, 3).await;
    let this = site.visit(&mut jars[1], NOW, Session::public_id).await;
    let this = this.expect("a stored session has a handle");
    let ended = site.0.end_sessions_of(&user, Selection::AllBut(this)).await;
    assert_eq!(ended.expect("it works"), 2);
    let left = site
        .0
        .sessions_of(&user, None, NOW)
        .await
        .expect("it works");
    assert_eq!(
        left.iter()
            .map(|session| session.public_id)
            .collect::<Vec<_>>(),
        [this]
    );
    for (number, jar) in jars.iter_mut().enumerate() {
        let known = site.visit(jar, NOW, Session::user).await;
        assert_eq!(known.is_some(), number == 1);
    }
}

/// LIF-9: a hundred concurrent log-ins leave as many sessions as the limit allows.
pub async fn only_the_newest_sessions_of_a_user_stay(store: Arc<dyn ErasedStore>) {
    if store.powers().users().is_none() {
        return;
    }
    let site = Site::with(store, |side| {
        side.with_limit_per_user(5, AtLimit::EndOldest)
    });
    let user = unique("user");
    for wave in log_ins(&site, &user).await {
        // The browser gets the cookie of its session, or an error if the session was revoked in the
        // meantime.
        assert!(matches!(
            wave,
            Ok(_) | Err(CommitError::TooManySessions { .. })
        ));
    }
    assert_eq!(
        site.0
            .sessions_of(&user, None, NOW)
            .await
            .expect("it works")
            .len(),
        5
    );
}

/// LIF-9: if excess log-ins are refused, existing sessions are kept, and the limit holds.
pub async fn a_log_in_over_the_limit_is_refused(store: Arc<dyn ErasedStore>) {
    if store.powers().users().is_none() {
        return;
    }
    let site = Site::with(store, |side| side.with_limit_per_user(5, AtLimit::Refuse));
    let user = unique("user");
    let first = logged_in(&site, &user, 5).await;
    let mut anonymous = Jar::default();
    site.visit(&mut anonymous, NOW, |session| session.insert("cart", &1))
        .await
        .expect("a write works");
    for outcome in log_ins(&site, &user).await {
        assert!(matches!(
            outcome,
            Err(CommitError::TooManySessions { limit: 5 })
        ));
    }
    let request = site.open(&anonymous, NOW).await;
    request.session.log_in(&user).expect("a log-in is noted");
    assert_eq!(
        request.end().await.map_err(|error| error.status()),
        Err(409)
    );
    assert_eq!(
        site.look(&anonymous, NOW, "cart").await,
        Some(1),
        "it stays as it was"
    );
    for mut jar in first {
        let known = site.visit(&mut jar, NOW, Session::user).await;
        assert_eq!(known.as_ref(), Some(&user));
    }
    // A user with a session may authenticate again.
    let mut jar = logged_in(&site, &unique("other"), 1).await.remove(0);
    let again = site.visit(&mut jar, NOW, |session| session.log_in(&unique("another")));
    again.await.expect("a log-in works");
}

async fn logged_in(site: &Site, user: &str, count: usize) -> Vec<Jar> {
    let mut jars = vec![Jar::default(); count];
    for wave in jars.chunks_mut(50) {
        let visits = wave.iter_mut().map(|jar| async {
            let log_in = site.visit(jar, NOW, |session| session.log_in(user)).await;
            log_in.expect("a log-in works");
        });
        join_all(visits).await;
    }
    jars
}

/// Logs in a hundred times, ten at a time.
async fn log_ins(
    site: &Site,
    user: &str,
) -> Vec<Result<crate::session::HeaderChanges, CommitError>> {
    let mut outcomes = Vec::new();
    for _ in 0..10 {
        let wave = (0..10).map(|_| async {
            let request = site.open(&Jar::default(), NOW).await;
            request.session.log_in(user).expect("a log-in is noted");
            request.end().await
        });
        outcomes.extend(join_all(wave).await);
    }
    outcomes
}
