use proptest::prelude::*;

use super::*;
use crate::json::{payload::*, string};

/// The grammar of Python's `json.loads`, written for clarity instead of speed.
struct Reference<'t>(&'t [u8]);

impl Reference<'_> {
    fn accepts(text: &str) -> bool {
        let mut reference = Reference(text.as_bytes());
        reference.blanks();
        let value = reference.value();
        reference.blanks();
        value.is_some() && reference.0.is_empty()
    }

    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(word.as_bytes())?;
        Some(())
    }

    fn blanks(&mut self) {
        while self.0.first().is_some_and(|byte| b" \t\n\r".contains(byte)) {
            self.next();
        }
    }

    fn value(&mut self) -> Option<()> {
        match self.0.first()? {
            b'"' => self.string(),
            b'[' => self.items(b']', Self::value),
            b'{' => self.items(b'}', |this| {
                this.string()?;
                this.blanks();
                this.word(":")?;
                this.blanks();
                this.value()
            }),
            _ => ["null", "true", "false", "NaN", "Infinity", "-Infinity"]
                .iter()
                .find_map(|word| self.word(word))
                .or_else(|| self.number()),
        }
    }

    fn items(&mut self, close: u8, item: fn(&mut Self) -> Option<()>) -> Option<()> {
        self.next()?;
        self.blanks();
        if self.0.first() == Some(&close) {
            return self.next().map(drop);
        }
        loop {
            item(self)?;
            self.blanks();
            match self.next()? {
                b',' => self.blanks(),
                byte => return (byte == close).then_some(()),
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.word("\"")?;
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'u' => {
                        let digits = self.0.get(..4)?;
                        digits.iter().all(u8::is_ascii_hexdigit).then_some(())?;
                        self.0 = &self.0[4..];
                    }
                    byte => b"\"\\/bfnrt".contains(&byte).then_some(())?,
                },
                byte => (byte >= 0x20).then_some(())?,
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        let count = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.0 = &self.0[count..];
        (count > 0).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.word("-");
        self.word("0").or_else(|| self.digits())?;
        if self.word(".").is_some() {
            self.digits()?;
        }
        if self.word("e").or_else(|| self.word("E")).is_some() {
            let _ = self.word("+").or_else(|| self.word("-"));
            self.digits()?;
        }
        Some(())
    }
}

