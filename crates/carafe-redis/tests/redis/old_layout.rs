//! Values of layout 2 are read, and are written in layout 3 with the next change.

use carafe_core::{
    clock::Timestamp,
    store::{
        KeyState, Record, Rotation, Selection, SessionListing as _, SessionStore as _, StoreKey,
        UserSessions as _,
    },
};
use carafe_redis::RedisStore;

use crate::support::{
    LATER, NOW, Server, applied, block_on, increment, key, name, patient, renewal, set, used,
};

/// The name of the key `[7; 32]`.
const NAME: &str = "carafe:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
/// A record with a user, a device and a log-in.
const FULL: &str = "2 4000007200 BwcHBwcHBwcH 7 4000000000 4000003600 3999990000 3999999999 9pWc0vT1m4yQe7Zb \
                    3999990001 3 16\nbobFirefox on Linux{\"n\":4,\"theme\":\"dark\"}";
/// A record without them.
const BARE: &str = "2 0 BwcHBwcHBwcH 0 4000000000 4000003600 4000000000 4000000000 9pWc0vT1m4yQe7Zb - - -\n{\"n\":4}";

const KEY: StoreKey = StoreKey::from_bytes([7; 32]);

async fn with(server: &Server, value: &str) -> RedisStore {
    server.cli(&["FLUSHALL"]);
    server.cli(&["SET", NAME, value, "EXAT", "4000003660"]);
    if value == FULL {
        let member = format!("9pWc0vT1m4yQe7Zb:{}", &NAME[7..]);
        server.cli(&["ZADD", "carafe:u:bob", "4000007200", &member]);
    }
    patient().connect(server.url()).await.expect("connects")
}

async fn current(store: &RedisStore, key: &StoreKey) -> Record {
    match store.load(key, NOW).await.expect("load works") {
        KeyState::Current(record) => *record,
        state => panic!("{state:?}"),
    }
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_record_of_layout_2_is_read_and_rewritten_by_each_verb() {
    assert_eq!(name(&KEY), NAME);
    let server = Server::start();
    block_on(async {
        for value in [FULL, BARE] {
            let store = with(&server, value).await;
            let base = current(&store, &KEY).await;
            assert_eq!(base.data.text_of("n"), Some("4"));
            assert_eq!((base.meta.renewal, base.meta.expires), (None, LATER));
            if value == FULL {
                assert_eq!(base.meta.user.as_deref(), Some("bob"));
                assert_eq!(base.meta.device.as_deref(), Some("Firefox on Linux"));
                assert_eq!(base.meta.created, Timestamp::from_unix(3_999_990_000));
                assert_eq!(
                    base.meta.authenticated,
                    Some(Timestamp::from_unix(3_999_990_001))
                );
                assert_eq!(base.meta.version, 7);
            }
            assert_eq!(server.cli(&["GET", NAME]), value, "reading writes nothing");

            let patched = store.patch(&KEY, &base, &increment("n", &base), NOW).await;
            applied(patched.expect("patch works"));
            assert!(server.cli(&["GET", NAME]).starts_with("3 "));
            assert_eq!(current(&store, &KEY).await.data.text_of("n"), Some("5"));

            for confirms in [None, Some(LATER)] {
                let store = with(&server, value).await;
                let mut access = used(NOW.saturating_add(5), LATER.saturating_add(5));
                access.confirms = confirms;
                assert!(store.touch(&KEY, &access).await.expect("touch works"));
                assert!(server.cli(&["GET", NAME]).starts_with("3 "));
                let touched = current(&store, &KEY).await;
                assert_eq!(touched.meta.expires, LATER.saturating_add(5));
                let mut expected = base.clone();
                expected.meta.last_seen = touched.meta.last_seen;
                expected.meta.expires = touched.meta.expires;
                assert_eq!(touched.meta, expected.meta);
                assert_eq!(touched.data.text_of("n"), Some("4"));
            }

            for rotation in [renewal(), Rotation::Replacement] {
                let (store, to) = (with(&server, value).await, key());
                let moved = store
                    .rotate(&KEY, &to, &base, &set("a", "1"), rotation, NOW)
                    .await;
                applied(moved.expect("rotate works"));
                assert_eq!(current(&store, &to).await.data.text_of("a"), Some("1"));
                assert!(server.cli(&["GET", &name(&to)]).starts_with("3 "));
            }

            let store = with(&server, value).await;
            assert!(store.delete(&KEY, NOW).await.expect("delete works"));
            assert!(matches!(store.load(&KEY, NOW).await, Ok(KeyState::Retired)));
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn the_user_of_layout_2_is_listed_trimmed_and_logged_out() {
    let server = Server::start();
    block_on(async {
        let store = with(&server, FULL).await;
        let listed = store
            .list_by_user("bob", None, 5, NOW)
            .await
            .expect("of_user works");
        assert_eq!(listed.len(), 1);
        assert_eq!(
            server.cli(&["EXISTS", "carafe:u:bob"]),
            "0",
            "it is listed as now"
        );
        for ends in ["delete_by_user", "trim", "handle"] {
            let store = with(&server, FULL).await;
            let public_id = listed[0].public_id;
            match ends {
                "trim" => {
                    let newer = crate::support::record_of("bob");
                    crate::support::filed(&store, &newer).await;
                    let trimmed = store.trim("bob", 1, newer.meta.public_id, 5, NOW).await;
                    assert_eq!(trimmed.expect("trim works"), 1);
                }
                "handle" => {
                    // A use adds it to the index of all sessions.
                    let access = used(NOW, LATER.saturating_add(1));
                    assert!(store.touch(&KEY, &access).await.expect("touch works"));
                    let ended = store.delete_by_public_id(public_id, NOW).await;
                    assert!(ended.expect("delete_by_public_id works"));
                }
                _ => {
                    let ended = store.delete_by_user("bob", Selection::All, 5, NOW).await;
                    assert_eq!(ended.expect("delete_by_user works"), 1);
                }
            }
            let state = store.load(&KEY, NOW).await;
            assert!(matches!(state, Ok(KeyState::Retired)), "{ends}: {state:?}");
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn an_alias_of_layout_2_is_a_pointer_and_the_trace_of_a_move_is_not() {
    let server = Server::start();
    block_on(async {
        let store = with(&server, BARE).await;
        let (alias, trace) = (key(), key());
        // An alias is valid until its key expires: the store no longer decides whether the old id
        // is accepted.
        let value = format!("2 > {} 4000000030", &NAME[7..]);
        server.cli(&["SET", &name(&alias), &value, "EXAT", "4000000090"]);
        let value = format!("2 > {} 0", &NAME[7..]);
        server.cli(&["SET", &name(&trace), &value, "EX", "60"]);
        assert!(matches!(
            store.load(&alias, NOW).await,
            Ok(KeyState::Moved(_))
        ));
        assert!(matches!(
            store.load(&trace, NOW).await,
            Ok(KeyState::Absent)
        ));
        assert!(!store.touch(&trace, &used(NOW, LATER)).await.expect("touch"));
        assert!(store.touch(&alias, &used(NOW, LATER)).await.expect("touch"));
        let value = format!("3 > {} {}", &NAME[7..], LATER.unix());
        assert_eq!(server.cli(&["GET", &name(&alias)]), value);
        let base = current(&store, &KEY).await;
        let patched = store.patch(&alias, &base, &set("a", "1"), NOW).await;
        applied(patched.expect("patch works"));
        assert!(store.delete(&alias, NOW).await.expect("delete works"));
        assert!(matches!(
            store.load(&alias, NOW).await,
            Ok(KeyState::Retired)
        ));
    });
}
