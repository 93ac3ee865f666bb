//! RECOV: the server is back, with other data.

use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::task::JoinSet;

use crate::{
    node::{Node, SLACK, number_in},
    server::Server,
};

/// After a server is killed under load and restarts empty, every visitor is anonymous.
///
/// Errors stop soon, and no old ID is valid.
pub(crate) async fn a_server_that_returns_empty_is_a_fresh_start<S: Server>() {
    let server = S::start();
    let node = Node::of(&server).await;
    let (load, mut old) = (tokio::sync::watch::Sender::new(true), Vec::new());
    for number in 0..8 {
        old.push(node.visitor(&number.to_string()).await);
    }
    let mut workers = JoinSet::new();
    for mut visitor in old.clone() {
        let goes_on = load.subscribe();
        workers.spawn(async move {
            while *goes_on.borrow() {
                let answer = visitor.get("/count").await;
                // A session lost during its request is a conflict.
                if ![StatusCode::OK, StatusCode::CONFLICT].contains(&answer.status) {
                    answer.is_trouble();
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            visitor
        });
    }
    tokio::task::block_in_place(|| {
        server.kill();
        server.restart_empty();
    });
    let mut late = node.browser();
    node.recovers(&mut late, Duration::from_secs(2) + SLACK)
        .await;
    // All visitors are served again.
    let (began, mut last_trouble) = (Instant::now(), None);
    while began.elapsed() < Duration::from_secs(3) {
        if node.browser().get("/count").await.status != StatusCode::OK {
            last_trouble = Some(began.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(last_trouble.is_none_or(|at| at < Duration::from_secs(2)));
    load.send_replace(false);
    let visitors = workers.join_all().await;
    for mut visitor in old {
        let jar = visitor.jar();
        let answer = visitor.get("/mine").await;
        assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "//0"));
        assert_eq!(
            visitor.jar(),
            jar,
            "a page that only reads removes no cookie"
        );
        assert!(visitors.iter().all(|new| new.cookie.as_ref() != Some(&jar)));
    }
}

/// A server that is killed under load keeps every acknowledged change.
///
/// The server restarts with its files, which also contain at most the change that was in progress.
pub(crate) async fn acknowledged_changes_survive_a_killed_server<S: Server>() {
    let server = S::start_durable();
    let node = Node::of(&server).await;
    let mut visitors = Vec::new();
    for number in 0..8 {
        visitors.push(node.visitor(&number.to_string()).await);
    }
    let mut workers = JoinSet::new();
    for mut visitor in visitors {
        workers.spawn(async move {
            let mut acknowledged: u64 = 1;
            loop {
                let answer = visitor.get("/count").await;
                if answer.status != StatusCode::OK {
                    return (visitor.jar(), acknowledged);
                }
                acknowledged = answer.body.parse().unwrap();
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    tokio::task::block_in_place(|| server.kill());
    let workers = workers.join_all().await;
    tokio::task::block_in_place(|| server.restart());
    let mut total = 0;
    for (jar, acknowledged) in workers {
        let counted = number_in(&server, &jar).await.expect("it is there");
        assert!((acknowledged..=acknowledged + 1).contains(&counted));
        total += acknowledged;
    }
    println!("{total} acknowledged changes, all there");
    assert!(total > 16, "there was load: {total}");
}
