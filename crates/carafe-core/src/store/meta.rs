//! A session without its dictionary: the metadata of a record, and the entry of a list of sessions.
//!
//! A store has one function that reads a [`SessionMeta`] and one that writes it. Fields for which a
//! store has no column are in one text, [`SessionMeta::opaque`], so that a new field changes this
//! file and no store.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::{Renewal, StoreError};
use crate::{
    clock::Timestamp,
    data::Access,
    id::{ParseError, PublicId},
};

/// A session's record without its dictionary.
///
/// Lists consist of these entries, so that a page of sessions transfers no content, and an
/// unreadable dictionary hides no session. Serialized without [`SessionMeta::renewal`], which
/// contains a key of the store.
///
/// ```
/// use carafe_core::{clock::Timestamp, store::{PublicId, SessionMeta}};
///
/// let now = Timestamp::from_unix(1_700_000_000);
/// let mut meta = SessionMeta::new(PublicId::random()?, now, now.saturating_add(3_600));
/// meta.user = Some("ann".to_owned());
/// assert!(!meta.is_expired(now));
/// # Ok::<(), carafe_core::error::NoRandomness>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionMeta {
    /// The public ID.
    pub public_id: PublicId,
    /// The user of the session, after a log-in.
    pub user: Option<String>,
    /// The application's note about the device, such as its user agent.
    pub device: Option<String>,
    /// The time at which the session was created. Never changes.
    pub created: Timestamp,
    /// The time at which the session got its current ID.
    pub renewed: Timestamp,
    /// The time of the last use, with the precision of the refresh threshold.
    pub last_seen: Timestamp,
    /// The first second in which the session has expired.
    pub expires: Timestamp,
    /// The time at which the user last authenticated.
    pub authenticated: Option<Timestamp>,
    /// The timed renewal that gave the session its current ID, if any.
    pub renewal: Option<Renewal>,
    /// The number of changes, for stores that compare and set.
    pub version: u64,
}

impl SessionMeta {
    /// The maximum length of [`SessionMeta::opaque`], in bytes.
    pub const MAX_OPAQUE: usize = 255;

    /// Creates the metadata of a session of no user that was created at `created` and not used
    /// since.
    #[must_use]
    pub const fn new(public_id: PublicId, created: Timestamp, expires: Timestamp) -> Self {
        Self {
            public_id,
            user: None,
            device: None,
            created,
            renewed: created,
            last_seen: created,
            expires,
            authenticated: None,
            renewal: None,
            version: 0,
        }
    }

    /// Returns the fields for which stores have no column, as one text.
    ///
    /// `None` if none of these fields is set. Today the only such field is the renewal. A store
    /// keeps the text as it is: 75 to [`SessionMeta::MAX_OPAQUE`] characters `A-Z`, `a-z`, `0-9`,
    /// `_` and `-`. Encoding: `docs/wire-format.md`, section 7.
    ///
    /// ```
    /// use carafe_core::clock::Timestamp;
    /// use carafe_core::store::{Nonce, PublicId, Renewal, SessionMeta, StoreKey};
    ///
    /// let (now, later) = (Timestamp::from_unix(0), Timestamp::from_unix(60));
    /// let mut meta = SessionMeta::new(PublicId::random()?, now, later);
    /// assert_eq!(meta.opaque(), None);
    ///
    /// let (from, nonce) = (*StoreKey::of_id("the old ID").as_bytes(), Nonce::random()?);
    /// meta.renewal = Some(Renewal { from, nonce, until: Some(later) });
    /// let column = meta.opaque().expect("a renewal");
    /// assert_eq!(column.len(), 75);
    ///
    /// let mut loaded = SessionMeta::new(meta.public_id, now, later);
    /// loaded.set_opaque(Some(&column))?;
    /// assert_eq!(loaded, meta);
    /// assert!(loaded.set_opaque(Some("damaged")).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn opaque(&self) -> Option<String> {
        self.renewal.as_ref().map(Renewal::encode)
    }

    /// Sets the fields of a text that [`SessionMeta::opaque`] has returned.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for any other text, such as that of a later version with more
    /// fields.
    pub fn set_opaque(&mut self, text: Option<&str>) -> Result<(), StoreError> {
        self.renewal = text.map(Renewal::decode).transpose()?;
        Ok(())
    }

    /// Returns whether the session has expired at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// Returns the session's position in a list with the newest ID first.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            renewed: self.renewed,
            public_id: self.public_id,
        }
    }

    /// Records a use. Returns whether anything changed. Times only increase.
    pub(super) fn note(&mut self, access: &Access) -> bool {
        let before = (self.last_seen, self.expires, self.renewal);
        self.last_seen = self.last_seen.max(access.at);
        self.expires = self.expires.max(access.expires);
        if let Some(renewal) = &mut self.renewal
            && renewal.is_pending()
        {
            renewal.until = access.confirms;
        }
        before != (self.last_seen, self.expires, self.renewal)
    }
}

