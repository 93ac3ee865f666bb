//! The session as one type, in one request and in several at once.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;
use crate::json::tag::Tuple;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Visitor {
    visits: u32,
    cart: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    theme: Option<String>,
}

#[test]
fn a_struct_reads_its_keys_and_ignores_the_others() {
    let (_, session) =
        with(r#"{"visits":3,"_user_id":"ada","cart":["tea"],"big":12345678901234567890}"#);
    let visitor: Visitor = session.get_all().unwrap();
    assert_eq!(
        visitor,
        Visitor {
            visits: 3,
            cart: vec!["tea".to_owned()],
            theme: None,
        }
    );
    let (_, empty) = with("{}");
    assert_eq!(empty.get_all::<Visitor>().unwrap(), Visitor::default());
}

#[test]
fn fields_have_the_types_that_single_keys_have() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Typed {
        at: (u8, u8),
        point: Tuple<Vec<u8>>,
        #[serde(rename = "née")]
        born: String,
        when: String,
    }
    let payload = r#"{"at":{" t":[1,2]},"point":{" t":[3]},"n\u00e9e":"x","when":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}}"#;
    let (_, session) = with(payload);
    let typed: Typed = session.get_all().unwrap();
    assert_eq!((typed.at, typed.point), ((1, 2), Tuple(vec![3])));
    assert_eq!(
        (&*typed.born, &*typed.when),
        ("x", "Tue, 14 Nov 2023 22:13:20 GMT")
    );
}

