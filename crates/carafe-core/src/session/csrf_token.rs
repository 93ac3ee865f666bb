//! Form tokens bound to a session, against CSRF in browsers without Fetch Metadata.

use subtle::ConstantTimeEq;

use super::{Session, SessionError, keys::CSRF};
use crate::{base64, id::random_bytes, store::StoreError};

const BYTES: usize = 32;

type Secret = [u8; BYTES];

impl Session {
    /// Returns a token for a hidden field of a form, to verify with
    /// [`Session::verify_csrf_token`].
    ///
    /// The first call stores a secret in the session, which a log-in replaces. Each call masks the
    /// secret anew, so that compressed pages do not reveal it (BREACH). Earlier tokens stay valid.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// let token = session.csrf_token()?;
    /// let field = format!(r#"<input type="hidden" name="csrf" value="{token}">"#);
    /// assert!(field.len() < 150);
    /// assert_ne!(session.csrf_token()?, token, "masked anew");
    /// assert!(session.verify_csrf_token(&token), "earlier tokens stay valid");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`], or [`SessionError::Store`] without a random source.
    pub fn csrf_token(&self) -> Result<String, SessionError> {
        let secret = match self.csrf_secret() {
            Some(secret) => secret,
            None => {
                let secret = random()?;
                self.insert(CSRF, &base64::encode_url(&secret))?;
                secret
            }
        };
        Ok(masked(&secret, random()?))
    }

    /// Returns whether a token belongs to this session, in constant time.
    ///
    /// Respond with a 403 if it does not.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// let token = request.session().csrf_token()?;
    /// client.finish(request, 200).await?;
    ///
    /// let session = client.session().await?;
    /// assert!(session.verify_csrf_token(&token));
    /// assert!(!session.verify_csrf_token("forged"));
    /// session.log_in("ada")?;
    /// assert!(!session.verify_csrf_token(&token), "a log-in replaces the secret");
    ///
    /// let other = TestClient::new(&manager).session().await?;
    /// assert!(!other.verify_csrf_token(&token), "another visitor's session");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn verify_csrf_token(&self, token: &str) -> bool {
        self.csrf_secret()
            .is_some_and(|secret| is_masked(&secret, token))
    }

    fn csrf_secret(&self) -> Option<Secret> {
        let text: String = self.get(CSRF).ok()??;
        base64::decode_url(text.as_bytes())?.try_into().ok()
    }
}

fn random() -> Result<Secret, SessionError> {
    random_bytes().map_err(|error| SessionError::Store(StoreError::unavailable(error)))
}

/// Returns the mask and the masked secret, in base64.
fn masked(secret: &Secret, mask: Secret) -> String {
    let hidden = std::array::from_fn::<u8, BYTES, _>(|n| secret[n] ^ mask[n]);
    base64::encode_url(&[mask, hidden].concat())
}

fn is_masked(secret: &Secret, token: &str) -> bool {
    let Some(bytes) = base64::decode_url(token.as_bytes()) else {
        return false;
    };
    let Ok(bytes) = <[u8; 2 * BYTES]>::try_from(bytes) else {
        return false;
    };
    let (mask, hidden) = bytes.split_at(BYTES);
    let shown: Vec<u8> = mask.iter().zip(hidden).map(|(a, b)| a ^ b).collect();
    secret.ct_eq(&shown).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_masked_secret_verifies_and_every_other_text_does_not(
            secret: Secret, mask: Secret, other: Secret, place in 0..86_usize, letter in "[A-Za-z0-9_-]", text in ".*",
        ) {
            let token = masked(&secret, mask);
            prop_assert_eq!(token.len(), 86);
            prop_assert!(is_masked(&secret, &token));
            prop_assert_eq!(is_masked(&other, &token), other == secret);
            let mut changed = token.clone();
            changed.replace_range(place..=place, &letter);
            prop_assert_eq!(is_masked(&secret, &changed), changed == token);
            prop_assert!(!is_masked(&secret, &text));
            let padded = format!("{token}=");
            prop_assert!(!is_masked(&secret, &padded));
        }
    }

    #[test]
    fn two_tokens_of_one_secret_share_no_text() {
        let secret = [7; BYTES];
        let (one, other) = (
            masked(&secret, random().unwrap()),
            masked(&secret, random().unwrap()),
        );
        assert_ne!(one.get(..43), other.get(..43));
        assert_ne!(one.get(43..), other.get(43..));
    }
}