/// Serializes times as seconds since 1970.
impl Serialize for SessionMeta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut meta = serializer.serialize_struct("SessionMeta", 9)?;
        meta.serialize_field("public_id", &self.public_id)?;
        meta.serialize_field("user", &self.user)?;
        meta.serialize_field("device", &self.device)?;
        meta.serialize_field("created", &self.created)?;
        meta.serialize_field("renewed", &self.renewed)?;
        meta.serialize_field("last_seen", &self.last_seen)?;
        meta.serialize_field("expires", &self.expires)?;
        meta.serialize_field("authenticated", &self.authenticated)?;
        meta.serialize_field("version", &self.version)?;
        meta.end()
    }
}

/// A position in the list of all sessions, newest ID first.
///
/// A position stays valid when its session is removed, so the page after it neither repeats nor
/// skips sessions.
///
/// ```
/// use carafe_core::{clock::Timestamp, store::{Position, PublicId}};
///
/// let public_id = PublicId::from_bytes([0; 12]);
/// let position = Position { renewed: Timestamp::from_unix(1_700_000_000), public_id };
/// let link = format!("/admin/sessions?after={position}");
/// assert_eq!(link, "/admin/sessions?after=1700000000.AAAAAAAAAAAAAAAA");
/// assert_eq!("1700000000.AAAAAAAAAAAAAAAA".parse(), Ok(position));
/// assert!("1700000000".parse::<Position>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The time at which the session at this position got its ID.
    pub renewed: Timestamp,
    /// The public ID, which orders sessions of the same second.
    pub public_id: PublicId,
}

impl FromStr for Position {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let expected = ParseError("a position is a number and a public id, separated by a period");
        let (renewed, public_id) = text.split_once('.').ok_or(expected)?;
        Ok(Self {
            renewed: Timestamp::from_unix(renewed.parse().map_err(|_| expected)?),
            public_id: public_id.parse()?,
        })
    }
}

impl fmt::Display for Position {
    /// Writes text such as `1795190400.9pWc0vT1m4yQe7Zb`, which needs no escaping in a URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.renewed.unix(), self.public_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_serializes_with_times_in_seconds_and_without_the_key_of_a_renewal() {
        let meta = SessionMeta {
            public_id: PublicId::from_bytes([0; 12]),
            user: Some("ada".to_owned()),
            device: None,
            created: Timestamp::from_unix(1),
            renewed: Timestamp::from_unix(2),
            last_seen: Timestamp::from_unix(3),
            expires: Timestamp::from_unix(4),
            authenticated: Some(Timestamp::from_unix(5)),
            renewal: Some(Renewal {
                from: *crate::id::StoreKey::of_id("1").as_bytes(),
                nonce: crate::id::Nonce::from_bytes([7; 16]),
                until: None,
            }),
            version: 6,
        };
        assert_eq!(
            serde_json::to_string(&meta).unwrap(),
            "{\"public_id\":\"AAAAAAAAAAAAAAAA\",\"user\":\"ada\",\"device\":null,\"created\":1,\"renewed\":2,\
             \"last_seen\":3,\"expires\":4,\"authenticated\":5,\"version\":6}"
        );
    }

    #[test]
    fn a_position_survives_a_url() {
        let place = Position {
            renewed: Timestamp::from_unix(1_795_190_400),
            public_id: PublicId::from_bytes([7; 12]),
        };
        assert_eq!(place.to_string().parse(), Ok(place));
        for text in [
            "",
            ".",
            "1",
            "x.AAAAAAAAAAAAAAAA",
            "1.AAAA",
            "1.AAAAAAAAAAAAAAAA.2",
        ] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_opaque_text_has_the_documented_characters_and_survives() {
        let time = Timestamp::from_unix(1);
        let mut meta = SessionMeta::new(PublicId::from_bytes([0; 12]), time, time);
        assert_eq!(meta.opaque(), None);
        meta.renewal = Some(Renewal {
            from: *crate::id::StoreKey::of_id("1").as_bytes(),
            nonce: crate::id::Nonce::from_bytes([255; 16]),
            until: Some(time),
        });
        let text = meta.opaque().expect("the renewal is in it");
        assert!((75..=SessionMeta::MAX_OPAQUE).contains(&text.len()));
        let is_documented = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        assert!(text.bytes().all(is_documented));
        let mut read = SessionMeta {
            renewal: None,
            ..meta.clone()
        };
        read.set_opaque(Some(&text))
            .expect("it was written like this");
        assert_eq!(read, meta);
        for other in [&text[1..], &format!("{text}A"), ""] {
            assert!(matches!(
                read.set_opaque(Some(other)),
                Err(StoreError::Corrupt(_))
            ));
        }
    }
}
