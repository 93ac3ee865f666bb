//! What becomes of the sessions of one user: LIF-7 and LIF-9.

use std::sync::Arc;

use futures_util::future::{join, join_all};

use super::site::{Jar, NOW, Site, unique};
use crate::{
    session::{AtLimit, CommitError, Session},
    store::{SessionStore, Which},
};

/// LIF-7: of a thousand sessions, fifty of them with requests in flight, none is let in once the call that
/// ends them has returned.
pub async fn lif_7_revoking_lets_no_request_in(store: Arc<dyn SessionStore>) {
    if store.users().is_none() {
        return;
    }
    let (site, user) = (Site::new(store), unique("user"));
    let jars = logged_in(&site, &user, 1000).await;
    let in_flight = jars.iter().take(50).map(|jar| async {
        let request = site.open(jar, NOW).await;
        let write = request.session.insert("late", &1);
        write.expect("a write works");
        request.end().await.expect("the store works")
    });
    let (ended, late) = join(
        site.0.end_sessions_of(&user, Which::All),
        join_all(in_flight),
    )
    .await;
    assert_eq!(ended.expect("it works"), 1000);
    let seen = join_all(jars.iter().map(|jar| site.open(jar, NOW))).await;
    assert!(seen.iter().all(|request| request.session.user().is_none()));
    // A request that came too late to find its session began a new one, which is nobody's.
    for effects in &late {
        let mut jar = Jar::default();
        jar.keep(effects);
        assert_eq!(site.visit(&mut jar, NOW, Session::user).await, None);
    }
}

/// LIF-7: "log out everywhere else" spares the session that asks for it, and a list shows what is left.
pub async fn lif_7_all_but_this_one_end(store: Arc<dyn SessionStore>) {
    if store.users().is_none() {
        return;
    }
    let (site, user) = (Site::new(store), unique("user"));
    let mut jars = logged_in(&site, &user, 3).await;
    let this = site.visit(&mut jars[1], NOW, Session::handle).await;
    let this = this.expect("a stored session has a handle");
    let ended = site.0.end_sessions_of(&user, Which::AllBut(this)).await;
    assert_eq!(ended.expect("it works"), 2);
    let left = site.0.sessions_of(&user, NOW).await.expect("it works");
    assert_eq!(
        left.iter()
            .map(|session| session.handle)
            .collect::<Vec<_>>(),
        [this]
    );
    for (number, jar) in jars.iter_mut().enumerate() {
        let known = site.visit(jar, NOW, Session::user).await;
        assert_eq!(known.is_some(), number == 1);
    }
}

/// LIF-9: a hundred log-ins at once leave as many sessions as the user may have.
pub async fn lif_9_only_the_newest_few_live(store: Arc<dyn SessionStore>) {
    if store.users().is_none() {
        return;
    }
    let site = Site::with(store, |side| {
        side.with_limit_per_user(5, AtLimit::EndOldest)
    });
    let user = unique("user");
    for wave in log_ins(&site, &user).await {
        // The browser may hear of its session or, if it was pushed out meanwhile, that it has none.
        assert!(matches!(
            wave,
            Ok(_) | Err(CommitError::TooManySessions { .. })
        ));
    }
    assert_eq!(
        site.0
            .sessions_of(&user, NOW)
            .await
            .expect("it works")
            .len(),
        5
    );
}

/// LIF-9: where one too many is refused, no session that was there ends, and there are never more.
pub async fn lif_9_one_too_many_is_refused(store: Arc<dyn SessionStore>) {
    if store.users().is_none() {
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
    // Whoever has a session may prove again who they are.
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

/// A hundred at once, ten at a time.
async fn log_ins(site: &Site, user: &str) -> Vec<Result<crate::session::Effects, CommitError>> {
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
