//! URLs of a single server: transport, database, credentials and protocol.

use carafe_core::store::StoreError;

use crate::support::{Cluster, Server, block_on, filed, loaded, name, patient, record};

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_url_selects_socket_database_user_and_protocol() {
    let server = Server::start();
    server.cli(&["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all"]);
    let (socket, tcp) = (server.url(), format!("127.0.0.1:{}", server.port()));
    let path = socket.trim_start_matches("redis+unix://");
    let ways = [
        (format!("redis://{tcp}/3"), "3", " resp=2"),
        (format!("redis://ann:secret@{tcp}"), "0", " user=ann "),
        (format!("{socket}?db=4"), "4", path),
        (format!("redis://{tcp}/5?protocol=resp3"), "5", " resp=3"),
    ];
    for (url, database, shown) in ways {
        block_on(async {
            let store = patient().connect(url.as_str()).await.expect(&url);
            let key = filed(&store, &record(r#"{"a":1}"#)).await;
            assert!(loaded(&store, &key).await.is_some(), "{url}");
            let there = server.cli(&["-n", database, "EXISTS", &name(&key)]);
            assert_eq!(there, "1", "{url}");
            let clients = server.cli(&["CLIENT", "LIST"]);
            // The connection that has just read; that of the previous URL may still be listed.
            let at = format!(" db={database} ");
            let is_ours = |line: &&str| line.contains(" cmd=get ") && line.contains(&at);
            let ours = clients.lines().find(is_ours).expect("it is connected");
            assert!(ours.contains(shown), "{url}: {ours}");
        });
    }
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_url_selects_the_protocol_of_a_cluster() {
    let cluster = Cluster::start();
    block_on(async {
        for (parameter, shown) in [("", " resp=2"), ("?protocol=resp3", " resp=3")] {
            let urls = cluster.urls().into_iter();
            let urls = urls.map(|url| format!("{url}{parameter}"));
            let store = patient().connect_cluster(urls).await.expect("connects");
            assert!(store.health().await.expect("health works").is_good());
            let key = filed(&store, &record(r#"{"a":1}"#)).await;
            assert!(loaded(&store, &key).await.is_some());
            let clients = cluster.nodes().iter();
            let clients: String = clients.map(|node| node.cli(&["CLIENT", "LIST"])).collect();
            let is_ours = |line: &&str| line.contains(" cmd=get ") && line.contains(shown);
            assert!(clients.lines().any(|line| is_ours(&line)), "{clients}");
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_rejected_connection_is_unavailable_and_the_error_has_no_password() {
    let server = Server::start();
    server.cli(&["ACL", "SETUSER", "ann", "on", ">secret", "~*", "+@all"]);
    let tcp = format!("127.0.0.1:{}", server.port());
    let urls = [
        format!("redis://ann:wrong@{tcp}"),
        format!("redis://{tcp}/99"),
        "redis+unix:///nowhere/at/all".to_owned(),
    ];
    block_on(async {
        for url in urls {
            let error = patient().connect(url.as_str()).await.expect_err(&url);
            assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
            let said = format!("{error:?}");
            assert!(!said.contains(":wrong"), "{said}");
        }
    });
}
