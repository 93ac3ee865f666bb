//! Inspects a cookie with the keys that may authenticate it.
//!
//! A cookie that is authentic but expired is opened a second time as of the second of its creation,
//! so that its content can be shown.

use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    json::JsonDialect,
    key::KeyRing,
    session::SessionData,
    token::{
        Opened, TokenError,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions, SignerSettings, TimestampSigner},
    },
};

use super::finding::{Inspection, Verdict};
use crate::format::TokenFormat;

/// A cookie to inspect, with the current time.
#[derive(Clone, Copy)]
struct Question<'c> {
    cookie: &'c str,
    max_age: Option<Duration>,
    now: Timestamp,
}

pub(super) fn inspect(
    format: &TokenFormat,
    keys: &KeyRing,
    cookie: &str,
    max_age: Option<Duration>,
    now: Timestamp,
) -> Inspection {
    let question = Question {
        cookie,
        max_age,
        now,
    };
    match format {
        TokenFormat::Signed { format, signer, .. } => question.signed(keys, format, signer),
        TokenFormat::Encrypted {
            context: Some(context),
        } => {
            let sessions = EncryptedSessions::new(keys, &context.application, &context.cookie_name);
            question.encrypted(&sessions)
        }
        // The command line requires both names before it gets here.
        TokenFormat::Encrypted { context: None } => question.refused(&TokenError::BadSignature),
    }
}

impl Question<'_> {
    fn signed(self, keys: &KeyRing, format: &SignedFormat, signer: &SignerSettings) -> Inspection {
        let envelope =
            TimestampSigner::new(keys, signer.clone()).unsign(self.cookie, None, self.now);
        let envelope = match envelope {
            Ok(envelope) => envelope,
            Err(error) => return self.refused(&error),
        };
        let sessions = SignedSessions::new(keys, format);
        let open = |max_age| sessions.open(self.cookie.as_bytes(), max_age, self.now);
        let inspection = match open(self.max_age) {
            Ok(opened) => self.opened(opened, format.style()),
            Err(error) => self.late(&error, open(None).ok()),
        };
        // The envelope is authentic even if the content is unreadable.
        let inspection = inspection.issued(envelope.issued, self.now);
        Inspection {
            key: Some(envelope.key),
            ..inspection
        }
    }

    fn encrypted(self, sessions: &EncryptedSessions) -> Inspection {
        let open = |now| sessions.open(self.cookie.as_bytes(), self.max_age, now);
        match open(self.now) {
            Ok(opened) => self.opened(opened, JsonDialect::FLASK),
            Err(TokenError::BadSignature) => {
                let reason = "changed, or created with another key, application or cookie name";
                Inspection::bare(Verdict::BadSignature, Some(reason.to_owned()))
            }
            Err(error) => self.late(
                &error,
                self.issued_of(&error).and_then(|issued| open(issued).ok()),
            ),
        }
    }

    /// Returns the creation time of a cookie, computed from its age.
    fn issued_of(self, error: &TokenError) -> Option<Timestamp> {
        match error {
            TokenError::Expired { age, .. } => Some(self.now.saturating_add(age.saturating_neg())),
            TokenError::FromFuture { ahead } => Some(self.now.saturating_add(*ahead)),
            _ => None,
        }
    }

    fn opened(self, opened: Opened, style: JsonDialect) -> Inspection {
        let good = Inspection::bare(Verdict::Ok, None);
        let inspection = match SessionData::parse(opened.payload.clone(), style) {
            Ok(_) => good,
            Err(error) => self.refused(&TokenError::Payload(error_of_json(error))),
        };
        self.with_content(inspection, opened)
    }

    /// Returns a rejection, with the content if it is authentic.
    fn late(self, error: &TokenError, opened: Option<Opened>) -> Inspection {
        let refused = self.refused(error);
        match opened {
            Some(opened) => self.with_content(refused, opened),
            None => refused,
        }
    }

    fn with_content(self, inspection: Inspection, opened: Opened) -> Inspection {
        let Opened {
            payload,
            issued,
            key,
            compressed,
        } = opened;
        Inspection {
            payload: Some(payload),
            compressed: Some(compressed),
            key: Some(key),
            ..inspection.issued(issued, self.now)
        }
    }

    fn refused(self, error: &TokenError) -> Inspection {
        let verdict = match error {
            TokenError::BadSignature => Verdict::BadSignature,
            TokenError::Expired { .. } => Verdict::Expired,
            TokenError::FromFuture { .. } => Verdict::FromFuture,
            TokenError::Payload(_) => Verdict::BadPayload,
            // Malformed, and errors of later versions that have no verdict yet.
            _ => Verdict::Malformed,
        };
        Inspection::bare(verdict, Some(ErrorChain::of(error).to_string()))
    }
}

fn error_of_json(error: carafe_core::json::ScanError) -> carafe_core::token::PayloadError {
    carafe_core::token::PayloadError::Json(error)
}
