//! Number of commands per request. Commands that scripts run inside Redis take no round trip and
//! are not counted.

use carafe_core::store::{Created, Patched, Rotation, SessionStore};

use crate::support::{
    Cluster, LATER, NOW, Server, applied, block_on, filed, increment, key, loaded, patient, record,
    record_of, set, used,
};

/// Returns the commands that clients sent, without those of `redis-cli` and the greeting of a new
/// connection.
fn sent(server: &Server) -> Vec<(String, u64)> {
    let clients = ["evalsha", "eval", "script|load", "zrange", "zrem", "del"];
    let mut sent = server.calls();
    let in_scripts = sent.iter().any(|(name, _)| name.starts_with("eval"));
    sent.retain(|(name, _)| clients.contains(&name.as_str()) || (name == "get" && !in_scripts));
    sent
}

fn reset(server: &Server) {
    assert_eq!(server.cli(&["CONFIG", "RESETSTAT"]), "OK");
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_request_costs_one_command_to_read_and_one_to_write() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        for record in [record(r#"{"n":0}"#), record_of("bob")] {
            let key = filed(&store, &record).await;
            // Loads the scripts into the server.
            let mut base = loaded(&store, &key).await.expect("it is there");
            let patched = store.patch(&key, &base, &set("a", "1"), NOW).await;
            base = applied(patched.expect("patch"));
            assert!(store.touch(&key, &used(NOW, LATER)).await.expect("touch"));

            reset(&server);
            for _ in 0..100 {
                loaded(&store, &key).await.expect("it is there");
            }
            assert_eq!(sent(&server), [("get".to_owned(), 100)]);

            reset(&server);
            for _ in 0..100 {
                let patched = store.patch(&key, &base, &set("b", "2"), NOW).await;
                base = applied(patched.expect("patch"));
            }
            assert_eq!(sent(&server), [("evalsha".to_owned(), 100)]);

            reset(&server);
            let later = LATER.saturating_add(60);
            assert!(store.touch(&key, &used(NOW, later)).await.expect("touch"));
            assert_eq!(sent(&server), [("evalsha".to_owned(), 1)]);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn an_uncontended_update_costs_one_command_and_a_contended_one_two() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let key = filed(&store, &record(r#"{"n":0}"#)).await;
        let base = loaded(&store, &key).await.expect("it is there");
        let patched = store.patch(&key, &base, &set("a", "1"), NOW).await;
        let base = applied(patched.expect("patch"));
        reset(&server);
        for expected in [1, 3] {
            applied(
                store
                    .patch(&key, &base, &increment("n", &base), NOW)
                    .await
                    .expect("patch"),
            );
            assert_eq!(sent(&server), [("evalsha".to_owned(), expected)]);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_session_with_a_log_in_and_a_log_out_takes_six_scripts() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let mut user = record_of("bob");
        for _ in 0..2 {
            // Twice: the first round loads the scripts into the server.
            reset(&server);
            let anonymous = filed(&store, &record("{}")).await;
            let base = loaded(&store, &anonymous).await.expect("it is there");
            let mut log_in = set("a", "1");
            log_in.facts.user = Some("bob".to_owned());
            let to = key();
            let moved = store
                .rotate(&anonymous, &to, &base, &log_in, Rotation::Replacement, NOW)
                .await;
            assert!(matches!(moved, Ok(Patched::Applied(_))));
            assert!(store.delete(&to, NOW).await.expect("delete"));
            user.meta.public_id = base.meta.public_id;
            let created = store.create(&key(), &user, NOW).await.expect("create");
            assert_eq!(created, Created::Created);
        }
        // create; index and rotate; delete and index; index and create. A user has two sets. The
        // scripts themselves remove a member from two sets when a session moves, and from three
        // when it is deleted.
        let expected = [("evalsha".to_owned(), 6), ("zrem".to_owned(), 2 + 2 + 3)];
        let mut found = sent(&server);
        found.retain(|(name, _)| expected.iter().any(|(other, _)| name == other));
        found.sort();
        // The ZREM of a rotation is for a session that had a user before; this one had none.
        assert_eq!(found, expected);
    });
}

/// In a cluster the index of all sessions is in slots of its own, so listing takes separate
/// commands.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn in_a_cluster_the_index_adds_calls_to_create_rotate_and_delete() {
    let cluster = Cluster::start();
    block_on(async {
        let calls = || {
            let calls = cluster.nodes().iter().flat_map(sent);
            let calls = calls.filter(|(name, _)| name == "evalsha");
            calls.map(|(_, calls)| calls).sum::<u64>()
        };
        for (inventory, expected) in [(false, [1, 1, 4, 1]), (true, [2, 1, 6, 2])] {
            let options = patient().listing(inventory);
            let store = options.connect_cluster(cluster.urls()).await;
            let store = store.expect("connects");
            // Loads the scripts into the nodes.
            for _ in 0..30 {
                let (from, to, base) = (filed(&store, &record("{}")).await, key(), record("{}"));
                let base = loaded(&store, &from).await.unwrap_or(base);
                let patched = store.patch(&from, &base, &set("a", "1"), NOW).await;
                applied(patched.expect("patch"));
                let moved = store
                    .rotate(
                        &from,
                        &to,
                        &base,
                        &set("a", "1"),
                        Rotation::Replacement,
                        NOW,
                    )
                    .await;
                applied(moved.expect("rotate"));
                assert!(store.delete(&to, NOW).await.expect("delete"));
            }
            cluster.nodes().iter().for_each(reset);
            let mut found = Vec::new();
            let mut count = || {
                found.push(calls());
                cluster.nodes().iter().for_each(reset);
            };
            let (from, to) = (filed(&store, &record("{}")).await, key());
            count();
            let base = loaded(&store, &from).await.expect("it is there");
            let patched = store.patch(&from, &base, &set("a", "1"), NOW).await;
            let base = applied(patched.expect("patch"));
            count();
            let moved = store
                .rotate(
                    &from,
                    &to,
                    &base,
                    &set("a", "1"),
                    Rotation::Replacement,
                    NOW,
                )
                .await;
            applied(moved.expect("rotate"));
            count();
            assert!(store.delete(&to, NOW).await.expect("delete"));
            count();
            assert_eq!(found, expected);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_server_that_forgets_the_scripts_gets_them_again() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let key = filed(&store, &record(r#"{"n":0}"#)).await;
        for round in 0..20 {
            let base = loaded(&store, &key).await.expect("it is there");
            assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
            let after = store.patch(&key, &base, &increment("n", &base), NOW).await;
            let after = applied(after.expect("patch"));
            assert_eq!(
                after.data.text_of("n"),
                Some((round + 1).to_string().as_str())
            );
            assert_eq!(after.meta.version, round + 1);
        }
    });
}
