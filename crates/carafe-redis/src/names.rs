//! Names of keys, and keys as text.

use base64_simd::AsOut as _;
use carafe_core::store::{PublicId, StoreKey};

/// Number of parts of the index of all sessions in a cluster, each in a slot of its own: no node
/// gets all writes, and a list asks few nodes.
const PARTS: usize = 16;
/// The characters of a public id, in the order in which Redis sorts them.
const DIGITS: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// Names of all keys of a store.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
    /// Number of parts of the index of all sessions.
    parts: usize,
}

/// Names of the sorted sets that list a session; `inventory` documents them.
pub(crate) struct Sets {
    pub(crate) by_renewal: String,
    pub(crate) by_creation: String,
    pub(crate) by_end: String,
}

/// Names of the sorted sets that list the sessions of a user; `users` documents them.
pub(crate) struct UserSets {
    pub(crate) by_end: String,
    pub(crate) by_renewal: String,
}

impl UserSets {
    pub(crate) fn all(self) -> [String; 2] {
        [self.by_end, self.by_renewal]
    }
}

impl Sets {
    pub(crate) fn all(self) -> [String; 3] {
        [self.by_renewal, self.by_creation, self.by_end]
    }
}

impl Names {
    pub(crate) fn new(prefix: &str, is_cluster: bool) -> Self {
        Self {
            prefix: prefix.to_owned(),
            parts: if is_cluster { PARTS } else { 1 },
        }
    }

    /// Returns the name of a session.
    pub(crate) fn session(&self, key: &StoreKey) -> String {
        let mut name = String::with_capacity(self.prefix.len() + 1 + 43);
        name.push_str(&self.prefix);
        name.push(':');
        append_text(&mut name, key.as_bytes());
        name
    }

    /// Returns the sorted sets of a user's sessions. In a cluster both are in one slot, whatever
    /// braces the user's name contains, because the slot is computed from the text between the
    /// first `{` and the next `}`.
    pub(crate) fn user(&self, user: &str) -> UserSets {
        let head = format!("{{{}:u:{user}}}", self.prefix);
        UserSets {
            by_end: format!("{head}:e"),
            by_renewal: format!("{head}:n"),
        }
    }

    /// Returns the single sorted set of a user's sessions in layout 2.
    pub(crate) fn old_user(&self, user: &str) -> String {
        format!("{}:u:{user}", self.prefix)
    }

    /// Returns the key of the sweep lease.
    pub(crate) fn sweep(&self) -> String {
        format!("{}:sweep", self.prefix)
    }

    /// Returns the parts of the index of all sessions. In a cluster everything of a part is in one
    /// slot.
    pub(crate) fn indices(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.parts).map(|part| self.index(part))
    }

    pub(crate) fn index(&self, part: usize) -> String {
        let prefix = &self.prefix;
        match self.parts {
            1 => format!("{prefix}:all"),
            _ => format!("{{{prefix}:all:{part}}}"),
        }
    }

    pub(crate) const fn parts(&self) -> usize {
        self.parts
    }

    /// Returns the sets that list the session with this public id.
    pub(crate) fn sets(&self, public_id: &str) -> Sets {
        let head = public_id.get(..2).unwrap_or(public_id);
        let index = self.index(self.part_of(head.bytes().next().unwrap_or_default()));
        Sets {
            by_creation: format!("{index}:c:{head}"),
            by_end: format!("{index}:u:{head}"),
            by_renewal: index,
        }
    }

    /// Returns all sets by creation (`c`) or by expiry (`u`), in rows of 64 sets that share a slot.
    pub(crate) fn rows(&self, kind: char) -> impl Iterator<Item = Vec<String>> + '_ {
        DIGITS.iter().map(move |&first| {
            let index = self.index(self.part_of(first));
            let first = char::from(first);
            let name = |&second: &u8| format!("{index}:{kind}:{first}{}", char::from(second));
            DIGITS.iter().map(name).collect()
        })
    }

    fn part_of(&self, first: u8) -> usize {
        let place = DIGITS.iter().position(|&digit| digit == first);
        place.unwrap_or_default() % self.parts
    }
}

/// Returns a key as 43 characters.
pub(crate) fn text_of_key(key: &StoreKey) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(key.as_bytes())
}

/// Parses the result of [`text_of_key`].
pub(crate) fn key_of_text(text: &str) -> Option<StoreKey> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    Some(StoreKey::from_bytes(bytes.try_into().ok()?))
}

/// Returns the member of a session in an index.
pub(crate) fn member(public_id: PublicId, key: &StoreKey) -> String {
    format!("{public_id}:{}", text_of_key(key))
}

/// Parses the result of [`member`].
pub(crate) fn member_of(text: &str) -> Option<(PublicId, StoreKey)> {
    let (public_id, key) = text.split_once(':')?;
    Some((public_id.parse().ok()?, key_of_text(key)?))
}

/// Appends the start of the key, which is stored in the record, so that a reply to another request
/// is detected and not shown to the wrong user.
pub(crate) fn append_tag(text: &mut String, key: &StoreKey) {
    // Twelve characters.
    append_text(text, &key.as_bytes()[..9]);
}

/// Returns whether `word` is the output of [`append_tag`] for `key`.
pub(crate) fn is_tag(word: &str, key: &StoreKey) -> bool {
    let mut tag = [0_u8; 12];
    let written =
        base64_simd::URL_SAFE_NO_PAD.encode_as_str(&key.as_bytes()[..9], tag[..].as_out());
    word == &*written
}

/// Appends bytes in base64url.
pub(crate) fn append_text(text: &mut String, bytes: &[u8]) {
    base64_simd::URL_SAFE_NO_PAD.encode_append(bytes, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_cover_all_sets_and_each_row_is_in_one_slot() {
        assert!(DIGITS.is_sorted());
        for is_cluster in [false, true] {
            let names = Names::new("carafe", is_cluster);
            let rows: Vec<_> = names.rows('c').collect();
            for row in &rows {
                let (index, _) = row[0].split_once(":c:").expect("a name");
                assert!(row.iter().all(|name| name.starts_with(index)));
            }
            for _ in 0..1000 {
                let public_id = PublicId::random().expect("the system has randomness");
                let set = names.sets(&public_id.to_string()).by_creation;
                assert_eq!(
                    rows.iter().flatten().filter(|&name| *name == set).count(),
                    1
                );
            }
        }
    }
}
