//! A layout of Flask-Session: its settings and its records.

use std::time::Duration;

use super::{
    Format, Members,
    facts::{FACTS, Facts, derived_handle},
};
use crate::{
    clock::Timestamp,
    data::{Patch, SessionData},
    json,
    store::{Capabilities, Record, Rotation, SessionMeta, StoreError, StoreKey},
};

/// 31 days: the default of Flask's `PERMANENT_SESSION_LIFETIME`.
const LIFETIME: Duration = Duration::from_secs(31 * 86_400);

/// The settings of Flask-Session that both applications must share.
///
/// ```
/// use std::time::Duration;
/// use carafe_core::flask::stored::{FlaskSession, Format};
///
/// let layout = FlaskSession::new(Format::Json)
///     .with_prefix("shop:")
///     .with_lifetime(Duration::from_secs(3600));
/// assert_eq!(layout.prefix(), "shop:");
/// ```
#[derive(Clone, Debug)]
pub struct FlaskSession {
    format: Format,
    prefix: String,
    lifetime: Duration,
    keeps_facts: bool,
}

/// The state after a change.
#[derive(Clone, Debug)]
pub struct Next {
    /// The new record.
    pub record: Box<Record>,
    /// The stored bytes of the record.
    pub value: Vec<u8>,
}

