//! Carafe's metadata of a session, which Flask-Session does not store.
//!
//! The dictionary contains the metadata under one reserved key. Flask does not change unknown keys,
//! keeps them in `regenerate()` and drops them in `clear()`, which is treated as a log-out.

use sha2::{Digest, Sha256};

use super::{Members, Unreadable};
use crate::{
    clock::Timestamp,
    data::SessionData,
    json::{self, JsonDialect, string},
    store::{PublicId, Record, StoreKey},
};

/// The reserved key, which is hidden from handlers. Flask sees a dictionary under it.
pub(crate) const FACTS: &str = "_carafe";

/// The metadata of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) user: Option<String>,
    pub(super) device: Option<String>,
    pub(super) authenticated: Option<Timestamp>,
    pub(super) public_id: PublicId,
    pub(super) created: Timestamp,
    pub(super) renewed: Timestamp,
}

impl Facts {
    /// Returns the metadata of a session without stored metadata.
    ///
    /// The public ID is derived from the session ID by a one-way function. The creation time is the
    /// time of the last use, because no other time is known.
    pub(super) fn unknown(key: &StoreKey, last_seen: Timestamp) -> Self {
        Self {
            user: None,
            device: None,
            authenticated: None,
            public_id: derived_handle(key),
            created: last_seen,
            renewed: last_seen,
        }
    }

    /// Removes the metadata from the members of a dictionary. Returns the metadata.
    pub(super) fn take(members: &mut Members) -> Result<Option<Self>, Unreadable> {
        let is_it = |(raw, _): &(String, String)| string::key_equals(raw, FACTS);
        // Of duplicate keys, Python keeps the last value.
        let Some(place) = members.iter().rposition(is_it) else {
            return Ok(None);
        };
        let (_, text) = members.remove(place);
        members.retain(|member| !is_it(member));
        Self::parse(text).map(Some).ok_or(Unreadable::Facts)
    }

    fn parse(text: String) -> Option<Self> {
        let data = SessionData::parse(text, JsonDialect::QUART).ok()?;
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
            public_id: text("handle")??.parse().ok()?,
            created: moment("created")?,
            renewed: moment("renewed")?,
        })
    }

    /// Returns the metadata of a record.
    pub(super) fn of(record: &Record) -> Self {
        Self {
            user: record.meta.user.clone(),
            device: record.meta.device.clone(),
            authenticated: record.meta.authenticated,
            public_id: record.meta.public_id,
            created: record.meta.created,
            renewed: record.meta.renewed,
        }
    }

    /// Returns whether the metadata contains anything that cannot be derived again.
    pub(super) fn is_worth_a_key(&self, key: &StoreKey) -> bool {
        self.user.is_some()
            || self.device.is_some()
            || self.authenticated.is_some()
            || self.public_id != derived_handle(key)
    }

    /// Returns the JSON text under [`FACTS`].
    pub(super) fn text(&self) -> String {
        let mut members: Vec<(&str, String)> = Vec::new();
        let quoted = |text: &str| {
            let mut raw = String::new();
            string::write(text, true, &mut raw);
            raw
        };
        members.push((r#""handle""#, quoted(&self.public_id.to_string())));
        members.push((r#""created""#, self.created.unix().to_string()));
        members.push((r#""renewed""#, self.renewed.unix().to_string()));
        let user = self.user.as_deref().map(quoted);
        let auth = self.authenticated.map(|at| at.unix().to_string());
        let device = self.device.as_deref().map(quoted);
        members.extend(user.map(|text| (r#""user""#, text)));
        members.extend(auth.map(|text| (r#""auth""#, text)));
        members.extend(device.map(|text| (r#""device""#, text)));
        let members = members.iter().map(|(key, text)| (*key, &**text));
        json::write_object(members, JsonDialect::QUART)
    }
}

/// Returns the public ID of a session without a stored one.
///
/// The public ID does not reveal the session ID, and differs from the hashes of the session ID in
/// other stores.
pub(super) fn derived_handle(key: &StoreKey) -> PublicId {
    let mut hash = Sha256::new_with_prefix(b"carafe flask-session handle ");
    hash.update(key.plain_id().as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 12];
    bytes.copy_from_slice(&hash[..12]);
    PublicId::from_bytes(bytes)
}
