//! Applies a patch to a dictionary.
//!
//! The cost of a write should only depend on the written values. The members of the base were
//! validated when the base was read, so only new values are scanned, and the other members are
//! copied.

use super::{Change, Patch, SessionData, Update};
use crate::json::{self, JsonDialect, ScanError};

impl Patch {
    /// Returns `base` with this patch applied, which must have been created for `base`.
    ///
    /// ```
    /// use carafe_core::{json::JsonDialect, session::{Patch, SessionData}};
    ///
    /// let mut patch = Patch::default();
    /// patch.set("n", "8".to_owned());
    /// let base = SessionData::parse(r#"{"n":7,"other":1}"#.to_owned(), JsonDialect::QUART)?;
    /// assert_eq!(patch.applied(&base, JsonDialect::QUART)?.text_of("n"), Some("8"));
    /// patch.set("n", "no JSON".to_owned());
    /// assert!(patch.applied(&base, JsonDialect::QUART).is_err());
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScanError`] if a written text is not exactly one JSON value, nests too deep, or has
    /// whitespace around it.
    pub fn applied(
        &self,
        base: &SessionData,
        style: JsonDialect,
    ) -> Result<SessionData, ScanError> {
        // A text that closes its member could inject other members.
        for text in self.changes().filter_map(|(_, change)| change.text()) {
            json::check_member_value(text, style.tags)?;
        }
        let room = base.length() + self.length();
        Ok(SessionData::joined(room, self.raw_members(base)))
    }

    /// Returns whether no update has to run again for `newest`.
    pub(crate) fn applies_cleanly(&self, newest: &SessionData) -> bool {
        let text_of = self.finder(newest);
        self.changes().all(|(key, change)| match change {
            Change::Update(update) => Update::before(update) == text_of(key),
            Change::Set(_) | Change::Remove | Change::Swap { .. } => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn data(text: &str) -> SessionData {
        SessionData::parse(text.to_owned(), JsonDialect::QUART).unwrap()
    }

    /// Returns the results of `applied` and of writing and parsing the whole dictionary.
    fn both_ways(patch: &Patch, base: &str) -> [Result<Vec<(String, String)>, ScanError>; 2] {
        let base = data(base);
        let whole = SessionData::parse(patch.render(&base, JsonDialect::QUART), JsonDialect::QUART);
        [patch.applied(&base, JsonDialect::QUART), whole].map(|data| {
            let owned = |(key, text): (&str, &str)| (key.to_owned(), text.to_owned());
            data.map(|data| data.iter().map(owned).collect())
        })
    }

    fn set(key: &str, text: &str) -> Patch {
        let mut patch = Patch::default();
        patch.set(key, text.to_owned());
        patch
    }

    #[test]
    fn a_text_that_is_not_one_json_value_is_an_error() {
        for text in [
            "",
            "no",
            "1,2",
            r#"1,"user":2"#,
            r#"1,"n":2"#,
            "1}",
            "1} ",
            " 1 ",
            "\"",
            "\0",
            r#"{" t":5}"#,
            r#"{" u":"no uuid"}"#,
        ] {
            let applied = set("n", text).applied(&data(r#"{"n":7,"other":1}"#), JsonDialect::QUART);
            assert!(applied.is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_value_may_nest_as_deep_as_in_the_whole_dictionary() {
        let deep = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for levels in [json::MAX_DEPTH - 1, json::MAX_DEPTH] {
            let [applied, whole] = both_ways(&set("n", &deep(levels)), "{}");
            assert_eq!(applied, whole);
            assert_eq!(applied.is_ok(), levels < json::MAX_DEPTH);
        }
    }

    #[test]
    fn keys_of_tags_and_odd_spellings_come_to_the_same() {
        for key in [" t", " di", "é", "", "a\"b", "n"] {
            for base in [
                "{}",
                r#"{"n":1}"#,
                r#"{" t":[1],"n":1}"#,
                r#"{"\u00E9":1,"\ud800":2}"#,
            ] {
                let [applied, whole] = both_ways(&set(key, "[1]"), base);
                assert!(applied.is_ok());
                assert_eq!(applied, whole, "{key:?} on {base}");
                let mut removed = Patch::default();
                removed.remove(key);
                let [applied, whole] = both_ways(&removed, base);
                assert_eq!(applied, whole, "without {key:?} of {base}");
            }
        }
    }

    #[test]
    fn an_update_fits_what_it_was_made_on() {
        let mut patch = set("other", "2");
        patch.update(
            "n",
            Some("7".to_owned()),
            "8".to_owned(),
            std::sync::Arc::new(|_| Ok("9".to_owned())),
        );
        assert!(patch.applies_cleanly(&data(r#"{"n":7}"#)));
        for newest in [r#"{"n":8}"#, "{}"] {
            assert!(!patch.applies_cleanly(&data(newest)), "{newest}");
        }
    }

    proptest! {
        #[test]
        fn any_changes_come_to_the_same(
            changes in prop::collection::vec(("[a-d]", prop::option::of(0..100u8)), 0..8),
            clear in any::<bool>(),
            base in prop::collection::btree_map("[a-f]", 0..100u8, 0..5),
        ) {
            let mut patch = Patch::default();
            if clear {
                patch.clear();
            }
            for (key, value) in &changes {
                match value {
                    Some(value) => patch.set(key, value.to_string()),
                    None => patch.remove(key),
                }
            }
            let [applied, whole] = both_ways(&patch, &serde_json_text(&base));
            prop_assert!(applied.is_ok());
            prop_assert_eq!(applied, whole);
        }
    }

    fn serde_json_text(members: &std::collections::BTreeMap<String, u8>) -> String {
        json::to_text(members, JsonDialect::QUART).unwrap()
    }
}
