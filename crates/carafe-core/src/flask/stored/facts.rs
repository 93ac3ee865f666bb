//! What Carafe knows of a session beside its dictionary, for which Flask-Session has no place.
//!
//! It stands in the dictionary under one reserved key. Flask leaves keys alone that it does not know, keeps them
//! in `regenerate()` and drops them in `clear()`, which is what a log-out there means here.

use sha2::{Digest, Sha256};

use super::{Members, Unreadable};
use crate::{
    base64,
    clock::Timestamp,
    json::{self, Style, string},
    session::SessionData,
    store::{Handle, Record, StoreKey},
};

/// The reserved key. Handlers do not see it; Flask sees a dictionary under it.
pub const FACTS: &str = "_carafe";

/// The facts of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) user: Option<String>,
    pub(super) device: Option<String>,
    pub(super) authenticated: Option<Timestamp>,
    pub(super) handle: Handle,
    pub(super) created: Timestamp,
    pub(super) renewed: Timestamp,
}

impl Facts {
    /// Of a session that nobody has noted anything of. Its handle follows from its id, one way; it is taken to
    /// have begun at its last use, because nothing tells when.
    pub(super) fn unknown(key: &StoreKey, last_seen: Timestamp) -> Self {
        Self {
            user: None,
            device: None,
            authenticated: None,
            handle: derived_handle(key),
            created: last_seen,
            renewed: last_seen,
        }
    }

    /// Takes the facts out of the members of a dictionary.
    pub(super) fn take(members: &mut Members) -> Result<Option<Self>, Unreadable> {
        let is_it = |(raw, _): &(String, String)| string::key_equals(raw, FACTS);
        // Of a key that is there twice, Python keeps the last value.
        let Some(place) = members.iter().rposition(is_it) else {
            return Ok(None);
        };
        let (_, text) = members.remove(place);
        members.retain(|member| !is_it(member));
        Self::parse(text).map(Some).ok_or(Unreadable::Facts)
    }

    fn parse(text: String) -> Option<Self> {
        let data = SessionData::parse(text, Style::QUART).ok()?;
        let moment = |key| -> Option<Timestamp> {
            let seconds: i64 = json::from_text(data.text_of(key)?, true).ok()?;
            Some(Timestamp::from_unix(seconds))
        };
        let text = |key: &str| -> Option<Option<String>> {
            let text = data.text_of(key).map(|text| json::from_text(text, true));
            text.transpose().ok()
        };
        let authenticated = match data.text_of("auth") {
            Some(_) => Some(moment("auth")?),
            None => None,
        };
        Some(Self {
            user: text("user")?,
            device: text("device")?,
            authenticated,
            handle: Handle::parse(&text("handle")??)?,
            created: moment("created")?,
            renewed: moment("renewed")?,
        })
    }

    /// Of a record.
    pub(super) fn of(record: &Record) -> Self {
        Self {
            user: record.user.clone(),
            device: record.device.clone(),
            authenticated: record.authenticated,
            handle: record.handle,
            created: record.created,
            renewed: record.renewed,
        }
    }

    /// Whether there is anything here that would not come back by itself.
    pub(super) fn is_worth_a_key(&self, key: &StoreKey) -> bool {
        self.user.is_some()
            || self.device.is_some()
            || self.authenticated.is_some()
            || self.handle != derived_handle(key)
    }

    /// The JSON text under [`FACTS`].
    pub(super) fn text(&self) -> String {
        let mut members: Vec<(&str, String)> = Vec::new();
        let quoted = |text: &str| {
            let mut raw = String::new();
            string::write(text, true, &mut raw);
            raw
        };
        members.push((r#""handle""#, quoted(&self.handle.to_string())));
        members.push((r#""created""#, self.created.unix().to_string()));
        members.push((r#""renewed""#, self.renewed.unix().to_string()));
        let user = self.user.as_deref().map(quoted);
        let auth = self.authenticated.map(|at| at.unix().to_string());
        let device = self.device.as_deref().map(quoted);
        members.extend(user.map(|text| (r#""user""#, text)));
        members.extend(auth.map(|text| (r#""auth""#, text)));
        members.extend(device.map(|text| (r#""device""#, text)));
        let members = members.iter().map(|(key, text)| (*key, &**text));
        json::write_object(members, Style::QUART)
    }
}

/// The public name of a session that has no other: of no use to whoever wants the id, and not what any other
/// store keeps of an id.
pub(super) fn derived_handle(key: &StoreKey) -> Handle {
    let mut hash = Sha256::new_with_prefix(b"carafe flask-session handle ");
    hash.update(base64::encode_url(key.as_bytes()));
    let hash: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 12];
    bytes.copy_from_slice(&hash[..12]);
    Handle::from_bytes(bytes)
}