#[test]
fn only_changed_fields_are_written_and_the_rest_keeps_every_byte() {
    let payload = r#"{"cart":["\u0074ea"],"unknown":{" zz":1},"visits":1.0}"#;
    let (_, session) = with(payload);
    #[derive(Serialize, Deserialize)]
    struct Both {
        cart: Vec<String>,
        visits: f64,
    }
    let changed = session
        .update_all(|both: &mut Both| both.visits += 1.5)
        .unwrap();
    assert_eq!(changed.visits.to_bits(), 2.5_f64.to_bits());
    assert_eq!(session.json_text("cart").unwrap(), r#"["\u0074ea"]"#);
    assert_eq!(session.json_text("unknown").unwrap(), r#"{" zz":1}"#);
    assert_eq!(session.json_text("visits").unwrap(), "2.5");
}

#[test]
fn a_default_is_written_only_when_it_changes_and_an_absent_field_is_removed() {
    let (slot, session) = with(r#"{"theme":"dark"}"#);
    session
        .update_all(|visitor: &mut Visitor| visitor.visits = 0)
        .unwrap();
    assert_eq!(session.keys(), ["theme"]);
    assert_eq!(commit(&slot), None, "nothing has changed");

    let (_, session) = with(r#"{"theme":"dark"}"#);
    session
        .update_all(|visitor: &mut Visitor| {
            visitor.theme = None;
            visitor.visits = 1;
        })
        .unwrap();
    assert_eq!(session.keys(), ["visits"]);
}

#[test]
fn a_mismatch_names_the_key_or_the_type_and_never_a_value() {
    let (_, session) = with(r#"{"visits":"4111 1111","cart":7}"#);
    let error = session.get_all::<Visitor>().unwrap_err();
    assert!(
        matches!(&error, SessionError::Decode { key, .. } if key == "visits"),
        "{error}"
    );
    assert!(!error.to_string().contains("4111"), "{error}");

    #[derive(Debug, Deserialize)]
    struct Strict {
        #[expect(dead_code, reason = "only its absence is asserted")]
        missing: u8,
    }
    let error = session.get_all::<Strict>().unwrap_err();
    assert!(matches!(error, SessionError::Whole { .. }));
    let text = error.to_string();
    assert!(
        text.contains("Strict") && text.contains("missing"),
        "{text}"
    );
    assert_eq!(error.status(), 500);
    for error in [
        session.get_all::<Vec<u8>>().unwrap_err(),
        session.get_all::<u8>().unwrap_err(),
    ] {
        assert!(matches!(error, SessionError::Whole { .. }), "{error}");
    }
}

#[test]
fn a_value_that_cannot_be_stored_changes_nothing() {
    #[derive(Deserialize)]
    struct Broken {
        n: u8,
    }
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.n {
                7 => serializer.collect_map([("n", 7)]),
                _ => serializer.serialize_u8(self.n),
            }
        }
    }
    let (_, session) = with(r#"{"n":7}"#);
    let error = session.update_all(|broken: &mut Broken| broken.n = 8);
    assert!(matches!(error, Err(SessionError::Whole { .. })));
    assert_eq!(session.get("n").unwrap(), Some(7));
}

/// The actions of one request on the session.
#[derive(Clone, Debug)]
enum Step {
    Visit(u32),
    Buy(String),
    Theme(Option<String>),
    VisitAndBuy,
}

impl Step {
    fn run(&self, visitor: &mut Visitor) {
        match self {
            Self::Visit(count) => visitor.visits += count,
            Self::Buy(item) => visitor.cart.push(item.clone()),
            Self::Theme(theme) => visitor.theme.clone_from(theme),
            Self::VisitAndBuy => {
                visitor.visits += 1;
                visitor.cart.push("both".to_owned());
            }
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u32..5).prop_map(Step::Visit),
        "[a-c]".prop_map(Step::Buy),
        proptest::option::of("[x-z]").prop_map(Step::Theme),
        Just(Step::VisitAndBuy),
    ];
    proptest::collection::vec(step, 1..6)
}

/// Returns a manager of a memory store, and the cookie of a session with this content.
fn stored(visitor: &Visitor) -> (Arc<SessionManager>, String) {
    let side = ServerSide::new(MemoryStore::new());
    let manager = Arc::new(SessionManager::new(side, SessionConfig::flask()).unwrap());
    let slot = manager.begin();
    let session = block_on(manager.open(&slot, [], NOON)).unwrap();
    session.insert("other", "stays").unwrap();
    let content = visitor.clone();
    session
        .update_all(move |all: &mut Visitor| all.clone_from(&content))
        .unwrap();
    let cookie = commit(&slot).unwrap();
    (manager, cookie.split(';').next().unwrap().to_owned())
}

fn opened(manager: &Arc<SessionManager>, cookie: &str) -> (Slot, Session) {
    let slot = manager.begin();
    let session = block_on(manager.open(&slot, [cookie.as_bytes()], NOON)).unwrap();
    (slot, session)
}

proptest! {
    /// All requests load the session before any of them commits. Each counter and each list has
    /// all that the requests added, in the order of the commits, and the other fields have the last
    /// value that a request gave them.
    #[test]
    fn requests_in_parallel_keep_the_changes_of_each_other(
        requests in proptest::collection::vec(steps(), 1..5),
    ) {
        let first = Visitor { visits: 1, cart: vec!["first".to_owned()], theme: Some("w".to_owned()) };
        let (manager, cookie) = stored(&first);
        let open: Vec<_> = requests.iter().map(|_| opened(&manager, &cookie)).collect();
        let mut expected = first.clone();
        for ((slot, session), steps) in open.iter().zip(&requests) {
            let mut alone = first.clone();
            for step in steps {
                step.run(&mut alone);
                let step = step.clone();
                session.update_all(move |visitor: &mut Visitor| step.run(visitor)).unwrap();
            }
            prop_assert_eq!(session.get_all::<Visitor>().unwrap(), alone.clone());
            commit(slot);
            expected.visits += alone.visits - first.visits;
            expected.cart.extend(alone.cart.drain(1..));
            if steps.iter().any(|step| matches!(step, Step::Theme(_))) && was_written(steps) {
                expected.theme = alone.theme;
            }
        }
        let (_, session) = opened(&manager, &cookie);
        prop_assert_eq!(session.get_all::<Visitor>().unwrap(), expected);
        let other: Option<String> = session.get("other").unwrap();
        prop_assert_eq!(other.as_deref(), Some("stays"));
    }
}

/// Returns whether one of the steps has given the theme another value than it had.
fn was_written(steps: &[Step]) -> bool {
    let mut theme = Some("w".to_owned());
    let mut written = false;
    for step in steps {
        if let Step::Theme(next) = step {
            written |= *next != theme;
            theme.clone_from(next);
        }
    }
    written
}

#[test]
fn fields_that_threads_change_at_once_are_all_kept() {
    const THREADS: u32 = 8;
    const EACH: u32 = 50;
    #[derive(Default, Serialize, Deserialize)]
    #[serde(default)]
    struct Counters {
        all: u32,
        #[serde(flatten)]
        each: BTreeMap<String, u32>,
    }
    let (manager, cookie) = stored(&Visitor::default());
    let (slot, session) = opened(&manager, &cookie);
    session.clear().unwrap();
    session.insert("all", &0).unwrap();
    commit(&slot);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (manager, cookie) = (&manager, &cookie);
            scope.spawn(move || {
                for _ in 0..EACH {
                    let (slot, session) = opened(manager, cookie);
                    session
                        .update_all(move |counters: &mut Counters| {
                            counters.all += 1;
                            *counters.each.entry(format!("n{thread}")).or_default() += 1;
                        })
                        .unwrap();
                    commit(&slot);
                }
            });
        }
    });
    let counters: Counters = opened(&manager, &cookie).1.get_all().unwrap();
    assert_eq!(counters.all, THREADS * EACH);
    assert_eq!(counters.each.len(), THREADS as usize);
    assert!(counters.each.values().all(|count| *count == EACH));
}
