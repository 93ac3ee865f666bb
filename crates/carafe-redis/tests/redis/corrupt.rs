//! Values that are no sessions are corrupt, and are left unchanged.

use carafe_core::store::{Rotation, SessionStore, StoreError, UserSessions as _};

use crate::support::{
    LATER, NOW, Server, applied, block_on, filed, key, loaded, name, patient, record, record_of,
    remaining, set, used,
};

fn is_corrupt<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Corrupt(_)))
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_foreign_value_is_corrupt_for_every_verb_and_unchanged() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let rubbish: [&[&str]; 17] = [
            &["SET", "", "text"],
            &["SET", "", ""],
            &["RPUSH", "", "a", "b"],
            &["HSET", "", "foreign", "field"],
            &["SET", "", "1 0 x"],
            &["SET", "", "4 0 x"],
            &["SET", "", "3 0 x"],
            &["SET", "", "3 > short 4000000000"],
            &["SET", "", "3 ! soon -"],
            &["SET", "", "3 ! 4000000000"],
            &["SET", "", "3 ! 4000000000 short"],
            &["SET", "", "3 ? short -\n"],
            &["SET", "", "2 0"],
            &["SET", "", "2 > short 4000000000"],
            &["SET", "", "2 ? short -\n"],
            &["SET", "", "2 ? 9pWc0vT1m4yQe7Zb 4\nbob"],
            &["SET", "", "2 0 AAAAAAAAAAAA 0 0 soon"],
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
            assert!(is_corrupt(&store.touch(&key, &used(NOW, LATER)).await));
            let rotated = store
                .rotate(&key, &other, &base, &patch, Rotation::Replacement, NOW)
                .await;
            assert!(is_corrupt(&rotated));
            assert!(is_corrupt(&store.delete(&key, NOW).await), "{command:?}");
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
        let damage: [(&str, &str); 25] = [
            ("3 0 ", "1 0 "),
            ("3 0 ", "3  "),
            ("3 0 ", "3 +0 "),
            (" - - 3 4\n", " x - 3 4\n"),
            (" - - 3 4\n", " - 3 4\n"),
            (" - - 3 4\n", " -  3 4\n"),
            ("TAG", "AAAAAAAAAAAA"),
            ("HANDLE", "short"),
            (" 0 4000000000", " -1 4000000000"),
            (" 0 4000000000", " +0 4000000000"),
            (" 0 4000000000", "  4000000000"),
            (" 4000003600 ", " soon "),
            (" 4000003600 ", "  "),
            (" 4000003600 ", " 4000003600  "),
            (" - 3 4\n", " x 3 4\n"),
            (" - 3 4\n", " - 3\n"),
            (" - 3 4\n", " - 3 4 5\n"),
            (" - 3 4\n", " - -3 4\n"),
            (" - 3 4\n", " - 3 5\n"),
            (" - 3 4\n", " - 3 400\n"),
            (" - 3 4\n", " - 3 4"),
            ("{\"a\":1,", "{\"a\":,"),
            ("{\"a\":1,", "\"a\":1,"),
            ("\"b\":2}", "\"b\":2"),
            ("\"b\":2}", "\"b\":2}{"),
        ];
        for (from, to) in damage {
            let mut record = record(r#"{"a":1,"b":2}"#);
            (record.meta.user, record.meta.device) =
                (Some("bob".to_owned()), Some("Lynx".to_owned()));
            let listed = patient().listing(false).connect(server.url()).await;
            let key = filed(&listed.expect("connects"), &record).await;
            let name = name(&key);
            let whole = server.cli(&["GET", &name]);
            // Without the second until which the user's index lists it.
            let (_, rest) = whole[2..].split_once(' ').expect("a rest");
            let (tag, public_id) = (&name[7..19], record.meta.public_id.to_string());
            let from = from.replace("TAG", tag).replace("HANDLE", &public_id);
            let damaged = format!("3 0 {rest}").replacen(&from, to, 1);
            assert_ne!(damaged, format!("3 0 {rest}"), "{from:?} is not in it");
            server.cli(&["SET", &name, &damaged, "KEEPTTL"]);
            let before = server.cli(&["DUMP", &name]);
            let found = store.load(&key, NOW).await;
            assert!(is_corrupt(&found), "{from:?} as {to:?}: {found:?}");
            let patched = store.patch(&key, &record, &set("a", "1"), NOW).await;
            assert!(is_corrupt(&patched), "{from:?} as {to:?}: {patched:?}");
            assert_eq!(server.cli(&["DUMP", &name]), before);
            if !to.contains('"') {
                // The metadata, some of which a touch rewrites.
                let touched = store.touch(&key, &used(NOW, LATER)).await;
                assert!(is_corrupt(&touched), "{from:?} as {to:?}: {touched:?}");
                assert!(is_corrupt(&store.delete(&key, NOW).await), "{from:?}");
                assert_eq!(server.cli(&["DUMP", &name]), before);
            }
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn any_text_round_trips_as_user_and_device() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        let texts = [
            "",
            " ",
            "-",
            "\n",
            "é {\"a\":1}",
            "2 > x 1\n",
            "+",
            "\0\r\n",
        ];
        for user in texts {
            for device in texts {
                let mut record = record(r#"{"a":"\n"}"#);
                (record.meta.user, record.meta.device) =
                    (Some(user.to_owned()), Some(device.to_owned()));
                let key = filed(&store, &record).await;
                let patched = store.patch(&key, &record, &set("b", "1"), NOW).await;
                let patched = applied(patched.expect("patch"));
                assert!(store.touch(&key, &used(NOW, LATER)).await.expect("touch"));
                let found = loaded(&store, &key).await.expect("it is there");
                assert_eq!(found.meta, patched.meta);
                assert_eq!(found.meta.user, record.meta.user);
                assert_eq!(found.meta.device, record.meta.device);
                assert_eq!(found.data.text_of("a"), Some(r#""\n""#));
                assert!(store.delete(&key, NOW).await.expect("delete"));
            }
        }
        assert_eq!(remaining(&server), "0", "the indices have heard of it");
    });
}

/// A list reads the start of a record, which a long device exceeds.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn long_metadata_is_listed() {
    let server = Server::start();
    block_on(async {
        let store = patient().connect(server.url()).await.expect("connects");
        for length in [300, 350, 400, 450, 511, 512, 513, 5000] {
            let mut record = record_of("bob");
            record.meta.device = Some("é".repeat(length));
            filed(&store, &record).await;
            let listed = store
                .list_by_user("bob", None, 1_000, NOW)
                .await
                .expect("of_user works");
            assert!(listed.contains(&record.meta), "{length}");
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
fn two_spellings_of_a_dictionary_key_are_one_member() {
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
