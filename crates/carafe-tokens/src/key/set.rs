//! The keys that a verifier trusts, as a JWK set.

use std::collections::HashMap;

use serde_json::Value;

use super::{JwkSetError, KeyError, VerifyingKey};
use crate::{
    json,
    limits::{JWK_SET_BYTES, JWK_SET_KEYS},
    refusal::Refusal,
};

/// The keys of one issuer.
///
/// ```
/// use carafe_tokens::key::{Algorithm, SigningKey, VerifyingKeys};
///
/// let key = SigningKey::generate(Algorithm::Es256)?;
/// let keys = VerifyingKeys::new([key.verifying_key().clone()]);
/// let read = VerifyingKeys::parse_jwk_set(keys.to_jwk_set().as_bytes())?;
/// assert_eq!(read.iter().next().map(|key| key.id()), Some(key.id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct VerifyingKeys {
    keys: Vec<VerifyingKey>,
    skipped: Vec<KeyError>,
}

impl VerifyingKeys {
    /// Creates the set of these keys. Keys that share a key ID are dropped: see
    /// [`VerifyingKeys::find`].
    pub fn new(keys: impl IntoIterator<Item = VerifyingKey>) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut uses: HashMap<String, usize> = HashMap::new();
        for key in &keys {
            *uses.entry(key.id().to_owned()).or_default() += 1;
        }
        let (keys, doubled): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .partition(|key| uses.get(key.id()) == Some(&1));
        Self {
            keys,
            skipped: doubled.iter().map(|_| KeyError::Id).collect(),
        }
    }

    /// Parses a JWK set (RFC 7517 §5).
    ///
    /// Keys of other types and for other purposes are skipped, as the RFC says, and so are keys
    /// that are malformed, private or share their `kid` with another key.
    ///
    /// # Errors
    /// [`JwkSetError`].
    pub fn parse_jwk_set(json: &[u8]) -> Result<Self, JwkSetError> {
        if json.len() > JWK_SET_BYTES {
            return Err(JwkSetError::TooLarge);
        }
        let set = json::object_of(json, usize::MAX).map_err(JwkSetError::Malformed)?;
        let Some(Value::Array(list)) = set.get("keys") else {
            return Err(JwkSetError::Malformed(Refusal::Json));
        };
        if list.len() > JWK_SET_KEYS {
            return Err(JwkSetError::TooManyKeys);
        }
        let (mut keys, mut skipped) = (Vec::new(), Vec::new());
        for item in list {
            let Value::Object(item) = item else {
                return Err(JwkSetError::Malformed(Refusal::Json));
            };
            match VerifyingKey::of_jwk(item) {
                Ok(key) => keys.push(key),
                Err(error) => skipped.push(error),
            }
        }
        let mut set = Self::new(keys);
        set.skipped.extend(skipped);
        Ok(set)
    }

    /// Returns the JWK set as JSON text. Keys of HS256 are secret and are omitted.
    #[must_use]
    pub fn to_jwk_set(&self) -> String {
        let keys: Vec<_> = self.keys.iter().filter_map(VerifyingKey::to_jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    /// Returns the key for a token with this `kid`.
    ///
    /// A token without `kid` is only accepted if the set has a single key. Key IDs are unique,
    /// because with a duplicate the verifying key would depend on an order.
    ///
    /// # Errors
    /// [`Refusal::KidMissing`] or [`Refusal::KidUnknown`].
    pub fn find(&self, kid: Option<&str>) -> Result<&VerifyingKey, Refusal> {
        match (kid, self.keys.as_slice()) {
            (Some(kid), keys) => {
                let key = keys.iter().find(|key| key.id() == kid);
                key.ok_or(Refusal::KidUnknown)
            }
            (None, [key]) => Ok(key),
            (None, _) => Err(Refusal::KidMissing),
        }
    }

    /// Returns the keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.keys.iter()
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether the set has no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the reasons why keys of a JWK set were skipped.
    #[must_use]
    pub fn skipped(&self) -> &[KeyError] {
        &self.skipped
    }
}

impl From<VerifyingKey> for VerifyingKeys {
    fn from(key: VerifyingKey) -> Self {
        Self::new([key])
    }
}
