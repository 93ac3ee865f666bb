//! A dictionary as bytes that need no scan, so that many may read the same ones:
//!
//! ```text
//! members ‖ for each: length of the key ‖ length of the value ‖ key ‖ value     numbers as LEB128: 7 bits a byte, the low ones first
//! ```
//!
//! Keys and values are JSON text. As long as the JSON text of the whole, because members of a usual length have two
//! bytes of lengths instead of a colon and a comma.

use std::sync::Arc;

use crate::json::string;

/// A dictionary at the end of bytes that may hold something else before it. A clone shares them.
#[derive(Clone)]
pub(crate) struct Packed {
    bytes: Arc<[u8]>,
    start: usize,
}

/// The members of a [`Packed`], in order.
#[derive(Clone, Default)]
pub(super) struct PackedMembers<'b> {
    left: usize,
    bytes: &'b [u8],
}

impl Packed {
    /// The dictionary that [`write`] has written from `start` to the end.
    pub(crate) fn at(bytes: Arc<[u8]>, start: usize) -> Self {
        Self { bytes, start }
    }

    pub(super) fn of<'m>(members: impl Iterator<Item = (&'m str, &'m str)> + Clone) -> Self {
        let mut bytes = zeros(length(members.clone()));
        if let Some(place) = Arc::get_mut(&mut bytes) {
            write(members, place);
        }
        Self::at(bytes, 0)
    }

    pub(super) fn len(&self) -> usize {
        self.members().left
    }

    /// The JSON text of a value.
    #[inline]
    pub(super) fn text_of(&self, key: &str) -> Option<&str> {
        let mut members = self.members();
        loop {
            let (raw, value) = members.member()?;
            if string::raw_key_equals(raw, key) {
                return str::from_utf8(value).ok();
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    pub(super) fn members(&self) -> PackedMembers<'_> {
        let mut bytes = self.bytes();
        let left = number(&mut bytes).unwrap_or_default();
        PackedMembers { left, bytes }
    }
}

impl<'b> PackedMembers<'b> {
    #[inline]
    fn member(&mut self) -> Option<(&'b [u8], &'b [u8])> {
        self.left = self.left.checked_sub(1)?;
        let (key, value) = (number(&mut self.bytes)?, number(&mut self.bytes)?);
        let (key, rest) = self.bytes.split_at_checked(key)?;
        let (value, rest) = rest.split_at_checked(value)?;
        self.bytes = rest;
        Some((key, value))
    }
}

impl<'b> Iterator for PackedMembers<'b> {
    type Item = (&'b str, &'b str);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.member()?;
        Some((str::from_utf8(key).ok()?, str::from_utf8(value).ok()?))
    }
}

/// So many bytes, in one allocation.
pub(crate) fn zeros(length: usize) -> Arc<[u8]> {
    std::iter::repeat_n(0, length).collect()
}

/// Bytes that [`write`] fills.
pub(crate) fn length<'m>(members: impl Iterator<Item = (&'m str, &'m str)> + Clone) -> usize {
    let both = |text: &str| bytes_of(text.len()) + text.len();
    let texts = members.clone().map(|(key, value)| both(key) + both(value));
    bytes_of(members.count()) + texts.sum::<usize>()
}

/// Writes a dictionary to the start of `place`, which must have its [`length`].
pub(crate) fn write<'m>(
    members: impl Iterator<Item = (&'m str, &'m str)> + Clone,
    place: &mut [u8],
) {
    let mut out = Out(place);
    out.number(members.clone().count());
    for (key, value) in members {
        out.number(key.len());
        out.number(value.len());
        out.bytes(key.as_bytes());
        out.bytes(value.as_bytes());
    }
}

/// Room that is filled from its start.
struct Out<'b>(&'b mut [u8]);

impl Out<'_> {
    fn bytes(&mut self, bytes: &[u8]) {
        let (place, rest) = std::mem::take(&mut self.0).split_at_mut(bytes.len());
        place.copy_from_slice(bytes);
        self.0 = rest;
    }

    fn number(&mut self, mut number: usize) {
        while number >= 0x80 {
            let [low, ..] = number.to_le_bytes();
            self.bytes(&[low | 0x80]);
            number >>= 7;
        }
        let [last, ..] = number.to_le_bytes();
        self.bytes(&[last]);
    }
}

/// The number at the start of `bytes`, which then begin behind it.
#[inline]
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
    use crate::{json, session::SessionData, store::Record};

    fn there_and_back(text: &str) -> String {
        let data = SessionData::parse(text.to_owned(), Record::STYLE).expect("it is JSON");
        let packed = Packed::of(data.iter());
        assert_eq!(packed.bytes.len(), length(data.iter()));
        assert_eq!(packed.len(), data.len());
        for (key, value) in data.iter() {
            let key = json::string::decode(key);
            let Ok(key) = key else { continue };
            assert_eq!(packed.text_of(&key), Some(value));
        }
        assert_eq!(packed.text_of("nobody wrote this"), None);
        json::write_object(packed.members(), Record::STYLE)
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
    fn a_dictionary_is_as_long_as_its_text() {
        let text = r#"{"csrf":"0123456789","n":7,"name":"alice","uid":12345}"#;
        let data = SessionData::parse(text.to_owned(), Record::STYLE).expect("it is JSON");
        assert_eq!(length(data.iter()), text.len());
    }

    #[test]
    fn bytes_that_end_too_early_end_the_members() {
        let whole = Packed::of([("\"a\"", "1"), ("\"b\"", "2")].into_iter());
        for end in 0..whole.bytes.len() {
            let cut = Packed::at(whole.bytes[..end].into(), 0);
            assert!(cut.members().count() < 2, "{end}");
            assert_eq!(cut.text_of("b"), None);
        }
        assert_eq!(Packed::at(Arc::default(), 5).members().next(), None);
    }

    proptest! {
        #[test]
        fn any_number_comes_back(number in any::<usize>(), shift in 0..64_u32) {
            let number = number >> shift;
            let mut bytes = vec![0; bytes_of(number)];
            let mut out = Out(&mut bytes);
            out.number(number);
            prop_assert!(out.0.is_empty());
            prop_assert_eq!(super::number(&mut bytes.as_slice()), Some(number));
        }
    }
}
