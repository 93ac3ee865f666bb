//! A dictionary as bytes that need no scan, so that many readers can share the same bytes:
//!
//! ```text
//! for each member: length of the key ‖ length of the value ‖ key ‖ value
//! numbers as LEB128: 7 bits per byte, low bits first
//! ```
//!
//! Keys and values are JSON text. The packed form is at most as long as the JSON text, because
//! members of typical length have two length bytes instead of a colon and a comma.

use std::sync::Arc;

use crate::json::string;

/// A packed dictionary at the end of a byte buffer with an optional prefix.
#[derive(Clone)]
pub(crate) struct Packed {
    bytes: Bytes,
    start: usize,
}

#[derive(Clone)]
enum Bytes {
    /// The buffer of a store. Clones share the buffer.
    Shared(Arc<[u8]>),
    /// A new buffer, for a store to copy.
    Written(Vec<u8>),
}

/// The members of a [`Packed`], in order.
#[derive(Clone, Default)]
pub(super) struct PackedMembers<'b>(&'b [u8]);

impl Packed {
    /// Returns the packed dictionary in `bytes` from `start` to the end. Shares `bytes`.
    pub(super) const fn at(bytes: Arc<[u8]>, start: usize) -> Self {
        Self {
            bytes: Bytes::Shared(bytes),
            start,
        }
    }

    /// Returns the dictionary in bytes that [`pack`] has written.
    pub(super) const fn written(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Bytes::Written(bytes),
            start: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members().count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Returns the JSON text of a value.
    #[inline]
    pub(super) fn value_of(&self, key: &str) -> Option<&[u8]> {
        let mut members = self.members();
        let (_, value) = members.find(|(raw, _)| string::raw_key_equals(raw, key))?;
        Some(value)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        let bytes = match &self.bytes {
            Bytes::Shared(bytes) => bytes,
            Bytes::Written(bytes) => bytes.as_slice(),
        };
        bytes.get(self.start..).unwrap_or_default()
    }

    pub(super) fn members(&self) -> PackedMembers<'_> {
        PackedMembers(self.bytes())
    }
}

impl<'b> Iterator for PackedMembers<'b> {
    type Item = (&'b [u8], &'b [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (key, value, rest) = match self.0 {
            [key @ ..0x80, value @ ..0x80, rest @ ..] => {
                (usize::from(*key), usize::from(*value), rest)
            }
            mut rest => (number(&mut rest)?, number(&mut rest)?, rest),
        };
        let (key, rest) = rest.split_at_checked(key)?;
        let (value, rest) = rest.split_at_checked(value)?;
        self.0 = rest;
        Some((key, value))
    }
}

/// Packs `members` into a buffer with an initial capacity of `room` bytes.
pub(super) fn pack<'m>(
    room: usize,
    members: impl Iterator<Item = (&'m [u8], &'m [u8])>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(room);
    members.for_each(|(key, value)| {
        append_number(key.len(), &mut bytes);
        append_number(value.len(), &mut bytes);
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
    });
    bytes
}

/// Reads a number and advances `bytes`.
fn number(bytes: &mut &[u8]) -> Option<usize> {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= usize::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
        shift += 7;
    }
}

fn append_number(mut number: usize, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        let [low, ..] = number.to_le_bytes();
        bytes.push(low | 0x80);
        number >>= 7;
    }
    let [last, ..] = number.to_le_bytes();
    bytes.push(last);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{data::SessionData, json, store::Record};

    fn there_and_back(text: &str) -> String {
        let data = SessionData::parse(text.to_owned(), Record::STYLE).expect("it is JSON");
        let packed = Packed::written(data.packed_bytes().into_owned());
        assert_eq!(packed.len(), data.len());
        assert_eq!(packed.is_empty(), data.is_empty());
        for (key, value) in data.iter() {
            let key = json::string::decode(key);
            let Ok(key) = key else { continue };
            assert_eq!(packed.value_of(&key), Some(value.as_bytes()));
        }
        assert_eq!(packed.value_of("nobody wrote this"), None);
        let data = SessionData::packed(packed.bytes().into(), 0);
        data.payload(Record::STYLE)
    }

    #[test]
    fn dictionaries_come_back_as_they_were() {
        let long = |bytes| format!(r#"{{"a":"{}","b":1}}"#, "x".repeat(bytes));
        let many: Vec<_> = (0..300).map(|n| format!(r#""key {n}":{n}"#)).collect();
        for text in [
            "{}",
            r#"{"":1}"#,
            r#"{"n":7,"t":{" t":[1,NaN]},"s":"\ud800","é":"é"}"#,
            r#"{"\u00e9":7,"\ud800":8,"a\"b":9}"#,
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
    fn a_dictionary_is_no_longer_than_its_text() {
        let text = r#"{"csrf":"0123456789","n":7,"name":"alice","uid":12345}"#;
        let data = SessionData::parse(text.to_owned(), Record::STYLE).expect("it is JSON");
        assert_eq!(data.packed_bytes().len(), text.len() - 1);
    }

    #[test]
    fn bytes_that_end_too_early_end_the_members() {
        let members: [(&[u8], &[u8]); 2] = [(b"\"a\"", b"1"), (b"\"b\"", b"2")];
        let whole = Packed::written(pack(0, members.into_iter()));
        for end in 0..whole.bytes().len() {
            let cut = Packed::at(whole.bytes()[..end].into(), 0);
            assert!(cut.members().count() < 2, "{end}");
            assert_eq!(cut.value_of("b"), None);
        }
        assert_eq!(Packed::at(Arc::default(), 5).members().next(), None);
    }

    proptest! {
        #[test]
        fn any_number_comes_back(number in any::<usize>(), shift in 0..64_u32) {
            let number = number >> shift;
            let mut bytes = Vec::new();
            append_number(number, &mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(super::number(&mut rest), Some(number));
            prop_assert!(rest.is_empty());
        }
    }
}
