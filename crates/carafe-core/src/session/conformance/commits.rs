//! Commits before and after the end of the request.
//!
//! Changes are saved when a commit returns, and `take_once` returns a value to one request only.

use std::{
    future::{pending, poll_fn},
    sync::Arc,
    task::Poll,
};

use futures_util::{
    FutureExt,
    future::{join, join_all},
};

use super::site::{Jar, NOW, Site, after, set_clock};
use crate::{
    session::{Session, SessionError, Timeouts},
    store::{
        ErasedStore, StoreError,
        conformance::{Spy, Verb},
    },
};

async fn begun(site: &Site, begin: fn(&Session) -> Result<(), SessionError>) -> Jar {
    let mut jar = Jar::default();
    let visit = site.visit(&mut jar, NOW, begin).await;
    visit.expect("the session takes it");
    jar
}

/// A committed value is visible to other requests before the request ends.
///
/// The response of a new session has its cookie.
pub async fn a_commit_saves_before_the_request_ends(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let jar = begun(&site, |session| session.insert("a", &1)).await;
    let request = site.open(&jar, NOW).await;
    request.session.insert("n", &7).expect("it is JSON");
    assert_eq!(site.look(&jar, NOW, "n").await, None);
    request.session.commit().await.expect("the store works");
    assert_eq!(site.look(&jar, NOW, "n").await, Some(7));
    assert_eq!(request.session.get("n").expect("a number"), Some(7));
    // Later changes of the same request are saved at its end, on top of the changes of other
    // requests.
    request.session.insert("n", &8).expect("it is JSON");
    let mut other = jar.clone();
    let write = site.visit(&mut other, NOW, |session| session.insert("m", &1));
    write.await.expect("a write works");
    let effects = request.end_with(500).await.expect("the store works");
    assert_eq!(effects.set_cookie, None);
    assert_eq!(
        site.look(&jar, NOW, "n").await,
        Some(7),
        "a server error saves nothing more"
    );
    assert_eq!(site.look(&jar, NOW, "m").await, Some(1));

    let (request, mut new) = (site.open(&Jar::default(), NOW).await, Jar::default());
    request.session.insert("n", &9).expect("it is JSON");
    request.session.commit().await.expect("the store works");
    request.session.insert("m", &9).expect("it is JSON");
    new.keep(&request.end().await.expect("the store works"));
    assert_eq!(site.look(&new, NOW, "n").await, Some(9));
    assert_eq!(site.look(&new, NOW, "m").await, Some(9));
}

/// A handler that outlives its response's head, such as a WebSocket, changes and saves its session.
pub async fn a_commit_saves_after_the_head_was_sent(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let jar = begun(&site, |session| session.insert("n", &0)).await;
    let request = site.open(&jar, NOW).await;
    request.session.insert("n", &1).expect("it is JSON");
    request.end().await.expect("the store works");
    for n in 2..5_u64 {
        request.session.insert("n", &n).expect("a store has it");
        assert_eq!(request.session.get("n").expect("a number"), Some(n));
        request.session.commit().await.expect("the store works");
        assert_eq!(site.look(&jar, NOW, "n").await, Some(n));
        let mut other = jar.clone();
        let write = site.visit(&mut other, NOW, |session| session.insert("n", &(100 * n)));
        write.await.expect("a write works");
        request.session.reload().await.expect("the store works");
        assert_eq!(request.session.get("n").expect("a number"), Some(100 * n));
    }
    // A session created by this request, with the ID from its response.
    let (request, mut new) = (site.open(&Jar::default(), NOW).await, Jar::default());
    request.session.insert("n", &1).expect("it is JSON");
    new.keep(&request.end().await.expect("the store works"));
    request.session.insert("m", &2).expect("a store has it");
    request.session.commit().await.expect("the store works");
    assert_eq!(site.look(&new, NOW, "n").await, Some(1));
    assert_eq!(site.look(&new, NOW, "m").await, Some(2));
    // A change that needs a header comes too late.
    let request = site.open(&Jar::default(), NOW).await;
    request.end().await.expect("the store works");
    let late = request.session.insert("n", &1);
    assert!(matches!(late, Err(SessionError::AlreadySent)));
    let request = site.open(&jar, NOW).await;
    request.end().await.expect("the store works");
    request.session.insert("n", &6).expect("a store has it");
    for late in [
        request.session.log_in("bob"),
        request.session.renew(),
        request.session.log_out(),
    ] {
        assert!(matches!(late, Err(SessionError::AlreadySent)), "{late:?}");
    }
    request.session.commit().await.expect("the store works");
    assert_eq!(site.look(&jar, NOW, "n").await, Some(6));
    let out = request.session.log_out_now().await;
    out.expect("it needs no header");
    assert_eq!(site.look(&jar, NOW, "n").await, None);
}

