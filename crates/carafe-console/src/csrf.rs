//! The tokens of forms: an HMAC over the operator's log-in (OWASP CSRF Prevention Cheat Sheet,
//! "HMAC-based token pattern"). Nothing is stored, so several processes with one key accept each
//! other's forms.

use carafe_core::{
    key::{Digest, KeyDerivation, KeyRing, SecretKey},
    token::signed::{Signer, SignerSettings},
};
use subtle::ConstantTimeEq as _;

use crate::Operator;

/// The name of the field.
pub(crate) const FIELD: &str = "csrf";

/// Creates and verifies tokens.
pub(crate) struct FormTokens {
    /// `None` if there is neither a key nor randomness for one. Then every form is rejected.
    signer: Option<Signer>,
}

impl FormTokens {
    /// Returns tokens under `key`, or under a random one.
    pub(crate) fn new(key: Option<&SecretKey>) -> Self {
        let key = key.cloned().or_else(random);
        let settings = SignerSettings {
            key_derivation: KeyDerivation::Hmac,
            digest: Digest::Sha256,
            ..SignerSettings::with_salt("carafe-console-form")
        };
        Self {
            signer: key.map(|key| Signer::new(&KeyRing::new(key), settings)),
        }
    }

    /// Returns the token of an operator's forms.
    pub(crate) fn token(&self, operator: &Operator) -> String {
        let signed = self
            .signer
            .as_ref()
            .map(|signer| signer.sign(&operator.binding()));
        let signature = signed
            .as_deref()
            .and_then(|signed| signed.rsplit('.').next());
        signature.unwrap_or_default().to_owned()
    }

    /// Returns whether `sent` is the token of the operator's forms. Runs in constant time for texts
    /// of the right length.
    pub(crate) fn accepts(&self, operator: &Operator, sent: &str) -> bool {
        let token = self.token(operator);
        !token.is_empty() && bool::from(token.as_bytes().ct_eq(sent.as_bytes()))
    }
}

fn random() -> Option<SecretKey> {
    let text = SecretKey::random_text().ok()?;
    SecretKey::new(text.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_log_in_and_one_key() {
        let (tokens, others) = (FormTokens::new(None), FormTokens::new(None));
        let ada = Operator::new("ada").with_session("1");
        let token = tokens.token(&ada);
        assert!(token.len() > 40, "{token}");
        assert!(tokens.accepts(&ada, &token));
        assert!(!others.accepts(&ada, &token));
        for sent in ["", "x", &token[1..]] {
            assert!(!tokens.accepts(&ada, sent), "{sent:?}");
        }
        assert!(!tokens.accepts(&Operator::new("ada").with_session("2"), &token));
        assert!(!tokens.accepts(&Operator::new("bob").with_session("1"), &token));
    }

    #[test]
    fn processes_with_one_key_accept_each_others_forms() {
        let key = random().unwrap();
        let (one, other) = (FormTokens::new(Some(&key)), FormTokens::new(Some(&key)));
        let ada = Operator::new("ada");
        assert!(other.accepts(&ada, &one.token(&ada)));
    }

    #[test]
    fn without_a_key_no_form_is_accepted() {
        let tokens = FormTokens { signer: None };
        let ada = Operator::new("ada");
        assert!(!tokens.accepts(&ada, "") && !tokens.accepts(&ada, &tokens.token(&ada)));
    }
}
