//! RACE: concurrent requests change a session.

use http::StatusCode;
use tokio::task::JoinSet;

use crate::{
    node::{Node, number_in},
    server::Server,
};

pub(crate) async fn a_save_after_a_log_out_resurrects_nothing<S: Server>() {
    let node = Node::patient(S::shared()).await;
    for _ in 0..20 {
        let mut visitor = node.visitor("ann").await;
        let jar = visitor.jar();
        let late = tokio::spawn(visitor.ask("/gated/count"));
        node.gate.reached().await;
        assert_eq!(visitor.get("/logout").await.status, StatusCode::OK);
        node.gate.open();
        let answer = late.await.unwrap();
        assert_eq!(answer.status, StatusCode::CONFLICT, "not reported as saved");
        assert_eq!(answer.set_cookie(), None);
        assert_eq!(number_in(S::shared(), &jar).await, None);
    }
}

pub(crate) async fn concurrent_changes_are_all_kept<S: Server>() {
    let node = Node::patient(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    let mut requests = JoinSet::new();
    for number in 0..50 {
        for path in ["/count".to_owned(), format!("/set/key{number}")] {
            let request = visitor.ask(&path);
            requests.spawn(async move { request.await.status });
        }
    }
    let statuses = requests.join_all().await;
    assert!(statuses.iter().all(|&status| status == StatusCode::OK));
    assert_eq!(number_in(S::shared(), &visitor.jar()).await, Some(51));
    assert_eq!(visitor.get("/mine").await.body, "ann//52");
}
