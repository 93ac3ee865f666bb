//! SLOW: the server answers late, or the answer gets lost, or too many ask.

use std::time::{Duration, Instant};

use carafe::{
    GuardOptions,
    store::{Deadlines, guard::StaleRules},
};
use carafe_test_proxy::Fault;
use http::StatusCode;
use tokio::task::JoinSet;

use crate::{
    browser::Browser,
    node::{CALM, Node, PATIENT, SLACK, number_in, second, without_circuit},
    server::Server,
};

/// The deadline of a read: to connect and to be answered.
const READ: Duration = Duration::from_millis(500);

async fn visitors<S: Server>(node: &Node<S>, count: usize) -> Vec<Browser> {
    let mut visitors = Vec::new();
    for number in 0..count {
        visitors.push(node.visitor(&number.to_string()).await);
    }
    visitors
}

/// Every visitor asks at once; how it went, with the number of the visitor.
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

/// No answer takes longer than a deadline, and none is another's.
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
        // Late replies are on their way now.
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

pub(crate) async fn slow_1_a_black_hole_costs_a_deadline_and_mixes_nothing_up<S: Server>() {
    let options = without_circuit().with_deadlines(Deadlines::default());
    let node = Node::with(S::shared(), Deadlines::default(), options).await;
    let mut visitors = visitors(&node, 24).await;
    let hang = || node.proxy.set(Fault::Blackhole);
    let wake = || node.proxy.set(Fault::None);
    deadlines_hold(&node, &mut visitors, hang, wake).await;
}

pub(crate) async fn slow_1_a_paused_server_costs_a_deadline<S: Server>() {
    let server = S::start();
    let options = without_circuit().with_deadlines(Deadlines::default());
    let node = Node::with(&server, Deadlines::default(), options).await;
    let mut visitors = visitors(&node, 24).await;
    let (hang, wake) = (|| server.signal("STOP"), || server.signal("CONT"));
    deadlines_hold(&node, &mut visitors, hang, wake).await;
}

/// What was said to be counted is, once; what was said to be unknown, at most once.
pub(crate) async fn slow_2_a_lost_reply_counts_once<S: Server>() {
    let node = Node::patient(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    let (mut sure, mut unsure) = (1, 0);
    for round in 0..200 {
        // Each reply of a request in turn: that of its read, of its write, of a new connection.
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

pub(crate) async fn slow_3_a_dead_store_is_left_alone<S: Server>() {
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

pub(crate) async fn slow_4_a_crowd_is_turned_away<S: Server>() {
    let options: GuardOptions = without_circuit().with_calls_at_once(10);
    let node = Node::with(S::shared(), PATIENT, options).await;
    let visitor = node.visitor("ann").await;
    node.proxy.set(Fault::Blackhole);
    let mut requests = JoinSet::new();
    for _ in 0..100 {
        let request = visitor.ask("/mine");
        requests.spawn(async move { request.await.status });
    }
    // Those who are turned away hear it while the others still wait.
    for _ in 0..90 {
        let status = requests.join_next().await.unwrap().unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(node.store.status().refused_by_crowd, 90);
    node.proxy.set(Fault::None);
    let served = requests.join_all().await;
    assert_eq!(served, [StatusCode::OK; 10]);
}

pub(crate) async fn slow_5_what_another_node_has_ended_is_not_read_for_long<S: Server>() {
    let rules = StaleRules {
        within: Duration::from_secs(8),
        youngest_id: Duration::ZERO,
        ..StaleRules::default()
    };
    let options = without_circuit()
        .with_deadlines(CALM)
        .with_stale_reads(rules);
    let node = Node::with(S::shared(), CALM, options).await;
    let other = second(&node, without_circuit()).await;
    let mut visitor = node.visitor("ann").await;
    // An id of this second may have been read through another.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let read = Instant::now();
    assert_eq!(visitor.get("/mine").await.body, "ann//2");
    let mut elsewhere = visitor.clone();
    elsewhere.moves_to(&other);
    assert_eq!(elsewhere.get("/logout").await.status, StatusCode::OK);
    node.proxy.set(Fault::Refuse);
    assert_eq!(visitor.get("/mine").await.body, "ann//2", "as it was");
    visitor.get("/count").await.is_trouble();
    while visitor.get("/mine").await.status == StatusCode::OK {
        assert!(read.elapsed() < rules.within + SLACK, "it is read for ever");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    visitor.get("/mine").await.is_trouble();
    node.proxy.set(Fault::None);
    let recovered = node.recovers(&mut visitor, Duration::from_secs(2) + SLACK);
    assert_eq!(recovered.await, "//0");
}
