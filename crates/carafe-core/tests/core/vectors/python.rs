//! Parses Python's `repr` of a session, to compare the meaning of a cookie.
//!
//! Shares no code with the library's JSON parser.

use std::{iter::Peekable, str::Chars};

use carafe_core::json;

/// A Python value. Strings are UTF-16, because Python's may contain unpaired surrogates.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Python {
    None,
    Bool(bool),
    Int(String),
    /// The bits of a float. All NaNs are equal.
    Float(u64),
    Str(Vec<u16>),
    Bytes(Vec<u8>),
    List(Vec<Python>),
    Tuple(Vec<Python>),
    Dict(Vec<(Vec<u16>, Python)>),
    Markup(Vec<u16>),
    Uuid(String),
    /// Year to second, and the offset from UTC in seconds.
    DateTime([i64; 6], i64),
}

/// Parses a `repr`. Dictionaries are sorted, because their equality ignores the order.
pub(crate) fn parse(repr: &str) -> Python {
    let mut reader = Reader {
        rest: repr.chars().peekable(),
    };
    let value = reader.value();
    assert_eq!(reader.rest.next(), None, "text is left of {repr}");
    value
}

/// Converts a value of the library.
pub(crate) fn of_value(value: &json::Value) -> Python {
    match value {
        json::Value::Null => Python::None,
        json::Value::Bool(value) => Python::Bool(*value),
        json::Value::Number(number) => of_number(number),
        json::Value::String(text) => Python::Str(utf_16(text.as_raw())),
        json::Value::Bytes(bytes) => Python::Bytes(bytes.clone()),
        json::Value::List(items) => Python::List(items.iter().map(of_value).collect()),
        json::Value::Tuple(items) => Python::Tuple(items.iter().map(of_value).collect()),
        json::Value::Dict(members) => Python::dict(
            members
                .iter()
                .map(|(key, value)| (utf_16(key.as_raw()), of_value(value))),
        ),
        json::Value::Markup(text) => Python::Markup(match text.as_raw() {
            raw if raw.starts_with('"') => utf_16(raw),
            other => other.encode_utf16().collect(),
        }),
        json::Value::Uuid(uuid) => Python::Uuid(format!("{:032x}", uuid.as_u128())),
        json::Value::DateTime(_) => value.date().map_or(Python::None, |date| {
            let offset = i64::from(date.offset_seconds());
            Python::DateTime(civil(date.timestamp().unix() + offset), offset)
        }),
        other => panic!("unknown value {other:?}"),
    }
}

fn of_number(number: &json::Number) -> Python {
    let text = number.as_text();
    if text.contains(['.', 'e', 'E', 'N', 'I']) {
        Python::float(number.as_f64())
    } else {
        Python::Int(if text == "-0" { "0" } else { text }.to_owned())
    }
}

impl Python {
    fn float(value: f64) -> Self {
        Self::Float(if value.is_nan() { f64::NAN } else { value }.to_bits())
    }

    /// Python keeps the last of two members with the same name.
    pub(crate) fn dict(members: impl IntoIterator<Item = (Vec<u16>, Self)>) -> Self {
        let last_wins: std::collections::BTreeMap<_, _> = members.into_iter().collect();
        Self::Dict(last_wins.into_iter().collect())
    }
}

/// Converts a JSON string to UTF-16, with every escape resolved.
pub(crate) fn utf_16(raw: &str) -> Vec<u16> {
    let inside = raw
        .strip_prefix('"')
        .and_then(|raw| raw.strip_suffix('"'))
        .unwrap();
    let mut out = Vec::new();
    let mut rest = inside.chars();
    while let Some(letter) = rest.next() {
        let letter = match letter {
            '\\' => match rest.next().unwrap() {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let digits: String = rest.by_ref().take(4).collect();
                    out.push(u16::from_str_radix(&digits, 16).unwrap());
                    continue;
                }
                plain => plain,
            },
            plain => plain,
        };
        out.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
    }
    out
}

/// Converts a Unix time to year, month, day, hour, minute and second, by a simple count.
fn civil(unix: i64) -> [i64; 6] {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let (mut days, seconds) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += 365 + i64::from(leap(year));
    }
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + i64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    [
        year,
        month,
        days + 1,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
    ]
}

struct Reader<'r> {
    rest: Peekable<Chars<'r>>,
}

