//! The demo's secret keys and their rotation.
//!
//! Never shows a key: the page names keys by the IDs in encrypted cookies.

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    token::encrypted::EncryptedSessions,
};

use super::{
    cookie_parts,
    mode_id::{APPLICATION, ENCRYPTED},
};
use carafe_program::failure::Failure;

/// Maximum number of keys. An invalid signed cookie is checked against each of them.
const MOST: usize = 8;

/// The keys, the current one first. Never empty.
#[derive(Clone)]
pub(super) struct KeyList(Vec<Listed>);

/// A key of the list.
#[derive(Clone)]
pub(super) struct Listed {
    pub(super) id: [u8; 4],
    /// The last second in which a fallback key is accepted. `None` if it does not expire.
    pub(super) until: Option<Timestamp>,
    secret: SecretKey,
}

impl KeyList {
    /// Creates the list from the keys of an application, or with a random key.
    pub(super) fn new(secrets: Option<Vec<SecretKey>>) -> Result<Self, Failure> {
        let secrets = match secrets {
            Some(secrets) => secrets,
            None => vec![random()?],
        };
        let listed = secrets.into_iter().map(Listed::new);
        let list = Self(listed.collect::<Result<_, _>>()?);
        // Fails early if the keys are invalid, such as a duplicate.
        list.ring().map(|_| list)
    }

    /// Returns the list with a new current key. The old key is accepted for another `lifetime`,
    /// after which no cookie of it is valid.
    pub(super) fn rotated(&self, lifetime: Duration, now: Timestamp) -> Result<Self, Failure> {
        let seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let mut list = vec![Listed::new(random()?)?];
        list.extend(self.0.iter().take(MOST - 1).cloned());
        list[1].until = Some(now.saturating_add(seconds));
        Ok(Self(list))
    }

    /// Returns the key ring of the list.
    pub(super) fn ring(&self) -> Result<KeyRing, Failure> {
        let secret = |listed: &Listed| listed.secret.clone();
        let ring = KeyRing::new(secret(&self.0[0]));
        let with = |ring: KeyRing, listed: &Listed| match listed.until {
            Some(until) => ring.with_fallback_until(secret(listed), until),
            None => ring.with_fallback(secret(listed)),
        };
        let ring = self.0[1..].iter().try_fold(ring, with);
        ring.map_err(Failure::usage)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.0.iter()
    }
}

impl Listed {
    fn new(secret: SecretKey) -> Result<Self, Failure> {
        Ok(Self {
            id: id_of(&secret)?,
            until: None,
            secret,
        })
    }
}

impl std::fmt::Display for Listed {
    /// Formats the ID as eight hexadecimal digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.id))
    }
}

fn random() -> Result<SecretKey, Failure> {
    let text = SecretKey::random_text().map_err(Failure::trouble)?;
    SecretKey::new(text.as_bytes()).map_err(Failure::trouble)
}

/// Reads the key ID from a new cookie, because there is no other API for it.
fn id_of(secret: &SecretKey) -> Result<[u8; 4], Failure> {
    let ring = KeyRing::new(secret.clone());
    let sessions = EncryptedSessions::new(&ring, APPLICATION, ENCRYPTED);
    let (start, end) = (Timestamp::from_unix(0), Timestamp::from_unix(0));
    let cookie = sessions.seal("{}", start, end).map_err(Failure::trouble)?;
    cookie_parts::key_id(&cookie)
        .ok_or_else(|| Failure::trouble("an encrypted cookie without a key id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn ids(list: &KeyList) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_current_key_becomes_the_first_fallback_until_its_cookies_are_over() {
        let first = KeyList::new(None).unwrap();
        let second = first.rotated(DAY, NOW).unwrap();
        let third = second.rotated(DAY, NOW.saturating_add(1)).unwrap();
        assert_eq!(ids(&third)[1..], ids(&second)[..]);
        assert_ne!(ids(&third)[0], ids(&second)[0]);
        let ends: Vec<_> = third
            .iter()
            .map(|key| key.until.map(Timestamp::unix))
            .collect();
        assert_eq!(ends, [None, Some(1_700_086_401), Some(1_700_086_400)]);
    }

    #[test]
    fn the_oldest_key_goes_where_there_would_be_too_many() {
        let mut list = KeyList::new(None).unwrap();
        let first = ids(&list).remove(0);
        for _ in 1..MOST {
            list = list.rotated(DAY, NOW).unwrap();
        }
        assert_eq!((ids(&list).len(), ids(&list).last()), (MOST, Some(&first)));
        let list = list.rotated(DAY, NOW).unwrap();
        assert!(ids(&list).len() == MOST && !ids(&list).contains(&first));
    }
}
