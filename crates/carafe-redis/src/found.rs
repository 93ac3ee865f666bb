//! What is under a key, read from the fields of its hash.
//!
//! Whatever does not read as this version would have written it is corrupt: better no session than one
//! with a part missing.

use carafe_core::{
    clock::Timestamp,
    json,
    session::SessionData,
    store::{Handle, Record, StoreError, StoreKey, Summary},
};

use crate::{
    layout::{Fields, VERSION},
    names::{key_of_text, tag_of_key},
};

/// The fields that a [`Summary`] is read from: all but the dictionary.
pub(crate) const FACTS: [&str; 14] = [
    "v", "to", "until", "pending", "key", "handle", "user", "device", "created", "renewed", "seen",
    "expires", "auth", "version",
];

/// What is under a key.
pub(crate) enum Found<T = Record> {
    /// A session, or what is left of one that has expired.
    Record(Box<T>),
    /// Another name of the session under this key, until then.
    Alias(StoreKey, Timestamp),
    /// A session on its way here.
    Pending,
    /// Nothing.
    Nothing,
}

impl Found {
    /// Reads a hash that was asked for under `key`.
    pub(crate) fn read(fields: Fields, key: &StoreKey) -> Result<Self, StoreError> {
        Self::read_as(fields, key, Facts::record)
    }
}

impl Found<Summary> {
    /// Reads the [`FACTS`] of a hash that was asked for under `key`.
    pub(crate) fn glance(fields: Fields, key: &StoreKey) -> Result<Self, StoreError> {
        Self::read_as(fields, key, Facts::summary)
    }
}

impl<T> Found<T> {
    fn read_as(
        fields: Fields,
        key: &StoreKey,
        read: impl FnOnce(&Facts) -> Result<T, StoreError>,
    ) -> Result<Self, StoreError> {
        if fields.is_empty() {
            return Ok(Self::Nothing);
        }
        let facts = Facts::of(fields)?;
        facts.is("v", VERSION)?;
        if let Some(to) = facts.text("to") {
            let to = key_of_text(to).ok_or_else(|| corrupt("to"))?;
            return Ok(Self::Alias(to, facts.moment("until")?));
        }
        if facts.text("pending").is_some() {
            return Ok(Self::Pending);
        }
        facts.is("key", &tag_of_key(key))?;
        Ok(Self::Record(Box::new(read(&facts)?)))
    }
}

/// The fields of a hash, the members of the dictionary apart.
struct Facts {
    facts: Fields,
    members: Vec<Member>,
}

struct Member {
    place: u64,
    raw: String,
    text: String,
}

impl Facts {
    fn of(fields: Fields) -> Result<Self, StoreError> {
        let (mut facts, mut members) = (Vec::with_capacity(14), Vec::new());
        for (name, value) in fields {
            match name.strip_prefix("d:") {
                Some(key) => members.push(Member::read(key, value).ok_or_else(|| corrupt(&name))?),
                None => facts.push((name, value)),
            }
        }
        members.sort_by_key(|member| member.place);
        Ok(Self { facts, members })
    }

    fn text(&self, name: &str) -> Option<&str> {
        let found = self.facts.iter().find(|(field, _)| field == name);
        found.map(|(_, text)| text.as_str())
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    fn is(&self, name: &str, expected: &str) -> Result<(), StoreError> {
        let holds = self.text(name) == Some(expected);
        holds.then_some(()).ok_or_else(|| corrupt(name))
    }

    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, StoreError> {
        let number = self.text(name).and_then(|text| text.parse().ok());
        number.ok_or_else(|| corrupt(name))
    }

    fn moment(&self, name: &str) -> Result<Timestamp, StoreError> {
        self.number(name).map(Timestamp::from_unix)
    }

    fn data(&self) -> Result<SessionData, StoreError> {
        let members = self.members.iter();
        let pairs = members.map(|member| (member.raw.as_str(), member.text.as_str()));
        let text = json::write_object(pairs, Record::STYLE);
        let data = SessionData::parse(text, Record::STYLE).map_err(StoreError::corrupt)?;
        // A member that closes the object early would smuggle in others.
        let whole = data.len() == self.members.len();
        whole.then_some(data).ok_or_else(|| corrupt("d:"))
    }

    fn record(&self) -> Result<Record, StoreError> {
        let facts = self.summary()?;
        Ok(Record {
            data: self.data()?,
            user: facts.user,
            handle: facts.handle,
            device: facts.device,
            created: facts.created,
            renewed: facts.renewed,
            last_seen: facts.last_seen,
            expires: facts.expires,
            authenticated: facts.authenticated,
            version: facts.version,
        })
    }

    fn summary(&self) -> Result<Summary, StoreError> {
        let handle = self.text("handle").and_then(Handle::parse);
        Ok(Summary {
            user: self.owned("user"),
            handle: handle.ok_or_else(|| corrupt("handle"))?,
            device: self.owned("device"),
            created: self.moment("created")?,
            renewed: self.moment("renewed")?,
            last_seen: self.moment("seen")?,
            expires: self.moment("expires")?,
            authenticated: self.text("auth").map(|_| self.moment("auth")).transpose()?,
            version: self.number("version")?,
        })
    }
}

impl Member {
    /// Reads what `layout` writes.
    fn read(key: &str, mut value: String) -> Option<Self> {
        let (head, rest) = value.split_once(':')?;
        let (place, odd) = match head.split_once('+') {
            Some((place, length)) => (place, length.parse().ok()?),
            None => (head, 0),
        };
        let (raw, _) = rest.split_at_checked(odd)?;
        let raw = match raw {
            "" => format!("\"{key}\""),
            raw => raw.to_owned(),
        };
        let (place, start) = (place.parse().ok()?, head.len() + 1 + odd);
        value.drain(..start);
        Some(Self {
            place,
            raw,
            text: value,
        })
    }
}

fn corrupt(field: &str) -> StoreError {
    // A key of the dictionary is the application's, but it is no secret; its value never appears here.
    StoreError::corrupt(format!("the field {field:?} is missing or cannot be read"))
}
