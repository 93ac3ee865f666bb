//! The members of one object, in two allocations if none of them is an array or an object.

use std::{cell::RefCell, fmt, ops::Range};

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::{
    Object,
    strict::{self, Keep, Limits, NUMBER, Strict},
};
use crate::{limits::MEMBERS, refusal::Refusal};

/// A capacity hint: few members are shorter.
const BYTES_OF_MEMBER: usize = 20;

/// The members of an object, in order.
#[derive(Clone)]
pub(crate) struct Members {
    /// The names, and the values that are texts, without their escapes.
    texts: String,
    /// Names and values. A name is a [`Kept::Text`].
    list: Vec<(Kept, Kept)>,
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

impl Members {
    /// Parses an object.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        // An escape is longer than what it stands for.
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
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns the text of a member, or `None` if its value is not a text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Member::Text(text) => Some(text),
            Member::Other(_) => None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Member<'_>)> {
        self.list
            .iter()
            .map(|(name, value)| (text_of(&self.texts, name), self.member(value)))
    }

    pub(crate) fn to_object(&self) -> Object {
        let members = self.iter();
        members
            .map(|(name, value)| (name.to_owned(), value.to_value()))
            .collect()
    }

    fn member<'m>(&'m self, kept: &'m Kept) -> Member<'m> {
        match kept {
            Kept::Text(_) => Member::Text(text_of(&self.texts, kept)),
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

fn text_of<'t>(texts: &'t str, kept: &Kept) -> &'t str {
    match kept {
        Kept::Text(range) => texts.get(range.clone()).unwrap_or_default(),
        Kept::Other(_) => "",
    }
}

impl Keep for &RefCell<String> {
    type Kept = Kept;

    fn text(self, text: &str) -> Kept {
        let mut texts = self.borrow_mut();
        let start = texts.len();
        texts.push_str(text);
        Kept::Text(start..texts.len())
    }

    fn value(self, value: Value) -> Kept {
        Kept::Other(value)
    }
}

/// Reads the object itself.
struct Reader<'r> {
    limits: Limits<'r>,
    texts: &'r RefCell<String>,
    room: usize,
}

impl Reader<'_> {
    fn has(&self, list: &[(Kept, Kept)], name: &Kept) -> bool {
        let texts = self.texts.borrow();
        let name = text_of(&texts, name);
        list.iter().any(|(known, _)| text_of(&texts, known) == name)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Vec<(Kept, Kept)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let member = Strict::new(self.limits.deeper()?, self.texts);
        let mut list = Vec::with_capacity(self.room);
        while let Some(name) = members.next_key_seed(member)? {
            if text_of(&self.texts.borrow(), &name) == NUMBER {
                return Err(Error::custom("not an object"));
            }
            self.limits.has_room(list.len())?;
            let value = members.next_value_seed(member)?;
            if self.has(&list, &name) {
                return Err(self.limits.refuse(Refusal::DuplicateMember));
            }
            list.push((name, value));
        }
        Ok(list)
    }
}