/// The commit of a revoked session fails, and so do later changes. The final commit does not fail.
pub async fn a_commit_of_an_ended_session_is_refused(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let jar = begun(&site, |session| session.insert("n", &0)).await;
    let request = site.open(&jar, NOW).await;
    assert!(request.session.is_alive().await.expect("the store works"));
    let out = site.visit(&mut jar.clone(), NOW, Session::log_out).await;
    out.expect("a log-out works");
    assert!(!request.session.is_alive().await.expect("the store works"));
    for gone in [
        request.session.reload().await,
        request.session.keep_alive().await,
    ] {
        assert!(matches!(gone, Err(SessionError::Gone)), "{gone:?}");
    }
    request
        .session
        .insert("n", &1)
        .expect("nothing is known yet");
    let gone = request.session.commit().await;
    assert!(matches!(gone, Err(SessionError::Gone)), "{gone:?}");
    let gone = request.session.insert("n", &2);
    assert!(matches!(gone, Err(SessionError::Gone)), "{gone:?}");
    let effects = request.end().await.expect("the handler was told");
    assert_eq!(effects.set_cookie, None);
    assert_eq!(site.look(&jar, NOW, "n").await, None);
}

/// If the future of a commit is dropped, such as by a timeout, the next commit saves the changes.
pub async fn a_commit_that_is_dropped_loses_nothing(store: Arc<dyn ErasedStore>) {
    let spy = Arc::new(Spy::shared(store));
    let site = Site::new(spy.clone());
    for is_new in [false, true] {
        for after_the_head in [false, true] {
            let mut jar = match is_new {
                false => begun(&site, |session| session.insert("old", &1)).await,
                true => Jar::default(),
            };
            let request = site.open(&jar, NOW).await;
            if after_the_head {
                request.session.insert("m", &1).expect("it is JSON");
                jar.keep(&request.end().await.expect("the store works"));
            }
            request.session.insert("n", &1).expect("a store has it");
            spy.before(|_| Box::pin(pending()));
            assert!(request.session.commit().now_or_never().is_none());
            spy.works();
            assert_eq!(request.session.get("n").expect("a number"), Some(1));
            request.session.commit().await.expect("the store works");
            if !after_the_head {
                jar.keep(&request.end().await.expect("the store works"));
            }
            assert_eq!(site.look(&jar, NOW, "n").await, Some(1));
        }
    }
}

/// The response of a new session has its cookie even if an earlier commit was interrupted.
///
/// After the commit has created the record, the store cannot be read, or the commit is dropped.
pub async fn a_committed_session_keeps_its_id(store: Arc<dyn ErasedStore>) {
    let spy = Arc::new(Spy::shared(store));
    let site = Site::new(spy.clone());
    for is_dropped in [false, true] {
        let (request, mut jar) = (site.open(&Jar::default(), NOW).await, Jar::default());
        request.session.insert("n", &1).expect("it is JSON");
        spy.before(move |call| match call.verb {
            Verb::Load if is_dropped => Box::pin(pending()),
            Verb::Load => Box::pin(async { Err(StoreError::Full) }),
            _ => Box::pin(async { Ok(()) }),
        });
        let commit = request.session.commit();
        if is_dropped {
            // A store on another thread replies later.
            let mut commit = Box::pin(commit);
            while spy.count(Verb::Load) == 0 {
                assert!(
                    poll_fn(|context| Poll::Ready(commit.poll_unpin(context).is_pending())).await
                );
                yields().await;
            }
        } else {
            commit.await.expect("the record is there");
        }
        spy.works();
        assert_eq!(spy.calls().len(), 2);
        jar.keep(&request.end().await.expect("the store works"));
        assert_eq!(site.look(&jar, NOW, "n").await, Some(1));
    }
}

/// Yields to the other futures of the same task.
async fn yields() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Two concurrent commits of a new session create one session with the changes of both.
pub async fn commits_at_once_create_one_session(store: Arc<dyn ErasedStore>) {
    let spy = Arc::new(Spy::shared(store));
    let site = Site::new(spy.clone());
    spy.before(|_| {
        Box::pin(async {
            yields().await;
            Ok(())
        })
    });
    let (request, mut jar) = (site.open(&Jar::default(), NOW).await, Jar::default());
    let one = request.session.update_now("one", |_: Option<u64>| 1);
    let two = request.session.update_now("two", |_: Option<u64>| 2);
    let (one, two) = join(one, two).await;
    assert_eq!(one.expect("the store works"), 1);
    assert_eq!(two.expect("the store works"), 2);
    assert_eq!(spy.count(Verb::Create), 1);
    jar.keep(&request.end().await.expect("the store works"));
    assert_eq!(site.look(&jar, NOW, "one").await, Some(1));
    assert_eq!(site.look(&jar, NOW, "two").await, Some(2));
}

