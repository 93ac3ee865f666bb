//! RECOV: the server is back, and not as it was.

use std::time::{Duration, Instant};

use http::StatusCode;
use tokio::task::JoinSet;

use crate::{
    node::{Node, SLACK, number_in},
    server::Server,
};

/// The server is killed under load and comes back with nothing: everybody is anonymous, nobody sees an error
/// for long, and no id lives on.
pub(crate) async fn recov_1_an_empty_store_is_a_fresh_start<S: Server>() {
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
                if answer.status != StatusCode::OK {
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
    // Errors are over for all.
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
        assert_eq!(visitor.cookie, None, "the dead cookie is removed");
        assert!(visitors.iter().all(|new| new.cookie.as_ref() != Some(&jar)));
    }
}

/// The server is killed under load and started again with its files: what was acknowledged is there, and of what
/// was not at most the request that was under way.
pub(crate) async fn recov_1_what_was_acknowledged_outlives_a_killed_server<S: Server>() {
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
