//! The names of keys, and keys as text.

use base64_simd::AsOut as _;
use carafe_core::store::{Handle, StoreKey};

/// How many parts the index of all sessions has in a cluster, each in a slot of its own: no node takes the
/// writes of all, and a list still asks few.
const PARTS: usize = 16;
/// What begins a handle, in the order in which Redis sorts.
const DIGITS: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

/// The names of everything this store keeps.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
    /// How many parts the index of all sessions has.
    parts: usize,
}

/// The names of the sorted sets that list a session; `inventory` says what for.
pub(crate) struct Sets {
    pub(crate) by_renewal: String,
    pub(crate) by_start: String,
    pub(crate) by_end: String,
}

impl Sets {
    pub(crate) fn all(self) -> [String; 3] {
        [self.by_renewal, self.by_start, self.by_end]
    }
}

impl Names {
    pub(crate) fn new(prefix: &str, is_cluster: bool) -> Self {
        Self {
            prefix: prefix.to_owned(),
            parts: if is_cluster { PARTS } else { 1 },
        }
    }

    /// The text of a session.
    pub(crate) fn session(&self, key: &StoreKey) -> String {
        let mut name = String::with_capacity(self.prefix.len() + 1 + 43);
        name.push_str(&self.prefix);
        name.push(':');
        append_text(&mut name, key.as_bytes());
        name
    }

    /// The sorted set of a user's sessions.
    pub(crate) fn user(&self, user: &str) -> String {
        format!("{}:u:{user}", self.prefix)
    }

    /// Until when somebody has said to sweep.
    pub(crate) fn sweep(&self) -> String {
        format!("{}:sweep", self.prefix)
    }

    /// The index of all sessions, part by part. In a cluster all that belongs to a part is in one slot.
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

    /// The sets that list the session with this handle.
    pub(crate) fn sets(&self, handle: &str) -> Sets {
        let head = handle.get(..2).unwrap_or(handle);
        let index = self.index(self.part_of(head.bytes().next().unwrap_or_default()));
        Sets {
            by_start: format!("{index}:c:{head}"),
            by_end: format!("{index}:u:{head}"),
            by_renewal: index,
        }
    }

    /// The sets by start, or those by end, in rows: each is 64 sets of one slot, and together they are all.
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

/// A key as 43 characters.
pub(crate) fn text_of_key(key: &StoreKey) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(key.as_bytes())
}

/// Reads what [`text_of_key`] writes.
pub(crate) fn key_of_text(text: &str) -> Option<StoreKey> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    Some(StoreKey::from_bytes(bytes.try_into().ok()?))
}

/// A session in an index.
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
pub(crate) fn append_tag(text: &mut String, key: &StoreKey) {
    // Twelve characters.
    append_text(text, &key.as_bytes()[..9]);
}

/// Whether this is what [`append_tag`] writes.
pub(crate) fn is_tag(word: &str, key: &StoreKey) -> bool {
    let mut tag = [0_u8; 12];
    let written =
        base64_simd::URL_SAFE_NO_PAD.encode_as_str(&key.as_bytes()[..9], tag[..].as_out());
    word == &*written
}

/// Bytes as characters that stand for six bits each.
pub(crate) fn append_text(text: &mut String, bytes: &[u8]) {
    base64_simd::URL_SAFE_NO_PAD.encode_append(bytes, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_all_sets_and_each_is_in_one_slot() {
        assert!(DIGITS.is_sorted());
        for is_cluster in [false, true] {
            let names = Names::new("carafe", is_cluster);
            let rows: Vec<_> = names.rows('c').collect();
            for row in &rows {
                let (index, _) = row[0].split_once(":c:").expect("a name");
                assert!(row.iter().all(|name| name.starts_with(index)));
            }
            for _ in 0..1000 {
                let handle = Handle::random().expect("the system has randomness");
                let set = names.sets(&handle.to_string()).by_start;
                assert_eq!(
                    rows.iter().flatten().filter(|&name| *name == set).count(),
                    1
                );
            }
        }
    }
}
