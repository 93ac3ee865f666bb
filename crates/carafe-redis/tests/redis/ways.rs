//! The ways to one server that a URL can name, and who is greeted there.

use carafe_core::store::StoreError;

use crate::support::{Server, block_on, filed, loaded, name, patient, record};

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_url_names_a_socket_a_database_a_user_and_a_protocol() {
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
            // The one that has just read; that of the last URL may be listed yet.
            let at = format!(" db={database} ");
            let is_ours = |line: &&str| line.contains(" cmd=get ") && line.contains(&at);
            let ours = clients.lines().find(is_ours).expect("it is connected");
            assert!(ours.contains(shown), "{url}: {ours}");
        });
    }
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn whoever_is_not_let_in_hears_it_at_once() {
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
