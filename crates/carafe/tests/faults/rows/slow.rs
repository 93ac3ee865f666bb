//! SLOW: late replies, lost replies, too many requests.

use std::time::{Duration, Instant};

use carafe::{GuardOptions, store::Deadlines};
use carafe_test_proxy::Fault;
use http::StatusCode;
use tokio::task::JoinSet;

use crate::{
    browser::Browser,
    node::{Node, PATIENT, SLACK, number_in, without_circuit},
    server::Server,
};

/// The deadline of a read, including the connection.
const READ: Duration = Duration::from_millis(500);

async fn visitors<S: Server>(node: &Node<S>, count: usize) -> Vec<Browser> {
    let mut visitors = Vec::new();
    for number in 0..count {
        visitors.push(node.visitor(&number.to_string()).await);
    }
    visitors
}

/// Sends a request of every visitor concurrently; returns the results with the visitors' numbers.
async fn all_ask(visitors: &[Browser]) -> Vec<(usize, StatusCode, String, Duration)> {
    let mut requests = JoinSet::new();
    for (number, visitor) in visitors.iter().enumerate() {
        let request = visitor.ask("/mine");
        requests.spawn(async move {
            let began = Instant::now();
            let answer = request.await;
            (number, answer.status, answer.body, began.elapsed())
        });
    }
    requests.join_all().await
}

/// No request exceeds a deadline, and no visitor receives another's response.
async fn deadlines_hold<S: Server>(
    node: &Node<S>,
    visitors: &mut [Browser],
    hang: impl Fn(),
    wake: impl Fn(),
) {
    for _ in 0..3 {
        hang();
        for (number, status, _, took) in all_ask(visitors).await {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{number}");
            assert!(took < READ + SLACK, "{took:?}");
        }
        wake();
        // Late replies may arrive during these requests.
        for _ in 0..5 {
            for (number, status, body, _) in all_ask(visitors).await {
                if status == StatusCode::OK {
                    assert_eq!(body, format!("{number}//2"));
                }
            }
        }
        node.recovers(&mut visitors[0], SLACK * 3).await;
    }
}

pub(crate) async fn a_black_hole_costs_a_deadline_and_mixes_no_replies<S: Server>() {
    let options = without_circuit().with_deadlines(Deadlines::default());
    let node = Node::with(S::shared(), Deadlines::default(), options).await;
    let mut visitors = visitors(&node, 24).await;
    let hang = || node.proxy.set(Fault::Blackhole);
    let wake = || node.proxy.set(Fault::None);
    deadlines_hold(&node, &mut visitors, hang, wake).await;
}

pub(crate) async fn a_paused_server_costs_a_deadline<S: Server>() {
    let server = S::start();
    let options = without_circuit().with_deadlines(Deadlines::default());
    let node = Node::with(&server, Deadlines::default(), options).await;
    let mut visitors = visitors(&node, 24).await;
    let (hang, wake) = (|| server.signal("STOP"), || server.signal("CONT"));
    deadlines_hold(&node, &mut visitors, hang, wake).await;
}

/// An acknowledged change is applied exactly once; a failed one at most once.
pub(crate) async fn a_change_whose_reply_is_lost_counts_once<S: Server>() {
    let node = Node::patient(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    let (mut sure, mut unsure) = (1, 0);
    for round in 0..200 {
        // Drops each reply of a request in turn: of its read, of its write, of a new connection.
        node.proxy.at_reply(1 + round % 4, Fault::Drop);
        match visitor.get("/count").await.status {
            StatusCode::OK => sure += 1,
            StatusCode::SERVICE_UNAVAILABLE => unsure += 1,
            status => panic!("{status}"),
        }
    }
    let counted = number_in(S::shared(), &visitor.jar()).await.unwrap();
    println!("{sure} sure, {unsure} unsure, {counted} counted");
    assert!(sure <= counted && counted <= sure + unsure);
    assert!(sure > 1, "some get through");
}

pub(crate) async fn a_dead_server_is_rarely_probed<S: Server>() {
    let node = Node::of(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    node.proxy.set(Fault::Refuse);
    while node.store.is_ready() {
        visitor.get("/mine").await.is_trouble();
    }
    let (began, calls) = (Instant::now(), node.store.status().calls);
    let mut requests = 0_u64;
    while began.elapsed() < Duration::from_secs(5) {
        visitor.get("/mine").await.is_trouble();
        requests += 1;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let calls = node.store.status().calls - calls;
    let most = 2 * began.elapsed().as_secs();
    assert!(calls <= most, "{calls} calls for {requests} requests");
    node.proxy.set(Fault::None);
    node.recovers(&mut visitor, Duration::from_secs(2) + SLACK)
        .await;
    assert!(node.store.is_ready());
}

pub(crate) async fn requests_past_the_concurrency_limit_are_rejected<S: Server>() {
    let options: GuardOptions = without_circuit().with_concurrency_limit(10);
    let node = Node::with(S::shared(), PATIENT, options).await;
    let visitor = node.visitor("ann").await;
    node.proxy.set(Fault::Blackhole);
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let request = visitor.ask("/mine");
        requests.spawn(async move { request.await.status });
    }
    // The rejected requests complete while the others still wait.
    for _ in 0..90 {
        let status = requests.join_next().await.unwrap().unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(node.store.status().rejected_by_limit, 90);
    node.proxy.set(Fault::None);
    let served = requests.join_all().await;
    assert_eq!(served, [StatusCode::OK; 10]);
}
