//! A dictionary as bytes that need no second scan:
//!
//! ```text
//! members ‖ length of each key and value ‖ each key and value         numbers as LEB128: 7 bits a byte, the low ones first
//! ```
//!
//! As long as its JSON text, because members of a usual length have two bytes of lengths instead of a colon and a comma.

use crate::{json, session::SessionData, store::StoreError};

/// Bytes that [`append`] writes.
pub(super) fn length(data: &SessionData) -> usize {
    let both = |text: &str| bytes_of(text.len()) + text.len();
    let members = data.iter().map(|(key, value)| both(key) + both(value));
    bytes_of(data.len()) + members.sum::<usize>()
}

/// Appends a dictionary.
pub(super) fn append(data: &SessionData, out: &mut Vec<u8>) {
    put(data.len(), out);
    for (key, value) in data.iter() {
        put(key.len(), out);
        put(value.len(), out);
    }
    for (key, value) in data.iter() {
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(value.as_bytes());
    }
}

/// The dictionary that was appended.
pub(super) fn read(bytes: &[u8]) -> Result<SessionData, StoreError> {
    let mut numbers = Numbers(bytes);
    let count = numbers.next().unwrap_or_default();
    let lengths = (0..count).map_while(|_| Some((numbers.next()?, numbers.next()?)));
    let members = json::adjacent(lengths);
    let texts = String::from_utf8(numbers.0.to_vec()).map_err(StoreError::corrupt)?;
    Ok(SessionData::checked(texts, members))
}

/// The numbers at the start of bytes.
struct Numbers<'b>(&'b [u8]);

impl Iterator for Numbers<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
            shift += 7;
        }
    }
}

fn put(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        let [low, ..] = number.to_le_bytes();
        out.push(low | 0x80);
        number >>= 7;
    }
    let [last, ..] = number.to_le_bytes();
    out.push(last);
}

const fn bytes_of(number: usize) -> usize {
    match number.checked_ilog2() {
        Some(bits) => bits as usize / 7 + 1,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::Record;

    fn there_and_back(text: &str) -> String {
        let data = SessionData::parse(text.to_owned(), Record::STYLE).expect("it is JSON");
        let mut bytes = Vec::new();
        append(&data, &mut bytes);
        assert_eq!(bytes.len(), length(&data));
        let back = read(&bytes).expect("we wrote it");
        assert_eq!(back.len(), data.len());
        json::write_object(back.iter(), Record::STYLE)
    }

    #[test]
    fn dictionaries_come_back_as_they_were() {
        let long = |bytes| format!(r#"{{"a":"{}","b":1}}"#, "x".repeat(bytes));
        let many: Vec<_> = (0..300).map(|n| format!(r#""key {n}":{n}"#)).collect();
        for text in [
            "{}",
            r#"{"":1}"#,
            r#"{"n":7,"t":{" t":[1,NaN]},"s":"\ud800","é":"é"}"#,
            r#"{" di":{" u__":"not-a-uuid"}}"#,
            &long(123),
            &long(124),
            &long(125),
            &long(126),
            &long(16_381),
            &long(16_382),
            &long(100_000),
            &format!("{{{}}}", many.join(",")),
        ] {
            assert_eq!(there_and_back(text), text);
        }
    }

    #[test]
    fn a_dictionary_is_as_long_as_its_text() {
        let text = r#"{"csrf":"0123456789","n":7,"name":"alice","uid":12345}"#;
        let data = SessionData::parse(text.to_owned(), Record::STYLE).expect("it is JSON");
        assert_eq!(length(&data), text.len());
    }

    proptest! {
        #[test]
        fn any_number_comes_back(number in any::<usize>(), shift in 0..64_u32) {
            let number = number >> shift;
            let mut bytes = Vec::new();
            put(number, &mut bytes);
            prop_assert_eq!(bytes.len(), bytes_of(number));
            prop_assert_eq!(Numbers(&bytes).next(), Some(number));
        }
    }
}