impl Reader<'_> {
    fn value(&mut self) -> Python {
        match *self.rest.peek().unwrap() {
            '{' => self.dict(),
            '[' => Python::List(self.items('[', ']')),
            '(' => Python::Tuple(self.items('(', ')')),
            '\'' | '"' => Python::Str(self.string()),
            _ => self.word(),
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn expect(&mut self, wanted: &str) {
        for letter in wanted.chars() {
            assert_eq!(self.rest.next(), Some(letter), "in {wanted:?}");
        }
    }

    fn items(&mut self, open: char, close: char) -> Vec<Python> {
        assert!(self.take(open));
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(self.value());
            if self.take(',') {
                self.take(' ');
            }
        }
        items
    }

    fn dict(&mut self) -> Python {
        assert!(self.take('{'));
        let mut members = Vec::new();
        while !self.take('}') {
            let key = self.string();
            self.expect(": ");
            members.push((key, self.value()));
            if self.take(',') {
                self.take(' ');
            }
        }
        Python::dict(members)
    }

    fn string(&mut self) -> Vec<u16> {
        let mut out = Vec::new();
        for code in self.quoted() {
            match char::from_u32(code) {
                Some(letter) => out.extend_from_slice(letter.encode_utf16(&mut [0; 2])),
                None => out.push(u16::try_from(code).unwrap()),
            }
        }
        out
    }

    /// Returns the code points between quotation marks.
    fn quoted(&mut self) -> Vec<u32> {
        let mark = self.rest.next().unwrap();
        let mut out = Vec::new();
        while !self.take(mark) {
            let letter = self.rest.next().unwrap();
            out.push(match letter {
                '\\' => self.escape(),
                plain => u32::from(plain),
            });
        }
        out
    }

    fn escape(&mut self) -> u32 {
        let digits = match self.rest.next().unwrap() {
            'n' => return 0x0a,
            'r' => return 0x0d,
            't' => return 0x09,
            'x' => 2,
            'u' => 4,
            'U' => 8,
            plain => return u32::from(plain),
        };
        let digits: String = self.rest.by_ref().take(digits).collect();
        u32::from_str_radix(&digits, 16).unwrap()
    }

    fn word(&mut self) -> Python {
        let mut word = String::new();
        while let Some(letter) = self
            .rest
            .next_if(|&letter| letter.is_alphanumeric() || "+-._".contains(letter))
        {
            word.push(letter);
        }
        match word.as_str() {
            "None" => Python::None,
            "True" => Python::Bool(true),
            "False" => Python::Bool(false),
            "nan" => Python::float(f64::NAN),
            "inf" => Python::float(f64::INFINITY),
            "-inf" => Python::float(f64::NEG_INFINITY),
            "b" => Python::Bytes(
                self.quoted()
                    .into_iter()
                    .map(|code| u8::try_from(code).unwrap())
                    .collect(),
            ),
            "Markup" => Python::Markup(self.argument()),
            "UUID" => Python::Uuid(
                String::from_utf16(&self.argument())
                    .unwrap()
                    .replace('-', ""),
            ),
            "datetime.datetime" => self.date(),
            number if number.contains(['.', 'e']) => Python::float(number.parse().unwrap()),
            number => Python::Int(number.to_owned()),
        }
    }

    fn argument(&mut self) -> Vec<u16> {
        self.expect("(");
        let text = self.string();
        self.expect(")");
        text
    }

    fn date(&mut self) -> Python {
        self.expect("(");
        let mut parts = [0; 6];
        let mut position = 0;
        while self.rest.peek().is_some_and(char::is_ascii_digit) {
            let Python::Int(digits) = self.word() else {
                panic!("a part of a date is an integer")
            };
            parts[position] = digits.parse().unwrap();
            position += 1;
            self.expect(", ");
        }
        self.expect("tzinfo=datetime.timezone");
        let offset = if self.take('.') {
            self.expect("utc");
            0
        } else {
            self.offset()
        };
        self.expect(")");
        Python::DateTime(parts, offset)
    }

    fn offset(&mut self) -> i64 {
        self.expect("(datetime.timedelta(");
        let mut seconds = 0;
        while !self.take(')') {
            let mut unit = String::new();
            while let Some(letter) = self.rest.next_if(|&letter| letter != '=') {
                unit.push(letter);
            }
            self.expect("=");
            let Python::Int(digits) = self.word() else {
                panic!("a part of an offset is an integer")
            };
            let number: i64 = digits.parse().unwrap();
            seconds += match unit.as_str() {
                "days" => number * 86_400,
                "seconds" => number,
                other => panic!("unknown unit {other}"),
            };
            if self.take(',') {
                self.take(' ');
            }
        }
        self.expect(")");
        seconds
    }
}

#[test]
fn a_repr_reads_as_what_it_says() {
    let text = r#"{'a': (1, -2.5, None), "it's": b'\x00a\'', 'd': datetime.datetime(2023, 11, 14, 22, 13, 20, tzinfo=datetime.timezone.utc)}"#;
    let utf_16 = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    let tuple = vec![
        Python::Int("1".to_owned()),
        Python::float(-2.5),
        Python::None,
    ];
    assert_eq!(
        parse(text),
        Python::Dict(vec![
            (utf_16("a"), Python::Tuple(tuple)),
            (utf_16("d"), Python::DateTime([2023, 11, 14, 22, 13, 20], 0)),
            (utf_16("it's"), Python::Bytes(b"\0a'".to_vec())),
        ])
    );
    assert_eq!(civil(1_700_000_000), [2023, 11, 14, 22, 13, 20]);
    assert_eq!(civil(-1), [1969, 12, 31, 23, 59, 59]);
}
