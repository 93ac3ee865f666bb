//! What is under a key and is no session: said so, and left as it is.

use carafe_core::store::{SessionStore, StoreError};

use crate::support::{
    LATER, NOW, Server, block_on, filed, key, loaded, name, patient, record, set,
};

fn is_corrupt<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Corrupt(_)))
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn something_else_under_a_key_is_corrupt_for_every_verb_and_stays() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let rubbish: [&[&str]; 5] = [
            &["SET", "", "text"],
            &["RPUSH", "", "a", "b"],
            &["HSET", "", "foreign", "field"],
            &["HSET", "", "v", "2", "key", "x"],
            &["HSET", "", "v", "1", "expires", "soon"],
        ];
        for command in rubbish {
            let (key, other) = (key(), key());
            let name = name(&key);
            let mut command = command.to_vec();
            command[1] = &name;
            server.cli(&command);
            let before = server.cli(&["DUMP", &name]);
            let (base, patch) = (record("{}"), set("a", "1"));
            assert!(is_corrupt(&store.load(&key, NOW).await), "{command:?}");
            assert!(is_corrupt(&store.patch(&key, &base, &patch, NOW).await));
            assert!(is_corrupt(&store.touch(&key, LATER, NOW).await));
            let rotated = store.rotate(&key, &other, &base, &patch, None, NOW).await;
            assert!(is_corrupt(&rotated));
            if !command.contains(&"1") {
                assert!(is_corrupt(&store.delete(&key).await), "{command:?}");
            }
            assert!(store.create(&key, &base, NOW).await.is_ok(), "taken");
            assert_eq!(server.cli(&["DUMP", &name]), before, "{command:?}");
            assert_eq!(server.cli(&["EXISTS", &crate::support::name(&other)]), "0");
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_damaged_record_is_corrupt() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let damage = [
            ("handle", "short"),
            ("created", "yesterday"),
            ("expires", ""),
            ("version", "-1"),
            ("key", "AAAAAAAAAAAA"),
            ("d:a", "1"),
            ("d:a", "0:"),
            ("d:a", "0:1,\"admin\":true"),
            ("d:a", "0:1}{"),
            ("d:a", "9+99:1"),
            ("d:a", "x:1"),
        ];
        for (field, value) in damage {
            let key = filed(&store, &record(r#"{"a":1,"b":2}"#)).await;
            let name = name(&key);
            server.cli(&["HSET", &name, field, value]);
            let before = server.cli(&["DUMP", &name]);
            let found = store.load(&key, NOW).await;
            assert!(is_corrupt(&found), "{field}={value}");
            assert_eq!(server.cli(&["DUMP", &name]), before);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_record_under_the_key_of_another_is_corrupt() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let (mine, other) = (filed(&store, &record("{}")).await, key());
        assert!(loaded(&store, &mine).await.is_some());
        server.cli(&["COPY", &name(&mine), &name(&other)]);
        assert!(is_corrupt(&store.load(&other, NOW).await));
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn two_spellings_of_a_key_are_one_field() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let odd = r#"{"é":1,"\u0061":2,"\ud800":3,"a+9:":4}"#;
        let key = filed(&store, &record(odd)).await;
        let base = loaded(&store, &key).await.expect("it is there");
        let mut patch = set("é", "10");
        patch.set("a", "20".to_owned());
        patch.set("a+9:", "40".to_owned());
        store.patch(&key, &base, &patch, NOW).await.expect("patch");
        let after = loaded(&store, &key).await.expect("it is there");
        let members: Vec<_> = after.data.iter().collect();
        let expected = [
            ("\"é\"", "10"),
            (r#""\u0061""#, "20"),
            (r#""\ud800""#, "3"),
            ("\"a+9:\"", "40"),
        ];
        assert_eq!(members, expected);
    });
}
