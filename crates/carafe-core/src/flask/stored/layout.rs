//! A layout of Flask-Session's: its settings, and a record as it stands there.

use std::time::Duration;

use super::{FACTS, Format, Members, facts::Facts, facts::derived_handle};
use crate::{
    base64,
    clock::Timestamp,
    json,
    session::{Patch, SessionData},
    store::{Layout, Record, StoreError, StoreKey},
};

/// 31 days: Flask's `PERMANENT_SESSION_LIFETIME`.
const LIFETIME: Duration = Duration::from_secs(31 * 86_400);

/// What the two applications must agree on: Flask-Session's settings.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::flask::stored::{FlaskSession, Format};
///
/// let layout = FlaskSession::new(Format::Json).with_prefix("shop:").with_lifetime(Duration::from_secs(3600));
/// assert_eq!(layout.prefix(), "shop:");
/// ```
#[derive(Clone, Debug)]
pub struct FlaskSession {
    format: Format,
    prefix: String,
    lifetime: Duration,
    keeps_facts: bool,
}

/// The state that a change leads to.
#[derive(Clone, Debug)]
pub struct Next {
    /// The record.
    pub record: Record,
    /// The bytes that are stored for it.
    pub value: Vec<u8>,
}

impl FlaskSession {
    /// Flask-Session's defaults, but for the format: its own default is [`Format::MsgPack`].
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            prefix: "session:".to_owned(),
            lifetime: LIFETIME,
            keeps_facts: false,
        }
    }

    /// `SESSION_KEY_PREFIX`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// `PERMANENT_SESSION_LIFETIME`, from which the last use of a session follows: Flask-Session notes none, but
    /// moves the expiry to a lifetime from each use.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Keeps handle, beginning and last renewal of every session that Carafe makes or changes, in its dictionary
    /// under [`FACTS`]. Without this only sessions with a user, a device or a log-in have that key: others
    /// change their handle with their id, and absolute limits do not bind them.
    #[must_use]
    pub fn keeping_facts(mut self) -> Self {
        self.keeps_facts = true;
        self
    }

    /// What this layout can and cannot hold.
    pub const LAYOUT: Layout = Layout::FLASK_SESSION;

    /// What every name begins with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The Redis key, or the table's `session_id`, of a session: the prefix and the 43 characters of its id.
    ///
    /// ```
    /// use carafe_core::{flask::stored::{FlaskSession, Format}, store::{Naming, StoreKey}, token::SessionId};
    ///
    /// let id = SessionId::parse(b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("an id");
    /// let name = FlaskSession::new(Format::MsgPack).name(&id.store_key_as(Naming::Plain));
    /// assert_eq!(name, "session:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    /// ```
    #[must_use]
    pub fn name(&self, key: &StoreKey) -> String {
        format!("{}{}", self.prefix, base64::encode_url(key.as_bytes()))
    }

    /// The record in a stored value that expires at `expires`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with an [`Unreadable`](super::Unreadable).
    pub fn record(
        &self,
        key: &StoreKey,
        value: &[u8],
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Record, StoreError> {
        let mut members = Format::read(value).map_err(StoreError::corrupt)?;
        let facts = Facts::take(&mut members).map_err(StoreError::corrupt)?;
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        let last_seen = expires.saturating_add(-lifetime).min(now);
        let facts = facts.unwrap_or_else(|| Facts::unknown(key, last_seen));
        Ok(Record {
            data: data_of(&members)?,
            user: facts.user,
            handle: facts.handle,
            device: facts.device,
            created: facts.created,
            renewed: facts.renewed,
            last_seen,
            expires,
            authenticated: facts.authenticated,
            version: 0,
        })
    }

    /// The bytes that are stored for a record.
    ///
    /// # Errors
    /// [`StoreError::Unstorable`] with an [`Unwritable`](super::Unwritable).
    pub fn value(&self, key: &StoreKey, record: &Record) -> Result<Vec<u8>, StoreError> {
        let facts = Facts::of(record);
        let facts = (self.keeps_facts || facts.is_worth_a_key(key)).then(|| facts.text());
        let name = format!("\"{FACTS}\"");
        let facts = facts.as_deref().map(|text| (name.as_str(), text));
        let written = self.format.write(record.data.iter().chain(facts));
        written.map_err(StoreError::unstorable)
    }

    /// What `patch`, made on `base`, makes of the newest state; `None` if the session has changed hands. With a
    /// `rotation`, the session moves to that key at that time.
    ///
    /// # Errors
    /// As [`Record::after`] and [`FlaskSession::value`].
    pub fn next(
        &self,
        key: &StoreKey,
        newest: &Record,
        base: &Record,
        patch: &Patch,
        rotation: Option<(&StoreKey, Timestamp)>,
    ) -> Result<Option<Next>, StoreError> {
        let next = match rotation {
            Some((_, now)) => newest.rotated(base, patch, now)?,
            None => newest.after(base, patch)?,
        };
        let Some(mut record) = next else {
            return Ok(None);
        };
        let to = rotation.map_or(key, |(to, _)| to);
        if !self.keeps_facts && !Facts::of(&record).is_worth_a_key(key) {
            // It follows the id, where nobody has noted another one.
            record.handle = derived_handle(to);
        }
        let value = self.value(to, &record)?;
        Ok(Some(Next { record, value }))
    }

    /// The record to file under `key` for one that begins.
    ///
    /// # Errors
    /// As [`FlaskSession::value`].
    pub fn beginning(&self, key: &StoreKey, record: &Record) -> Result<Vec<u8>, StoreError> {
        let noted = record.user.is_some()
            || record.device.is_some()
            || record.authenticated.is_some()
            || self.keeps_facts;
        let handle = if noted {
            record.handle
        } else {
            derived_handle(key)
        };
        let record = Record {
            handle,
            ..record.clone()
        };
        self.value(key, &record)
    }
}

impl Default for FlaskSession {
    fn default() -> Self {
        Self::new(Format::default())
    }
}

fn data_of(members: &Members) -> Result<SessionData, StoreError> {
    let members = members.iter().map(|(key, text)| (&**key, &**text));
    let text = json::write_object(members, Record::STYLE);
    SessionData::parse(text, Record::STYLE).map_err(StoreError::corrupt)
}
