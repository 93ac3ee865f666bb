//! The members of one object, in two allocations if none of them is an array or an object.

use std::{cell::RefCell, fmt, ops::Range};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::strict::{self, Keep, Limits, NUMBER, Object, Strict};
use crate::{limits::MEMBERS, refusal::Refusal};

/// A capacity hint: few members are shorter.
const BYTES_OF_MEMBER: usize = 20;

/// The members of an object, in order.
#[derive(Clone)]
pub(crate) struct Members {
    /// The names, and the values that are texts, without their escapes.
    texts: String,
    list: Vec<(Name, Kept)>,
}

/// The value of a member.
#[derive(Clone, Copy)]
pub(crate) enum Member<'m> {
    Text(&'m str),
    /// Any value but a text.
    Other(&'m Value),
}

/// A [`Member`] without its text.
#[derive(Clone)]
pub(super) enum Kept {
    Text(Range<usize>),
    Other(Value),
}

/// The name of a member.
#[derive(Clone)]
struct Name {
    /// Tells most names apart without a look at the text.
    tag: u64,
    text: Range<usize>,
}

impl Members {
    /// Parses an object.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        // An escape sequence is longer than its character.
        let texts = RefCell::new(String::with_capacity(json.len()));
        let list = strict::read(json, MEMBERS, |limits, reader| {
            reader.deserialize_map(Reader {
                limits,
                texts: &texts,
                room: MEMBERS.min(json.len() / BYTES_OF_MEMBER),
            })
        })?;
        let texts = texts.into_inner();
        Ok(Self { texts, list })
    }

    /// Returns the value of a member.
    pub(crate) fn get(&self, name: &str) -> Option<Member<'_>> {
        let tag = tag_of(name);
        let is_it = |(known, _): &&(Name, Kept)| known.is(tag, name, &self.texts);
        self.list
            .iter()
            .find(is_it)
            .map(|(_, value)| self.member(value))
    }

    /// Returns the text of a member, or `None` if its value is not a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Member::Text(text) => Some(text),
            Member::Other(_) => None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Member<'_>)> {
        let members = self.list.iter();
        members.map(|(name, value)| (text_at(&self.texts, &name.text), self.member(value)))
    }

    pub(crate) fn to_object(&self) -> Object {
        let members = self.iter();
        members
            .map(|(name, value)| (name.to_owned(), value.to_value()))
            .collect()
    }

    fn member<'m>(&'m self, kept: &'m Kept) -> Member<'m> {
        match kept {
            Kept::Text(range) => Member::Text(text_at(&self.texts, range)),
            Kept::Other(value) => Member::Other(value),
        }
    }
}

impl PartialEq for Members {
    /// The same members in another order are equal.
    fn eq(&self, other: &Self) -> bool {
        self.to_object() == other.to_object()
    }
}

impl Member<'_> {
    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Other(value) => value.clone(),
        }
    }
}

impl Name {
    fn is(&self, tag: u64, name: &str, texts: &str) -> bool {
        self.tag == tag && self.text.len() == name.len() && text_at(texts, &self.text) == name
    }
}

/// Returns the first eight bytes of a name.
fn tag_of(name: &str) -> u64 {
    let mut tag = [0; 8];
    for (to, from) in tag.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    u64::from_le_bytes(tag)
}

fn text_at<'t>(texts: &'t str, range: &Range<usize>) -> &'t str {
    texts.get(range.clone()).unwrap_or_default()
}

fn push(texts: &RefCell<String>, text: &str) -> Range<usize> {
    let mut texts = texts.borrow_mut();
    let start = texts.len();
    texts.push_str(text);
    start..texts.len()
}

impl Keep for &RefCell<String> {
    type Kept = Kept;

    fn text(self, text: &str) -> Kept {
        Kept::Text(push(self, text))
    }

    fn value(self, value: Value) -> Kept {
        Kept::Other(value)
    }
}

/// Reads a name.
#[derive(Clone, Copy)]
struct Names<'r>(&'r RefCell<String>);

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Name, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Names<'_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        match name {
            NUMBER => Err(E::custom("a number")),
            _ => Ok(Name {
                tag: tag_of(name),
                text: push(self.0, name),
            }),
        }
    }
}

/// Reads the object itself.
struct Reader<'r> {
    limits: Limits<'r>,
    texts: &'r RefCell<String>,
    room: usize,
}

impl Reader<'_> {
    fn has(&self, list: &[(Name, Kept)], name: &Name) -> bool {
        let texts = self.texts.borrow();
        let text = text_at(&texts, &name.text);
        list.iter()
            .any(|(known, _)| known.is(name.tag, text, &texts))
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Vec<(Name, Kept)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let value_reader = Strict::new(self.limits.deeper()?, self.texts);
        let mut list = Vec::with_capacity(self.room);
        while let Some(name) = members.next_key_seed(Names(self.texts))? {
            self.limits.has_room(list.len())?;
            let value = members.next_value_seed(value_reader)?;
            if self.has(&list, &name) {
                return Err(self.limits.refuse(Refusal::DuplicateMember));
            }
            list.push((name, value));
        }
        Ok(list)
    }
}