/// `take_once` returns a value to only one of fifty requests.
///
/// The value is removed when the call returns.
pub async fn a_value_is_taken_once(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let jar = begun(&site, |session| {
        session.insert("voucher", "V-1")?;
        session.insert("n", &0)
    })
    .await;
    let takers = (0..50).map(|_| async {
        let request = site.open(&jar, NOW).await;
        let taken = request.session.take_once::<String>("voucher").await;
        let taken = taken.expect("the store works");
        request.session.insert("seen", &1).expect("it is JSON");
        request.end().await.expect("the store works");
        taken
    });
    let taken: Vec<_> = join_all(takers).await.into_iter().flatten().collect();
    assert_eq!(taken, ["V-1"]);
    assert_eq!(site.look(&jar, NOW, "n").await, Some(0));
    assert_eq!(site.look(&jar, NOW, "seen").await, Some(1));
    // A value of another type is kept. A value that this request has just written is taken, too.
    let request = site.open(&jar, NOW).await;
    let wrong = request.session.take_once::<String>("n").await;
    assert!(
        matches!(wrong, Err(SessionError::Decode { .. })),
        "{wrong:?}"
    );
    request.session.insert("fresh", &5).expect("it is JSON");
    assert_eq!(
        request.session.take_once("fresh").await.expect("a number"),
        Some(5)
    );
    assert_eq!(
        request
            .session
            .take_once::<u64>("fresh")
            .await
            .expect("none"),
        None
    );
    // A binding takes the text, and only stores text that is one value.
    let wrong = request.session.insert_json("text", "1 2".to_owned());
    assert!(matches!(wrong, Err(SessionError::Decode { .. })));
    let text = r#"[1,{" t":[]}]"#.to_owned();
    let inserted = request.session.insert_json("text", text.clone());
    inserted.expect("it is one value");
    let taken = request.session.take_json_once("text").await;
    assert_eq!(taken.expect("the store works"), Some(text));
    let taken = request.session.take_json_once("text").await;
    assert_eq!(taken.expect("the store works"), None);
    request.end().await.expect("the store works");
    assert_eq!(site.look(&jar, NOW, "fresh").await, None);
    assert_eq!(site.look(&jar, NOW, "n").await, Some(0));
}

/// Each of fifty updates returns a different value, so that decisions on the value are reliable.
pub async fn updates_now_are_told_apart(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let jar = begun(&site, |session| session.insert("other", &0)).await;
    let updates = (0..50).map(|_| async {
        let request = site.open(&jar, NOW).await;
        let count = |n: Option<u64>| n.unwrap_or(0) + 1;
        let told = request.session.update_now("n", count).await;
        request.end().await.expect("the store works");
        told.expect("the store works")
    });
    let mut told = join_all(updates).await;
    told.sort_unstable();
    assert_eq!(told, (1..=50).collect::<Vec<_>>());
    // First in a new session, and then again.
    let (request, mut new) = (site.open(&Jar::default(), NOW).await, Jar::default());
    for expected in 1..3_u64 {
        let count = |n: Option<u64>| n.unwrap_or(0) + 1;
        let told = request.session.update_now("n", count).await;
        assert_eq!(told.expect("the store works"), expected);
    }
    new.keep(&request.end().await.expect("the store works"));
    assert_eq!(site.look(&new, NOW, "n").await, Some(2));
}

