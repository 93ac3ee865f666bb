//! Sessions whose whole state lives in the cookie.

use std::time::Duration;

use super::{Duplicates, Loaded, Rejection, SessionData, slot::Found};
use crate::{
    clock::Timestamp,
    cookie::Candidates,
    json::Style,
    key::KeyRing,
    token::{
        Opened, PayloadError, SealError, TokenError,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions},
    },
};

/// Keeps sessions in their cookies: nothing to run, nothing to look up, and no more than 4 KB.
///
/// What it cannot do is end a session everywhere: whoever has a copy of a cookie has the session until
/// its lifetime is over.
///
/// ```
/// use carafe_core::{key::{KeyRing, SecretKey}, session::ClientSide};
///
/// let keys = KeyRing::new(SecretKey::new("4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e")?);
/// let shared_with_flask = ClientSide::signed(keys.clone());
/// let ours_alone = ClientSide::encrypted(keys, "shop");
/// # Ok::<(), carafe_core::key::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientSide {
    keys: KeyRing,
    format: Format,
}

#[derive(Clone, Debug)]
enum Format {
    Signed(SignedFormat),
    Encrypted { application: String },
}

impl ClientSide {
    /// Flask's format. Anybody who holds the cookie can read it; nobody can change it.
    #[must_use]
    pub fn signed(keys: impl Into<KeyRing>) -> Self {
        Self::signed_as(keys, SignedFormat::flask())
    }

    /// A signed format with other settings: Quart's, Starlette's, or those of a Flask application with
    /// a session interface of its own.
    #[must_use]
    pub fn signed_as(keys: impl Into<KeyRing>, format: SignedFormat) -> Self {
        Self {
            keys: keys.into(),
            format: Format::Signed(format),
        }
    }

    /// Carafe's encrypted format. Only services with the same key, `application` and cookie name can
    /// read it. The name of the application keeps two that share a key apart (CVE-2020-17526).
    #[must_use]
    pub fn encrypted(keys: impl Into<KeyRing>, application: impl Into<String>) -> Self {
        Self {
            keys: keys.into(),
            format: Format::Encrypted {
                application: application.into(),
            },
        }
    }

    /// Prepares keys for the cookie `name`.
    pub(super) fn prepare(self, name: &str, clock_skew: Duration) -> Codec {
        match self.format {
            Format::Signed(format) => {
                Codec::Signed(SignedSessions::new(&self.keys, &format).with_clock_skew(clock_skew))
            }
            Format::Encrypted { application } => {
                let sessions = EncryptedSessions::new(&self.keys, &application, name);
                Codec::Encrypted(sessions.with_clock_skew(clock_skew))
            }
        }
    }
}

/// What a good cookie holds.
type Good = (Loaded, SessionData);

/// A token format with its keys prepared.
pub(super) enum Codec {
    Signed(SignedSessions),
    Encrypted(EncryptedSessions),
}

impl Codec {
    /// The session behind a request's cookies.
    pub(super) fn load(
        &self,
        candidates: &Candidates<'_>,
        duplicates: Duplicates,
        lifetime: Duration,
        now: Timestamp,
    ) -> Found {
        match self.choose(candidates, duplicates, lifetime, now) {
            None => Found::nothing(Loaded::Absent, now),
            Some(Ok((loaded, data))) => Found::new(loaded, data, now),
            Some(Err(rejection)) => Found::nothing(Loaded::Rejected(rejection), now),
        }
    }

    fn choose(
        &self,
        candidates: &Candidates<'_>,
        duplicates: Duplicates,
        lifetime: Duration,
        now: Timestamp,
    ) -> Option<Result<Good, Rejection>> {
        let mut chosen: Option<(&[u8], Result<Good, Rejection>)> = None;
        for value in duplicates
            .looks_at(candidates)
            .filter(|value| !value.is_empty())
        {
            let result = self.read(value, lifetime, now).map_err(Rejection::Token);
            match (&chosen, &result) {
                (Some((known, Ok(_))), Ok(_)) if *known != value => {
                    return Some(Err(Rejection::Ambiguous));
                }
                (Some((_, Ok(_))), _) | (Some(_), Err(_)) => {}
                _ => chosen = Some((value, result)),
            }
        }
        chosen.map(|(_, result)| result)
    }

    fn read(&self, value: &[u8], lifetime: Duration, now: Timestamp) -> Result<Good, TokenError> {
        let opened = self.open(value, lifetime, now)?;
        let data = SessionData::parse(opened.payload, self.style()).map_err(PayloadError::Json)?;
        Ok((
            Loaded::Valid {
                key: opened.key,
                issued: opened.issued,
            },
            data,
        ))
    }

    pub(super) const fn style(&self) -> Style {
        match self {
            Self::Signed(sessions) => sessions.style(),
            Self::Encrypted(_) => Style::FLASK,
        }
    }

    pub(super) fn open(
        &self,
        cookie: &[u8],
        max_age: Duration,
        now: Timestamp,
    ) -> Result<Opened, TokenError> {
        match self {
            Self::Signed(sessions) => sessions.open(cookie, Some(max_age), now),
            Self::Encrypted(sessions) => sessions.open(cookie, Some(max_age), now),
        }
    }

    pub(super) fn seal(
        &self,
        payload: &str,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Result<String, SealError> {
        match self {
            Self::Signed(sessions) => Ok(sessions.seal(payload, issued)),
            Self::Encrypted(sessions) => sessions.seal(payload, issued, expires),
        }
    }
}
