use proptest::prelude::*;

use super::*;

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
    SessionData::parse(text.to_owned(), Style::QUART).unwrap()
}

fn applied(patch: &Patch, base: &SessionData) -> SessionData {
    data(&patch.render(base, Style::QUART))
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

    /// What a late writer did not touch stays as the earlier writer left it.
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
fn an_empty_patch_is_empty_and_changes_nothing() {
    let patch = Patch::default();
    assert!(patch.is_empty() && !patch.clears());
    let text = r#"{"b":1.50,"a":{" zz":[NaN]},"\ud800":1}"#;
    assert_eq!(patch.render(&data(text), Style::QUART), text);
}

#[test]
fn a_key_is_the_same_in_every_spelling() {
    let mut patch = Patch::default();
    patch.set("é", "2".to_owned());
    assert_eq!(
        patch.render(&data(r#"{"\u00E9":1,"e":3}"#), Style::QUART),
        r#"{"\u00E9":2,"e":3}"#
    );
}

#[test]
fn cry_7_debug_shows_no_key_and_no_value() {
    let mut patch = Patch::default();
    patch.set("marker-key", r#""marker-value""#.to_owned());
    assert_eq!(format!("{patch:?}"), "Patch { clear: false, 1 keys }");
}
