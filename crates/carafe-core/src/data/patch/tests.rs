use proptest::prelude::*;

use super::*;

thread_local! {
    pub(super) static COMPARISONS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Returns the result of `work` and the number of key comparisons.
fn comparisons<T>(work: impl FnOnce() -> T) -> (T, usize) {
    COMPARISONS.set(0);
    let result = work();
    (result, COMPARISONS.get())
}

#[derive(Clone, Debug)]
enum Step {
    Set(String, u8),
    Remove(String),
    Clear,
}

fn steps(keys: &'static str) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (keys, any::<u8>()).prop_map(|(key, value)| Step::Set(key, value)),
        2 => keys.prop_map(Step::Remove),
        1 => Just(Step::Clear),
    ];
    prop::collection::vec(step, 0..12)
}

fn patch_of(steps: &[Step]) -> Patch {
    let mut patch = Patch::default();
    for step in steps {
        match step {
            Step::Set(key, value) => patch.set(key, value.to_string()),
            Step::Remove(key) => patch.remove(key),
            Step::Clear => patch.clear(),
        }
    }
    patch
}

fn data(text: &str) -> SessionData {
    SessionData::parse(text.to_owned(), JsonDialect::QUART).unwrap()
}

fn applied(patch: &Patch, base: &SessionData) -> SessionData {
    data(&patch.render(base, JsonDialect::QUART))
}

fn members(data: &SessionData) -> std::collections::BTreeMap<String, String> {
    data.iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn base() -> impl Strategy<Value = SessionData> {
    steps("[a-f]").prop_map(|steps| applied(&patch_of(&steps), &data("{}")))
}

fn clears(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::Clear))
}

proptest! {
    #[test]
    fn a_patch_does_what_its_steps_do_one_by_one(base in base(), steps in steps("[a-f]")) {
        let mut expected = members(&base);
        for step in &steps {
            match step {
                Step::Set(key, value) => drop(expected.insert(quote(key), value.to_string())),
                Step::Remove(key) => drop(expected.remove(&quote(key))),
                Step::Clear => expected.clear(),
            }
        }
        let patch = patch_of(&steps);
        prop_assert_eq!(members(&applied(&patch, &base)), expected);
        for key in ["a", "b", "c", "d", "e", "f"] {
            let after = applied(&patch, &base);
            prop_assert_eq!(patch.text_of(key, &base), after.text_of(key));
        }
    }

    #[test]
    fn patches_of_different_keys_commute(base in base(), one in steps("[abc]"), other in steps("[def]")) {
        prop_assume!(!clears(&one) && !clears(&other));
        let (one, other) = (patch_of(&one), patch_of(&other));
        let first = applied(&other, &applied(&one, &base));
        let second = applied(&one, &applied(&other, &base));
        prop_assert_eq!(members(&first), members(&second));
    }

    #[test]
    fn a_patch_applied_twice_is_applied_once(base in base(), steps in steps("[a-f]")) {
        let patch = patch_of(&steps);
        let once = applied(&patch, &base);
        prop_assert_eq!(members(&applied(&patch, &once)), members(&once));
    }

    /// A late writer leaves keys that it has not written as the earlier writer left them.
    #[test]
    fn keys_that_were_not_written_stay(base in base(), later in base(), steps in steps("[abc]")) {
        prop_assume!(!clears(&steps));
        let after = applied(&patch_of(&steps), &later);
        for key in ["d", "e", "f"] {
            prop_assert_eq!(after.text_of(key), later.text_of(key));
        }
        drop(base);
    }

    #[test]
    fn members_that_stay_keep_their_place_and_new_ones_follow(base in base(), steps in steps("[a-f]")) {
        let patch = patch_of(&steps);
        prop_assume!(!patch.clears());
        let after = applied(&patch, &base);
        let old: Vec<_> = base.iter().map(|(key, _)| key).filter(|key| after.iter().any(|(known, _)| known == *key)).collect();
        let kept: Vec<_> = after.iter().map(|(key, _)| key).take(old.len()).collect();
        prop_assert_eq!(kept, old);
    }
}

#[test]
fn work_grows_with_the_number_of_keys_and_not_with_its_square() {
    let of = |count: usize, first: usize| {
        let mut patch = Patch::default();
        for number in first..first + count {
            patch.set(&format!("k\u{e9}{number}"), number.to_string());
        }
        patch
    };
    for count in [16, 17, 1_000, 16_000] {
        let (patch, made) = comparisons(|| of(count, 0));
        assert_eq!(patch.changes().count(), count);
        let base = patch
            .applied(&SessionData::default(), JsonDialect::QUART)
            .unwrap();
        // Half of the new keys are in the base.
        let (next, more) = comparisons(|| of(count, count / 2));
        let (merged, looked) = comparisons(|| next.members(&base).count());
        assert_eq!(merged, count + count / 2);
        let again: UpdateFn = Arc::new(|_| Ok("0".to_owned()));
        let (_, updated) = comparisons(|| {
            let mut updates = Patch::default();
            for number in 0..count {
                let key = format!("k\u{e9}{number}");
                updates.update(&key, None, "1".to_owned(), Arc::clone(&again));
            }
            updates.rebased(&base).unwrap();
        });
        for compared in [made, more, looked, updated] {
            assert!(
                compared <= 16 * (count + 16) && compared <= 16 * 40,
                "{count}: {compared}"
            );
        }
    }
}

#[test]
fn many_changes_do_what_few_do() {
    let mut patch = Patch::default();
    let mut expected = std::collections::BTreeMap::new();
    let base = data(r#"{"\u00e95":"old","\ud800":1,"gone":2}"#);
    for number in 0..50 {
        patch.set(&format!("é{number}"), number.to_string());
        expected.insert(format!("é{number}"), number.to_string());
    }
    patch.remove("gone");
    patch.remove("é7");
    expected.remove("é7");
    patch.set("é9", "\"again\"".to_owned());
    expected.insert("é9".to_owned(), "\"again\"".to_owned());
    let after = applied(&patch, &base);
    assert_eq!(after.len(), expected.len() + 1);
    for (key, text) in &expected {
        assert_eq!(after.text_of(key), Some(&**text), "{key}");
        assert_eq!(patch.text_of(key, &base), Some(&**text), "{key}");
    }
    let first = after.iter().next();
    assert_eq!(first, Some((r#""\u00e95""#, "5")));
    patch.clear();
    assert!(patch.change_of("é9").is_none());
    patch.set("é9", "1".to_owned());
    assert_eq!(patch.render(&base, JsonDialect::QUART), r#"{"\u00e99":1}"#);
}

#[test]
fn an_empty_patch_is_empty_and_changes_nothing() {
    let patch = Patch::default();
    assert!(patch.is_empty() && !patch.clears());
    let text = r#"{"b":1.50,"a":{" zz":[NaN]},"\ud800":1}"#;
    assert_eq!(patch.render(&data(text), JsonDialect::QUART), text);
}

#[test]
fn a_key_is_the_same_in_every_spelling() {
    let mut patch = Patch::default();
    patch.set("é", "2".to_owned());
    assert_eq!(
        patch.render(&data(r#"{"\u00E9":1,"e":3}"#), JsonDialect::QUART),
        r#"{"\u00E9":2,"e":3}"#
    );
}

#[test]
fn debug_shows_no_key_and_no_value() {
    let mut patch = Patch::default();
    patch.set("marker-key", r#""marker-value""#.to_owned());
    assert_eq!(format!("{patch:?}"), "Patch { clear: false, 1 keys }");
}