impl FlaskSession {
    /// Creates a layout with Flask-Session's defaults, except for the format.
    ///
    /// Flask-Session's default format is [`Format::MsgPack`].
    ///
    /// The prefix is `session:`, and the lifetime 31 days.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self {
            format,
            prefix: "session:".to_owned(),
            lifetime: LIFETIME,
            keeps_facts: false,
        }
    }

    /// Sets `SESSION_KEY_PREFIX`.
    ///
    /// ```
    /// use carafe_core::flask::stored::{FlaskSession, Format};
    /// let layout = FlaskSession::new(Format::Json).with_prefix("shop:");
    /// assert_eq!(layout.prefix(), "shop:");
    /// ```
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets `PERMANENT_SESSION_LIFETIME`, from which Carafe derives the last use of a session.
    ///
    /// Flask-Session stores no time of use, but extends the expiry to one lifetime after each use.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use carafe_core::{clock::Timestamp, flask::stored::FlaskSession, store::StoreKey};
    ///
    /// let layout = FlaskSession::default().with_lifetime(Duration::from_secs(3_600));
    /// let (key, now) = (StoreKey::from_bytes([0; 32]), Timestamp::from_unix(10_000));
    /// let record = layout.record(&key, b"{}", Timestamp::from_unix(13_000), now)?;
    /// assert_eq!(record.meta.last_seen.unix(), 13_000 - 3_600);
    /// # Ok::<(), carafe_core::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Stores the public ID, creation and last renewal of every session that Carafe creates or
    /// changes.
    ///
    /// The dictionary contains the metadata under `_carafe`. Without this option, only sessions
    /// with a user, a device or a log-in have that key: the public ID of other sessions changes
    /// with the session ID, and absolute timeouts do not apply to them.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::flask::stored::{FlaskSession, Format};
    /// use carafe_core::session::SessionData;
    /// use carafe_core::store::{PublicId, Record, SessionMeta, StoreKey};
    ///
    /// let (key, now) = (StoreKey::from_bytes([7; 32]), Timestamp::from_unix(0));
    /// let meta = SessionMeta::new(PublicId::random()?, now, now.saturating_add(60));
    /// let record = Record::new(meta, SessionData::default());
    /// let layout = FlaskSession::new(Format::Json);
    /// assert_eq!(layout.beginning(&key, &record)?, b"{}");
    ///
    /// let kept = layout.keeping_facts().beginning(&key, &record)?;
    /// assert!(String::from_utf8(kept)?.starts_with(r#"{"_carafe":"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn keeping_facts(mut self) -> Self {
        self.keeps_facts = true;
        self
    }

    /// The capabilities of this layout.
    pub const LAYOUT: Capabilities = Capabilities::FLASK_SESSION;

    /// Returns the prefix of every name.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the Redis key, or the `session_id` of the table: the prefix and the session ID.
    ///
    /// ```
    /// use carafe_core::flask::stored::{FlaskSession, Format};
    /// use carafe_core::{store::KeyScheme, token::SessionId};
    ///
    /// let id = SessionId::parse(b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").expect("an id");
    /// let name = FlaskSession::new(Format::MsgPack).name(&id.store_key_as(KeyScheme::RawId));
    /// assert_eq!(name, "session:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    /// ```
    #[must_use]
    pub fn name(&self, key: &StoreKey) -> String {
        format!("{}{}", self.prefix, key.plain_id())
    }

    /// Returns the record in a stored value that expires at `expires`.
    ///
    /// # Errors
    ///
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
        let mut meta = SessionMeta::new(facts.public_id, facts.created, expires);
        meta.user = facts.user;
        meta.device = facts.device;
        meta.renewed = facts.renewed;
        meta.last_seen = last_seen;
        meta.authenticated = facts.authenticated;
        Ok(Record::new(meta, data_of(&members)?))
    }

    /// Returns the stored bytes of a record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unstorable`] with an [`Unwritable`](super::Unwritable).
    pub fn value(&self, key: &StoreKey, record: &Record) -> Result<Vec<u8>, StoreError> {
        let facts = Facts::of(record);
        let facts = (self.keeps_facts || facts.is_worth_a_key(key)).then(|| facts.text());
        let name = format!("\"{FACTS}\"");
        let facts = facts.as_deref().map(|text| (name.as_str(), text));
        let written = self.format.write(record.data.iter().chain(facts));
        written.map_err(StoreError::unstorable)
    }

    /// Applies `patch`, which was created for `base`, to the newest state.
    ///
    /// Returns `None` if the user of the session has changed since `base` was loaded. With a
    /// `rotation`, the session moves to that key at that time.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::flask::stored::{FlaskSession, Format};
    /// use carafe_core::session::{Patch, SessionData};
    /// use carafe_core::store::{PublicId, Record, SessionMeta, StoreKey};
    ///
    /// let (layout, key) = (FlaskSession::new(Format::Json), StoreKey::from_bytes([0; 32]));
    /// let (now, later) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    /// let meta = SessionMeta::new(PublicId::random()?, now, later);
    /// let record = Record::new(meta, SessionData::default());
    /// let mut patch = Patch::new();
    /// patch.set("theme", "\"dark\"".to_owned());
    /// let next = layout.next(&key, &record, &record, &patch, None)?;
    /// let next = next.expect("the user is the same");
    /// assert!(next.value.starts_with(br#"{"theme":"dark","#));
    /// assert_eq!(next.record.meta.version, record.meta.version + 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Record::merge`] and [`FlaskSession::value`].
    pub fn next(
        &self,
        key: &StoreKey,
        newest: &Record,
        base: &Record,
        patch: &Patch,
        rotation: Option<(&StoreKey, Timestamp)>,
    ) -> Result<Option<Next>, StoreError> {
        let next = match rotation {
            // In this layout, an old ID does not refer to the new one.
            Some((_, now)) => newest.rotated(base, patch, key, Rotation::Replacement, now)?,
            None => newest.merge(base, patch)?,
        };
        let Some(mut record) = next else {
            return Ok(None);
        };
        let to = rotation.map_or(key, |(to, _)| to);
        if !self.keeps_facts && !Facts::of(&record).is_worth_a_key(key) {
            // The public ID is derived from the ID unless another one is stored.
            record.meta.public_id = derived_handle(to);
        }
        let value = self.value(to, &record)?;
        Ok(Some(Next { record, value }))
    }

    /// Returns the bytes to store under `key` for a new session.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`FlaskSession::value`].
    pub fn beginning(&self, key: &StoreKey, record: &Record) -> Result<Vec<u8>, StoreError> {
        let noted = record.meta.user.is_some()
            || record.meta.device.is_some()
            || record.meta.authenticated.is_some()
            || self.keeps_facts;
        let public_id = if noted {
            record.meta.public_id
        } else {
            derived_handle(key)
        };
        let mut record = record.clone();
        record.meta.public_id = public_id;
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
