//! The token of the console.

use carafe_core::key::{KeyError, SecretKey};
use subtle::ConstantTimeEq;

/// A secret text: 64 hexadecimal digits from 32 random bytes.
/// No `Debug`.
pub(super) struct Token(String);

impl Token {
    /// Returns a random token.
    pub(super) fn random() -> Result<Self, KeyError> {
        Ok(Self(SecretKey::random_text()?.to_string()))
    }

    /// Returns the text of the token.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether `text` is the token. Runs in constant time for texts of the right length.
    pub(super) fn is(&self, text: &str) -> bool {
        self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }
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
