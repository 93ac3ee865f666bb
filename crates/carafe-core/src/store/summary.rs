//! A session without its dictionary: what lists of sessions are made of.

use super::{Handle, Record};
use crate::{clock::Timestamp, session::SessionData};

/// What a store keeps of a session beside the dictionary. Lists are made of these: a page of sessions then
/// moves no content, and a dictionary that cannot be read hides nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The public name.
    pub handle: Handle,
    /// The user it belongs to, after a log-in.
    pub user: Option<String>,
    /// What the application noted about the device, such as its user agent.
    pub device: Option<String>,
    /// When the session began.
    pub created: Timestamp,
    /// When it got its present id.
    pub renewed: Timestamp,
    /// When it was last used, as coarsely as the refresh threshold.
    pub last_seen: Timestamp,
    /// The first second in which it is no longer there.
    pub expires: Timestamp,
    /// When the user last proved who they are.
    pub authenticated: Option<Timestamp>,
    /// How often it was changed.
    pub version: u64,
}

impl Summary {
    /// Whether the session is over at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires
    }

    /// The record that this and its dictionary are.
    #[must_use]
    pub fn with_data(self, data: SessionData) -> Record {
        Record {
            data,
            user: self.user,
            handle: self.handle,
            device: self.device,
            created: self.created,
            renewed: self.renewed,
            last_seen: self.last_seen,
            expires: self.expires,
            authenticated: self.authenticated,
            version: self.version,
        }
    }

    /// Where it stands in a list that begins with the newest id.
    #[must_use]
    pub const fn position(&self) -> Position {
        Position {
            renewed: self.renewed,
            handle: self.handle,
        }
    }
}

impl Record {
    /// The record without its dictionary.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            handle: self.handle,
            user: self.user.clone(),
            device: self.device.clone(),
            created: self.created,
            renewed: self.renewed,
            last_seen: self.last_seen,
            expires: self.expires,
            authenticated: self.authenticated,
            version: self.version,
        }
    }
}

/// A place in the list of all sessions, the newest id first. It stays a place when its session ends, so
/// a page that begins behind it neither repeats nor skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// When the session there got its id.
    pub renewed: Timestamp,
    /// Its public name, for those of one second.
    pub handle: Handle,
}

impl Position {
    /// Reads what `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (renewed, handle) = text.split_once('.')?;
        Some(Self {
            renewed: Timestamp::from_unix(renewed.parse().ok()?),
            handle: Handle::parse(handle)?,
        })
    }
}

impl std::fmt::Display for Position {
    /// Characters that a URL takes as they are, such as `1795190400.9pWc0vT1m4yQe7Zb`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.renewed.unix(), self.handle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_a_url() {
        let place = Position {
            renewed: Timestamp::from_unix(1_795_190_400),
            handle: Handle::from_bytes([7; 12]),
        };
        assert_eq!(Position::parse(&place.to_string()), Some(place));
        for text in [
            "",
            ".",
            "1",
            "x.AAAAAAAAAAAAAAAA",
            "1.AAAA",
            "1.AAAAAAAAAAAAAAAA.2",
        ] {
            assert_eq!(Position::parse(text), None, "{text}");
        }
    }
}
