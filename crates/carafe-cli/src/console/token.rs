//! The token that lets an operator in.

use carafe_core::key::{KeyError, SecretKey};
use subtle::ConstantTimeEq;

/// A secret that one side has printed and the other sends back: 64 hexadecimal digits from 32 random bytes.
/// No `Debug`.
pub(super) struct Token(String);

impl Token {
    /// A new one.
    pub(super) fn random() -> Result<Self, KeyError> {
        Ok(Self(SecretKey::random_text()?.to_string()))
    }

    /// For the one place that says it.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `text` is it. Takes as long for every text of the right length, so that the time says nothing.
    pub(super) fn is(&self, text: &str) -> bool {
        same(&self.0, text)
    }
}

/// Whether two secrets are the same, in constant time.
pub(super) fn same(ours: &str, theirs: &str) -> bool {
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_and_nothing_else() {
        let token = Token::random().unwrap();
        assert_eq!(token.as_str().len(), 64);
        assert!(token.is(token.as_str()));
        assert!(!token.is(Token::random().unwrap().as_str()));
        assert!(!token.is(&token.as_str()[1..]) && !token.is(""));
    }
}
