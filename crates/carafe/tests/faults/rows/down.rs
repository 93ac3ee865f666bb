//! DOWN: the server is unreachable.

use std::time::Duration;

use carafe::{SessionStore, Timestamp, store::Selection};
use carafe_test_proxy::Fault;
use http::StatusCode;

use crate::{
    node::{Node, SLACK, key_of, number_in},
    process::Process,
    server::Server,
};

pub(crate) async fn a_page_without_a_session_works_while_the_server_is_down<S: Server>() {
    let node = Node::of(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    node.proxy.set(Fault::Refuse);
    let calls = node.store.status().calls;
    assert_eq!(visitor.get("/").await.body, "public");
    assert_eq!(node.browser().get("/").await.status, StatusCode::OK);
    assert_eq!(node.store.status().calls, calls);
}

pub(crate) async fn a_cookie_survives_an_outage_and_works_again<S: Server>() {
    let node = Node::of(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    node.proxy.set(Fault::Refuse);
    for path in ["/mine", "/count", "/logout"] {
        let answer = visitor.get(path).await;
        answer.is_trouble();
        assert_eq!(answer.set_cookie(), None, "{path}");
    }
    node.proxy.set(Fault::None);
    let recovered = node.recovers(&mut visitor, Duration::from_secs(2) + SLACK);
    assert_eq!(recovered.await, "ann//2");
}

pub(crate) async fn a_killed_server_is_a_503<S: Server>() {
    let server = S::start();
    let node = Node::of(&server).await;
    let mut visitor = node.visitor("ann").await;
    server.kill();
    for _ in 0..10 {
        let answer = visitor.get("/mine").await;
        answer.is_trouble();
        assert_eq!(answer.set_cookie(), None);
    }
    server.restart_empty();
    node.recovers(&mut visitor, Duration::from_secs(2) + SLACK)
        .await;
}

pub(crate) async fn a_log_in_during_an_outage_sets_no_cookie<S: Server>() {
    let node = Node::of(S::shared()).await;
    let (mut known, mut new) = (node.visitor("ann").await, node.browser());
    node.proxy.set(Fault::Refuse);
    for visitor in [&mut known, &mut new] {
        let answer = visitor.get("/login/ann").await;
        answer.is_trouble();
        assert_eq!(answer.set_cookie(), None);
    }
    node.proxy.set(Fault::None);
    let recovered = node.recovers(&mut known, Duration::from_secs(2) + SLACK);
    assert_eq!(recovered.await, "ann//2", "nobody is logged in");
    assert_eq!(new.get("/mine").await.body, "//0");
}

pub(crate) async fn a_log_out_during_an_outage_reaches_the_store_later<S: Server>() {
    let node = Node::of(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    let jar = visitor.jar();
    let log_out = visitor.ask("/gated/logout");
    let log_out = tokio::spawn(log_out);
    node.gate.reached().await;
    node.proxy.set(Fault::Refuse);
    node.gate.open();
    let answer = log_out.await.unwrap();
    answer.is_trouble();
    assert!(answer.set_cookie().unwrap().contains("Max-Age=0"));
    // This node rejects the ID immediately, without calling the store.
    let refused = visitor.get("/mine").await;
    assert_eq!((refused.status, &*refused.body), (StatusCode::OK, "//0"));
    assert_eq!(number_in(S::shared(), &jar).await, Some(1), "not told yet");
    node.proxy.set(Fault::None);
    let healed = tokio::time::Instant::now();
    while number_in(S::shared(), &jar).await.is_some() {
        let allowed = Duration::from_secs(1) + SLACK;
        assert!(healed.elapsed() < allowed, "the store is not told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(node.store.shutdown(SLACK).await, 0);
    assert_eq!(node.store.status().revocations_delivered, 1);
}

pub(crate) async fn log_out_everywhere_during_an_outage_reaches_the_store_later<S: Server>() {
    let node = Node::of(S::shared()).await;
    // Other rows use the same server.
    let user = format!("eve-{}", node.proxy.port());
    let login = format!("/login/{user}");
    let (mut here, mut there) = (node.visitor("eve").await, node.visitor("eve").await);
    for browser in [&mut here, &mut there] {
        assert_eq!(browser.get(&login).await.status, StatusCode::OK);
    }
    let (own, jars) = (key_of(&here.jar()), [here.jar(), there.jar()]);
    let own = node.store.load(&own, Timestamp::now()).await.unwrap();
    let but = Selection::AllBut(own.into_record().unwrap().meta.public_id);
    node.proxy.set(Fault::Refuse);
    let users = node.store.powers().users().unwrap();
    let told = users.delete_by_user(&user, but, 500, Timestamp::now());
    told.await.unwrap_err();
    assert_eq!(
        number_in(S::shared(), &jars[1]).await,
        Some(1),
        "not told yet"
    );
    node.proxy.set(Fault::None);
    let healed = tokio::time::Instant::now();
    while number_in(S::shared(), &jars[1]).await.is_some() {
        let allowed = Duration::from_secs(1) + SLACK;
        assert!(healed.elapsed() < allowed, "the store is not told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let recovered = node.recovers(&mut here, Duration::from_secs(2) + SLACK);
    assert_eq!(recovered.await, format!("eve/{user}/3"));
    assert_eq!(there.get("/mine").await.body, "//0");
    assert_eq!(number_in(S::shared(), &jars[0]).await, Some(1));
    assert_eq!(node.store.shutdown(SLACK).await, 0);
}

pub(crate) async fn a_log_out_survives_a_killed_process<S: Server>() {
    let node = Node::of(S::shared()).await;
    let (visitor, other) = (node.visitor("ann").await, node.visitor("bob").await);
    let (jar, others) = (visitor.jar(), other.jar());
    let port = node.proxy.port();
    let journal = std::env::temp_dir().join(format!("carafe-killed-{port}-{}", S::NAME));
    let mut process = Process::start::<S>(port, &journal, false);
    assert_eq!(process.ask(&format!("logout {jar}")), "reached");
    node.proxy.set(Fault::Refuse);
    assert_eq!(process.ask("go on"), "503");
    process.kill();
    node.proxy.set(Fault::None);
    assert_eq!(number_in(S::shared(), &jar).await, Some(1), "not told yet");
    // The next process starts while its store still fails.
    let mut process = Process::start::<S>(port, &journal, true);
    let refused = process.ask(&format!("mine {jar}"));
    assert_eq!(refused, "200 //0", "it needs no store for that");
    assert_eq!(process.ask(&format!("mine {others}")), "503");
    assert_eq!(number_in(S::shared(), &jar).await, Some(1), "not told yet");
    assert_eq!(process.ask("back"), "ok");
    let healed = tokio::time::Instant::now();
    while number_in(S::shared(), &jar).await.is_some() {
        let allowed = Duration::from_secs(1) + SLACK;
        assert!(healed.elapsed() < allowed, "the store is not told");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(number_in(S::shared(), &others).await, Some(1));
    process.kill();
    for end in ["", ".lock"] {
        std::fs::remove_file(format!("{}{end}", journal.display())).unwrap();
    }
}

pub(crate) async fn a_save_that_fails_discards_the_handlers_response<S: Server>() {
    let node = Node::of(S::shared()).await;
    let visitor = node.visitor("ann").await;
    let count = tokio::spawn(visitor.ask("/gated/count"));
    node.gate.reached().await;
    node.proxy.set(Fault::Refuse);
    node.gate.open();
    let answer = count.await.unwrap();
    answer.is_trouble();
    assert_eq!(answer.set_cookie(), None);
    node.proxy.set(Fault::None);
    assert_eq!(number_in(S::shared(), &visitor.jar()).await, Some(1));
}

pub(crate) async fn a_server_error_saves_nothing_but_a_log_out<S: Server>() {
    let node = Node::patient(S::shared()).await;
    let mut visitor = node.visitor("ann").await;
    let jar = visitor.jar();
    let answer = visitor.get("/fails/count").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body, "2", "the handler's own answer");
    assert_eq!(number_in(S::shared(), &jar).await, Some(1));
    visitor.get("/fails/logout").await;
    assert_eq!(visitor.cookie, None);
    assert_eq!(number_in(S::shared(), &jar).await, None);
}
