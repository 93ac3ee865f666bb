//! GARBAGE: damaged rows and invalid replies.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use carafe::{OnCorrupt, ServerSide, store::Deadlines};
use carafe_test_proxy::Fault;
use http::{StatusCode, header};
use tokio::task::JoinSet;

use crate::{
    browser::Answer,
    node::{Node, SLACK, app_of, key_of, rounds, second, without_circuit},
    server::Server,
};

pub(crate) async fn a_damaged_row_is_a_503_and_stays_as_it_is<S: Server>() {
    let (server, node) = (S::shared(), Node::patient(S::shared()).await);
    let (mut visitor, mut other) = (node.visitor("ann").await, node.visitor("bob").await);
    let key = key_of(&visitor.jar());
    server.damage(&key);
    let before = server.raw(&key);
    assert!(!before.is_empty());
    for path in ["/mine", "/count", "/name/eve", "/login/eve"] {
        let answer = visitor.get(path).await;
        answer.is_unreadable();
        assert_eq!(answer.set_cookie(), None, "{path}");
    }
    assert_eq!(server.raw(&key), before, "not a byte of it is touched");
    assert_eq!(other.get("/mine").await.body, "bob//2");
    assert!(node.store.status().corrupt >= 4);
    assert!(node.store.is_ready(), "one bad row is not a bad store");
}

pub(crate) async fn a_damaged_row_is_an_anonymous_session_by_option<S: Server>() {
    let (server, node) = (S::shared(), Node::patient(S::shared()).await);
    let side = ServerSide::shared(node.store.clone()).with_corrupt(OnCorrupt::Anonymous);
    let app = app_of(side, &node.gate);
    let mut visitor = node.visitor("ann").await;
    visitor.moves_to(&app);
    let jar = visitor.jar();
    let key = key_of(&jar);
    server.damage(&key);
    let before = server.raw(&key);
    let page = visitor.get("/mine").await;
    assert_eq!((page.status, &*page.body), (StatusCode::OK, "//0"));
    assert_eq!(page.set_cookie(), None, "the record may be mended");
    let page = visitor.get("/count").await;
    assert_eq!((page.status, &*page.body), (StatusCode::OK, "1"));
    assert_ne!(visitor.jar(), jar, "a new id");
    assert_eq!(visitor.get("/count").await.body, "2");
    assert_eq!(server.raw(&key), before, "not a byte of it is touched");
    assert!(node.store.status().corrupt >= 2);
}

/// Each byte of the replies is changed, and each reply is truncated at each byte.
///
/// The replies include those of new connections. The response is correct or an error, and in time.
pub(crate) async fn a_damaged_or_cut_reply_is_an_error_in_time<S: Server>() {
    let options = without_circuit().with_deadlines(Deadlines::default());
    let node = Node::with(S::shared(), Deadlines::default(), options).await;
    let mut visitor = node.visitor("ann").await;
    let (mut right, mut trouble) = (0, 0);
    for at in 0..rounds(80, 400) {
        let faults = [
            Fault::Truncate(at),
            Fault::Corrupt { at, mask: 0x80 },
            Fault::Corrupt { at, mask: 0x01 },
        ];
        for fault in faults {
            node.proxy.at_reply(1, fault);
            let began = Instant::now();
            let answer = visitor.ask("/mine").await;
            // After a changed length, a driver waits for more bytes until its deadline.
            assert!(began.elapsed() < Duration::from_millis(500) + SLACK);
            if answer.status == StatusCode::OK {
                // A changed letter of a value is undetected, because the protocols have no
                // checksum.
                let name = answer.body.split('/').next().unwrap();
                let close = name.is_empty() || name.len() == 3;
                assert!(close, "{fault:?}: {}", answer.body);
                right += 1;
            } else {
                is_no_session(&answer);
                trouble += 1;
            }
            node.proxy.cut();
        }
    }
    println!("{right} answered, {trouble} not");
    assert!(trouble > 0);
    assert_eq!(node.recovers(&mut visitor, SLACK * 3).await, "ann//2");
}

/// A reply damaged in transit may look like a damaged record.
#[track_caller]
fn is_no_session(answer: &Answer) {
    match answer.headers.contains_key(header::RETRY_AFTER) {
        true => answer.is_trouble(),
        false => answer.is_unreadable(),
    }
}

/// Replies of different connections are swapped under load.
///
/// No visitor receives another's session, and no visitor is treated as a new one, whichever request
/// the swapped reply belonged to.
pub(crate) async fn a_swapped_reply_is_never_another_session_or_an_empty_one<S: Server>() {
    const VISITORS: usize = 8;
    let each = rounds(250, 6_250);
    // Two processes, so that a store with one connection has another connection to swap replies
    // with.
    let options = without_circuit().with_deadlines(Deadlines::default());
    let node = Node::with(S::shared(), Deadlines::default(), options).await;
    let second = second(&node, options).await;
    let mut visitors = Vec::new();
    for number in 0..VISITORS {
        visitors.push(node.visitor(&number.to_string()).await);
    }
    let answered = Arc::new(AtomicUsize::new(0));
    let mut readers = JoinSet::new();
    for (number, visitor) in visitors.iter().enumerate() {
        for app in [&node.app, &second] {
            let (mut visitor, answered) = (visitor.clone(), answered.clone());
            visitor.moves_to(app);
            readers.spawn(async move {
                let (mut own, mut none) = (0, 0);
                for _ in 0..each {
                    let answer = visitor.ask("/mine").await;
                    answered.fetch_add(1, Ordering::Relaxed);
                    match &*answer.body {
                        "//0" => none += 1,
                        body if answer.status == StatusCode::OK => {
                            assert_eq!(body, format!("{number}//2"));
                            own += 1;
                        }
                        _ => is_no_session(&answer),
                    }
                }
                (own, none)
            });
        }
    }
    // Swaps one pair per few requests, however slow the machine is, so that most connections have
    // completed their handshake.
    let swaps = async {
        loop {
            let next = answered.load(Ordering::Relaxed) + 8;
            node.proxy.at_reply(1, Fault::Swap);
            node.proxy.at_reply(2, Fault::Swap);
            while answered.load(Ordering::Relaxed) < next {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    };
    let counts = tokio::select! {
        counts = readers.join_all() => counts,
        () = swaps => unreachable!("it never ends"),
    };
    let (mut own, mut none) = (0, 0);
    for (their_own, their_none) in counts {
        own += their_own;
        none += their_none;
    }
    let (all, swapped) = (2 * VISITORS * each, node.proxy.swapped());
    println!("{all} requests, {own} with their own session, {none} with none, {swapped} swapped");
    assert!(swapped > 20 && own > all / 10, "{swapped} and {own}");
    assert_eq!(none, 0, "wrongly without a session");
}