/// If the function of an update fails, nothing is changed and its error is returned.
pub async fn an_update_can_be_refused(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    let jar = begun(&site, |session| session.insert("credit", &25)).await;
    let request = site.open(&jar, NOW).await;
    let spend = |credit: Option<u64>| credit.unwrap_or(0).checked_sub(10).ok_or("too little");
    for left in [15, 5] {
        let told = request.session.try_update_now("credit", spend).await;
        assert_eq!(told.expect("there is enough"), left);
    }
    match request.session.try_update_now("credit", spend).await {
        Err(SessionError::Update(reason)) => assert_eq!(reason.to_string(), "too little"),
        told => panic!("{told:?}"),
    }
    let doubled = |text: Option<&str>| match text {
        Some("5") => Ok("10".to_owned()),
        _ => Err("another text"),
    };
    let told = request.session.try_update_json_now("credit", doubled).await;
    assert_eq!(told.expect("it is five"), "10");
    match request.session.try_update_json_now("credit", doubled).await {
        Err(SessionError::Update(reason)) => assert_eq!(reason.to_string(), "another text"),
        told => panic!("{told:?}"),
    }
    let no_value = |_: Option<&str>| Ok::<_, std::convert::Infallible>("]".to_owned());
    let told = request
        .session
        .try_update_json_now("credit", no_value)
        .await;
    assert!(matches!(told, Err(SessionError::Decode { .. })), "{told:?}");
    request.end().await.expect("the store works");
    assert_eq!(site.look(&jar, NOW, "credit").await, Some(10));
}

/// A handler can use its session across timed renewals, and is notified of its revocation.
pub async fn a_handler_follows_its_session_through_renewals(store: Arc<dyn ErasedStore>) {
    let has_aliases = store.capabilities().aliases;
    let site = Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()));
    for (round, call) in (0..).zip(["commit", "update_now", "reload", "keep_alive"]) {
        let begin = round * 7_200;
        let mut jar = Jar::default();
        let visit = site.visit(&mut jar, after(begin), |session| session.log_in("bob"));
        visit.await.expect("a log-in works");
        let request = site.open(&jar, after(begin)).await;
        let socket = request.session.clone();
        request.end().await.expect("the store works");
        for minute in [15, 16, 31, 32, 47, 48, 63, 64_i64] {
            let now = begin + minute * 60;
            set_clock(now);
            let before = jar.clone();
            let visit = site.visit(&mut jar, after(now), |session| session.get::<u8>("n"));
            visit.await.expect("a number");
            let is_renewal = minute % 16 == 15;
            assert_eq!(jar != before, is_renewal && has_aliases, "{minute} minutes");
            let used = match call {
                "commit" => {
                    socket.insert("minute", &minute).expect("a store has it");
                    socket.commit().await
                }
                "update_now" => socket
                    .update_now("minute", |_: Option<i64>| minute)
                    .await
                    .map(drop),
                "reload" => socket.reload().await,
                _ => socket.keep_alive().await,
            };
            used.unwrap_or_else(|error| panic!("{call} after {minute} minutes: {error}"));
            if ["commit", "update_now"].contains(&call) {
                let seen = site.look(&jar, after(now), "minute").await;
                assert_eq!(seen, u64::try_from(minute).ok());
            }
        }
        let out = site.visit(&mut jar, after(begin + 65 * 60), Session::log_out);
        out.await.expect("a log-out works");
        assert!(!socket.is_alive().await.expect("the store works"));
    }
}

/// `log_out_now` revokes the session before it returns, and the response still removes the cookie.
pub async fn a_log_out_now_ends_the_session_before_the_request_does(store: Arc<dyn ErasedStore>) {
    let site = Site::new(store);
    for after_the_head in [false, true] {
        let mut jar = begun(&site, |session| session.log_in("bob")).await;
        let (copy, request) = (jar.clone(), site.open(&jar, NOW).await);
        if after_the_head {
            request.end().await.expect("the store works");
        }
        request
            .session
            .log_out_now()
            .await
            .expect("the store works");
        assert_eq!(
            site.visit(&mut copy.clone(), NOW, Session::user).await,
            None
        );
        if !after_the_head {
            jar.keep(&request.end().await.expect("the store works"));
            assert_eq!(jar, Jar::default());
        }
        request
            .session
            .log_out_now()
            .await
            .expect("it has ended already");
    }
}

/// `keep_alive` restarts the idle timeout.
pub async fn a_use_is_noted_after_the_head_was_sent(store: Arc<dyn ErasedStore>) {
    let site = Site::with(store, |side| side.with_timeouts(Timeouts::asvs_l2()));
    let mut jar = Jar::default();
    // Created 15 minutes before the clock of the calls.
    let begin = site.visit(&mut jar, after(-900), |session| session.insert("n", &1));
    begin.await.expect("a write works");
    let request = site.open(&jar, after(-900)).await;
    request.end().await.expect("the store works");
    assert_eq!(site.look(&jar, after(899), "n").await, Some(1));
    assert_eq!(site.look(&jar, after(900), "n").await, None);
    request
        .session
        .keep_alive()
        .await
        .expect("the session lives");
    assert_eq!(site.look(&jar, after(1799), "n").await, Some(1));
    assert_eq!(site.look(&jar, after(1800), "n").await, None);
}
