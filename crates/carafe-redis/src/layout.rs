//! How a record lies in Redis: the names of keys, and a record as the fields of a hash and back.
//!
//! The crate's page shows an example. A member of the dictionary is one field, so that scripts merge
//! without parsing JSON; its value begins with a number that keeps the order of insertion. The field is
//! named by the key in one spelling (ASCII), whatever spelling the JSON text has, because two writers
//! of one key must meet in one field; an odd spelling stands in the value, since no byte may get lost.

use std::fmt::Write as _;

use carafe_core::{
    clock::Timestamp,
    json::{self, string},
    session::SessionData,
    store::{Handle, Record, StoreError, StoreKey},
};

/// The fields of a hash, as Redis gave them or gets them.
pub(crate) type Fields = Vec<(String, String)>;

/// The version of this layout.
const VERSION: &str = "1";
/// What Redis's whole numbers in sorted sets and Lua still hold; the last second of the year 9999.
const LAST: i64 = 253_402_300_799;

/// The names of everything this store keeps.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// The hash of a session.
    pub(crate) fn session(&self, key: &StoreKey) -> String {
        format!("{}:{}", self.prefix, text_of_key(key))
    }

    /// The sorted set of a user's sessions.
    pub(crate) fn user(&self, user: &str) -> String {
        format!("{}:u:{user}", self.prefix)
    }
}

/// A key as 43 characters.
pub(crate) fn text_of_key(key: &StoreKey) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(key.as_bytes())
}

/// Reads what [`text_of_key`] writes.
pub(crate) fn key_of_text(text: &str) -> Option<StoreKey> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    Some(StoreKey::from_bytes(bytes.try_into().ok()?))
}

/// A session in the index of its user.
pub(crate) fn member(handle: Handle, key: &StoreKey) -> String {
    format!("{handle}:{}", text_of_key(key))
}

/// Reads what [`member`] writes.
pub(crate) fn member_of(text: &str) -> Option<(Handle, StoreKey)> {
    let (handle, key) = text.split_once(':')?;
    Some((Handle::parse(handle)?, key_of_text(key)?))
}

/// The start of the key, kept inside the record, so that a reply which belongs to another request is
/// found out instead of shown to the wrong user.
pub(crate) fn tag_of_key(key: &StoreKey) -> String {
    let mut tag = text_of_key(key);
    tag.truncate(12);
    tag
}

/// Until when the index lists a session that expires at `expires`: a lifetime longer than needed, so
/// that it hears of a refresh once a lifetime and not each time.
pub(crate) fn listed_until(expires: Timestamp, now: Timestamp) -> Timestamp {
    let lifetime = expires.seconds_since(now).max(0);
    let until = expires.saturating_add(lifetime).unix();
    Timestamp::from_unix(until.min(LAST).max(expires.unix()))
}

/// The field of a key of the dictionary.
pub(crate) fn field_of(key: &str) -> String {
    let mut quoted = String::new();
    string::write(key, true, &mut quoted);
    format!("d:{}", unquoted(&quoted))
}

/// A new record as the fields of its hash.
pub(crate) fn fields_of(key: &StoreKey, record: &Record, listed: Timestamp) -> Fields {
    let mut fields = vec![("v".to_owned(), VERSION.to_owned())];
    let mut fact = |name: &str, text: String| fields.push((name.to_owned(), text));
    fact("key", tag_of_key(key));
    fact("handle", record.handle.to_string());
    fact("created", second(record.created));
    fact("renewed", second(record.renewed));
    fact("seen", second(record.last_seen));
    fact("expires", second(record.expires));
    fact("version", record.version.to_string());
    fact("listed", second(listed));
    fact("next", record.data.len().to_string());
    let given = [("user", &record.user), ("device", &record.device)];
    for (name, text) in given {
        if let Some(text) = text {
            fact(name, text.clone());
        }
    }
    if let Some(at) = record.authenticated {
        fact("auth", second(at));
    }
    let members = record.data.iter().enumerate();
    fields.extend(members.map(|(place, (raw, text))| field_of_member(place, raw, text)));
    fields
}

fn field_of_member(place: usize, raw: &str, text: &str) -> (String, String) {
    // A key that is no Unicode text is nobody's to write, so its own spelling can name it.
    let field = string::decode(raw).map_or_else(
        |_| format!("d:{}", unquoted(raw)),
        |key| field_of(key.as_ref()),
    );
    let value = if field.strip_prefix("d:") == Some(unquoted(raw)) {
        format!("{place}:{text}")
    } else {
        format!("{place}+{}:{raw}{text}", raw.len())
    };
    (field, value)
}

/// What is under a key.
pub(crate) enum Found {
    /// A session, or what is left of one that has expired.
    Record(Box<Record>),
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
        Ok(Self::Record(Box::new(facts.record()?)))
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
        let handle = self.text("handle").and_then(Handle::parse);
        Ok(Record {
            data: self.data()?,
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
    /// Reads what [`field_of_member`] writes.
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

fn unquoted(raw: &str) -> &str {
    raw.strip_prefix('"')
        .and_then(|raw| raw.strip_suffix('"'))
        .unwrap_or(raw)
}

/// A moment as Redis keeps it.
pub(crate) fn second(at: Timestamp) -> String {
    let mut text = String::with_capacity(12);
    // Writing to a `String` cannot fail.
    let _ = write!(text, "{}", at.unix());
    text
}

fn corrupt(field: &str) -> StoreError {
    // A key of the dictionary is the application's, but it is no secret; its value never appears here.
    StoreError::corrupt(format!("the field {field:?} is missing or cannot be read"))
}