fn json() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "(null|true|false|NaN|-?Infinity|-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?)",
        "\"([a-z é🍷]|\\\\(u[0-9a-fA-F]{4}|[\"/bfnrt\\\\])){0,5}\"",
    ];
    scalar.prop_recursive(5, 40, 4, |inner| {
        let blank = "[ \n]?";
        let item =
            (blank, inner, blank).prop_map(|(before, value, after)| before + &value + &after);
        prop_oneof![
            prop::collection::vec(item.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(("\"( [tbmud]|a|b|)\"", item), 0..4).prop_map(|members| {
                let members = members.into_iter().map(|(key, value)| key + ":" + &value);
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn accepts_what_the_reference_accepts(text in json()) {
        prop_assert!(Reference::accepts(&text), "{}", text);
        prop_assert_eq!(validate(&text, false), Ok(()));
    }

    #[test]
    fn agrees_on_damaged_text(
        text in json(),
        at in any::<prop::sample::Index>(),
        insert in "[\\[\\]{}:,\"\\\\0-9eE.+\\-nt \u{0}\u{1f}]{0,2}",
        cut in 0..2_usize,
    ) {
        let mut chars: Vec<char> = text.chars().collect();
        let at = at.index(chars.len());
        chars.splice(at..(at + cut).min(chars.len()), insert.chars());
        let text: String = chars.into_iter().collect();
        prop_assert_eq!(validate(&text, false).is_ok(), Reference::accepts(&text), "{}", text);
    }

    #[test]
    fn no_text_panics(text in any::<String>(), tags in any::<bool>()) {
        let _ = scan_root(&text, tags);
        let _ = validate(&text, tags);
    }

    #[test]
    fn no_almost_json_panics(text in "[\\[\\]{}:,\"\\\\a-u0-9e.\\- ]{0,40}") {
        let _ = scan_root(&text, true);
        let _ = scan_root(&format!("{{\" di\":{text}}}"), true);
    }

    #[test]
    fn members_are_what_stands_in_the_text(
        members in prop::collection::vec(("[a-c ]{0,9}", json()), 0..20),
    ) {
        let members: Vec<_> =
            members.into_iter().map(|(key, value)| (format!("\"{key}\""), value)).collect();
        let texts: Vec<_> = members.iter().map(|(key, value)| format!("{key} : {value} ")).collect();
        let text = format!("{{ {} }}", texts.join(", "));
        let root = scan_root(&text, false).expect("an object");
        let mut expected: Vec<(&str, &str)> = Vec::new();
        for (key, value) in &members {
            match expected.iter_mut().find(|(other, _)| string::compare(other, key).is_eq()) {
                Some(member) => member.1 = value,
                None => expected.push((key, value)),
            }
        }
        prop_assert_eq!(root.iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn grammar() {
    for text in [
        "null",
        " true ",
        "\t[1 , 2]\r\n",
        "-0",
        "1e5",
        "0.5",
        "1E-7",
        "NaN",
        "-Infinity",
        "\"\"",
        "\"\u{7f}é\"",
        r#""\ud800""#,
        r#""\/\u00E9""#,
        r#"{"a":{"a":[]},"a":{}}"#,
    ] {
        assert_eq!(validate(text, true), Ok(()), "{text}");
    }
    for text in [
        "",
        " ",
        "[1,]",
        "{\"a\":1,}",
        "[,1]",
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1e",
        "+1",
        "-NaN",
        "0x1",
        "nul",
        "nulll",
        "True",
        "'a'",
        "{a:1}",
        "{\"a\"}",
        "{\"a\":}",
        "[1 2]",
        "[1",
        "{",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\n\"",
        "\"\0\"",
        "1 1",
        "\u{feff}1",
        "[1}",
        "{\"a\":1]",
        "//",
        "1\u{a0}",
    ] {
        assert!(
            matches!(validate(text, true), Err(ScanError::Syntax { .. })),
            "{text}"
        );
    }
}

#[test]
fn errors_say_where() {
    assert_eq!(
        validate(r#"{"a":nope}"#, true),
        Err(ScanError::Syntax { at: 5 })
    );
    assert_eq!(
        ScanError::Syntax { at: 5 }.to_string(),
        "not JSON from byte 5 on"
    );
}

#[test]
fn nesting_ends_at_the_limit() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(validate(&nested(MAX_DEPTH), true), Ok(()));
    assert_eq!(
        validate(&nested(MAX_DEPTH + 1), true),
        Err(ScanError::TooDeep)
    );
    assert_eq!(validate(&nested(100_000), true), Err(ScanError::TooDeep));
    let member = |depth: usize| format!("{{\"a\":{}}}", nested(depth));
    assert!(scan_root(&member(MAX_DEPTH - 1), true).is_ok());
    assert_eq!(
        scan_root(&member(MAX_DEPTH), true).map(drop),
        Err(ScanError::TooDeep)
    );
    let objects = |depth: usize| "{\" t\":".repeat(depth) + "[]" + &"}".repeat(depth);
    assert_eq!(validate(&objects(MAX_DEPTH - 1), true), Ok(()));
    assert_eq!(validate(&objects(MAX_DEPTH), true), Err(ScanError::TooDeep));
}

#[test]
fn integers_end_at_pythons_limit() {
    let digits = "1".repeat(MAX_DIGITS);
    assert_eq!(validate(&format!("-{digits}"), true), Ok(()));
    assert_eq!(
        validate(&format!("{digits}1"), true),
        Err(ScanError::TooManyDigits)
    );
    assert_eq!(
        validate(&format!("{digits}1.0"), true),
        Ok(()),
        "floats have no limit"
    );
}
