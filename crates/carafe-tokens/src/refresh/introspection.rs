//! Token introspection (RFC 7662), for authorized clients.

use carafe_core::{clock::Timestamp, store::Record};
use serde_json::{Value, json};

use crate::jwt::VerifiedToken;

/// The response of an introspection endpoint.
///
/// The endpoint itself must authenticate its callers (RFC 7662 §2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introspection(Option<Active>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Active {
    expires: Option<Timestamp>,
    members: String,
}

impl Introspection {
    /// Returns the response for a token that is not active, for any reason.
    #[must_use]
    pub const fn inactive() -> Self {
        Self(None)
    }

    /// Returns whether the token is active.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// Returns when the token expires.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.0.as_ref()?.expires
    }

    /// Returns the body of the response, as JSON text.
    #[must_use]
    pub fn to_json(&self) -> String {
        match &self.0 {
            Some(active) => active.members.clone(),
            None => r#"{"active":false}"#.to_owned(),
        }
    }

    pub(crate) fn of_access_token(token: &VerifiedToken) -> Self {
        let mut members: Value = serde_json::from_str(&token.to_json()).unwrap_or_default();
        members["active"] = true.into();
        members["token_type"] = "Bearer".into();
        Self(Some(Active {
            expires: token.expires(),
            members: members.to_string(),
        }))
    }

    pub(super) fn of_refresh_token(record: &Record) -> Self {
        let members = json!({
            "active": true,
            "sub": record.meta.user,
            "sid": record.meta.public_id.to_string(),
            "iat": record.meta.created.unix(),
            "exp": record.meta.expires.unix(),
        });
        Self(Some(Active {
            expires: Some(record.meta.expires),
            members: members.to_string(),
        }))
    }
}
