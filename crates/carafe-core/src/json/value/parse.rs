//! Parses values from text. The text is validated as a whole first, so building a value can assume
//! that it is valid.

use super::{Number, Text, Value};
use crate::{
    base64,
    json::{
        ScanError,
        payload::validate,
        scan::Scanner,
        string,
        tags::{Tag, base64_text},
    },
};

impl Value {
    /// Parses a value. If `tags` is set, Flask's tags become the types that they represent.
    ///
    /// ```
    /// use carafe_core::json::Value;
    /// assert!(matches!(Value::parse(r#"{" t":[1]}"#, true)?, Value::Tuple(_)));
    /// assert!(matches!(Value::parse(r#"{" t":[1]}"#, false)?, Value::Dict(_)));
    /// # Ok::<(), carafe_core::json::ScanError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if Flask cannot read the value either, or if it exceeds a limit of
    /// [`ScanError`].
    pub fn parse(text: &str, tags: bool) -> Result<Self, ScanError> {
        validate(text, tags)?;
        let mut scanner = Scanner::new(text)?;
        scanner.blanks();
        Builder { scanner, tags }.value()
    }
}

struct Builder<'t> {
    scanner: Scanner<'t>,
    tags: bool,
}

impl Builder<'_> {
    /// Recurses at most to the depth that the scanner has enforced.
    fn value(&mut self) -> Result<Value, ScanError> {
        let start = self.scanner.position();
        match self.scanner.peek() {
            b'[' => self.list(),
            b'{' => self.object(),
            _ => {
                self.scanner.value()?;
                Ok(scalar(self.scanner.text_from(start)))
            }
        }
    }

    fn list(&mut self) -> Result<Value, ScanError> {
        let mut items = Vec::new();
        self.scanner.expect(b'[')?;
        self.scanner.blanks();
        while !self.scanner.take(b']') {
            items.push(self.value()?);
            self.separator(b']')?;
        }
        Ok(Value::List(items))
    }

    fn object(&mut self) -> Result<Value, ScanError> {
        let mut members = Vec::new();
        let mut content = "";
        self.scanner.expect(b'{')?;
        self.scanner.blanks();
        while !self.scanner.take(b'}') {
            let key = self.scanner.raw_key()?;
            let start = self.scanner.position();
            members.push((key, self.value()?));
            content = self.scanner.text_from(start);
            self.separator(b'}')?;
        }
        let mut members = distinct(members);
        match members.as_slice() {
            [(key, _)] if self.tags => match (Tag::of_key(key), members.pop()) {
                (Some(tag), Some((_, inner))) => untag(tag, inner, content),
                (_, member) => Ok(dict(member)),
            },
            _ => Ok(dict(members)),
        }
    }

    fn separator(&mut self, bracket: u8) -> Result<(), ScanError> {
        self.scanner.blanks();
        if self.scanner.peek() != bracket {
            self.scanner.expect(b',')?;
            self.scanner.blanks();
        }
        Ok(())
    }
}

fn scalar(text: &str) -> Value {
    match text {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if text.starts_with('"') => Value::String(raw(text)),
        _ => Value::Number(Number(text.into())),
    }
}

fn raw(text: &str) -> Text {
    Text(text.into())
}

fn dict<'t>(members: impl IntoIterator<Item = (&'t str, Value)>) -> Value {
    Value::Dict(
        members
            .into_iter()
            .map(|(key, value)| (raw(key), value))
            .collect(),
    )
}

/// Keeps one member per key as Python's `dict` does: the last value at the first position.
fn distinct(mut members: Vec<(&str, Value)>) -> Vec<(&str, Value)> {
    if members.is_sorted_by(|a, b| string::compare(a.0, b.0).is_lt()) {
        return members;
    }
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|&a, &b| string::compare(members[a].0, members[b].0));
    let mut lost = vec![false; members.len()];
    for pair in (1..order.len()).rev().map(|n| (order[n - 1], order[n])) {
        if string::compare(members[pair.0].0, members[pair.1].0).is_eq() {
            let last = std::mem::replace(&mut members[pair.1].1, Value::Null);
            members[pair.0].1 = last;
            lost[pair.1] = true;
        }
    }
    let mut lost = lost.into_iter();
    members.retain(|_| lost.next() != Some(true));
    members
}

/// Applies Flask's `to_python` of `tag` to `inner`. `content` is the text of `inner`.
fn untag(tag: Tag, inner: Value, content: &str) -> Result<Value, ScanError> {
    let value = match (tag, inner) {
        (Tag::Markup, Value::Markup(text)) => Some(Value::Markup(text)),
        (Tag::Markup, _) => Some(Value::Markup(raw(content))),
        (Tag::Tuple, inner) => items(inner).map(Value::Tuple),
        (Tag::Bytes, Value::String(text) | Value::Markup(text)) => {
            base64_text(&text.0).map(Value::Bytes)
        }
        (Tag::Bytes, Value::Bytes(bytes)) => {
            base64::decode_lenient_standard(&bytes).map(Value::Bytes)
        }
        (Tag::Uuid, Value::String(text) | Value::Markup(text)) => text
            .as_str()
            .and_then(|text| text.parse().ok())
            .map(Value::Uuid),
        (Tag::DateTime, Value::String(text) | Value::Markup(text)) if text.0.starts_with('"') => {
            Some(Value::DateTime(text))
        }
        (Tag::DateTime, _) => Some(Value::Null),
        (Tag::Dict, Value::Dict(members)) => {
            let first = members.into_iter().next();
            first.map(|(key, value)| {
                Value::Dict(vec![(Text(string::without_last_two(&key.0).into()), value)])
            })
        }
        _ => None,
    };
    value.ok_or(ScanError::BadTag)
}

/// Returns the items that Python iterates over.
fn items(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::List(items) | Value::Tuple(items) => Some(items),
        Value::Dict(members) => Some(
            members
                .into_iter()
                .map(|(key, _)| Value::String(key))
                .collect(),
        ),
        Value::Bytes(bytes) => Some(
            bytes
                .into_iter()
                .map(|byte| i64::from(byte).into())
                .collect(),
        ),
        Value::String(text) | Value::Markup(text) if text.0.starts_with('"') => {
            let each = |raw: String| Value::String(Text(raw.into()));
            Some(string::characters(&text.0).map(each).collect())
        }
        // Python iterates over the characters of `str()` of such a value. One item preserves them
        // all.
        Value::Markup(text) => Some(vec![Value::Markup(text)]),
        _ => None,
    }
}
