//! The names of keys, and keys as text.

use carafe_core::store::{Handle, StoreKey};

/// The names of everything this store keeps.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
        }
    }

    /// The hash of a session.
    pub(crate) fn session(&self, key: &StoreKey) -> String {
        format!("{}:{}", self.prefix, text_of_key(key))
    }

    /// The sorted set of a user's sessions.
    pub(crate) fn user(&self, user: &str) -> String {
        format!("{}:u:{user}", self.prefix)
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

/// A session in the index of its user.
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
pub(crate) fn tag_of_key(key: &StoreKey) -> String {
    let mut tag = text_of_key(key);
    tag.truncate(12);
    tag
}
