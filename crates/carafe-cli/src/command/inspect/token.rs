//! JWTs and refresh tokens, recognized by their form.
//!
//! Text from a token passes [`printable`], so that it cannot contain terminal escape sequences.

use std::{fmt::Write as _, process::ExitCode};

use carafe_core::{clock::Timestamp, error::ErrorChain, key::KeyRing, store::PublicId};
use carafe_tokens::{
    RefreshTokens, Refusal, Verifier, VerifyingKeys,
    jwt::{TokenType, Unverified},
    key::JwkSetError,
    limits::REFRESH_TOKEN_BYTES,
};
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use super::InspectArgs;
use crate::{
    command::key::token::{public_key, read},
    failure::Failure,
    human::{printable, span, utc},
    output,
};

const MUTED: Style = Style::new().dimmed();

/// The JSON output about a JWT. Fields are only added.
#[derive(Serialize)]
struct JwtReport<'r> {
    verdict: &'static str,
    reason: String,
    header: &'r str,
    payload: &'r str,
    key: Option<String>,
    expires: Option<i64>,
    format: &'static str,
}

/// The JSON output about a refresh token. Fields are only added.
#[derive(Serialize)]
struct RefreshReport {
    verdict: &'static str,
    reason: &'static str,
    session: String,
    generation: u64,
    format: &'static str,
}

impl InspectArgs {
    /// Inspects a token. Returns `None` if the text has another form and so is a cookie.
    pub(super) fn token(
        &self,
        text: &str,
        keys: Option<&KeyRing>,
        now: Timestamp,
    ) -> Result<Option<ExitCode>, Failure> {
        if let Some((session, generation)) = refresh_parts(text) {
            return self
                .refresh_token(text, (session, generation), keys, now)
                .map(Some);
        }
        if let Some((header, claims)) = jwt_parts(text) {
            return self.jwt(text, (&header, &claims), now).map(Some);
        }
        match self.jwks {
            Some(_) => Err(Failure::usage(
                "--jwks verifies a JWT, and the text is not a JWT",
            )),
            None => Ok(None),
        }
    }

    fn jwt(
        &self,
        text: &str,
        (header, claims): (&str, &str),
        now: Timestamp,
    ) -> Result<ExitCode, Failure> {
        let keys = self.jwks.as_ref().map(trusted).transpose()?;
        let verified = keys.map(|keys| self.verifier(header).verify(text, &keys, now));
        let (verdict, reason) = match &verified {
            None => ("unverified", "no key was given (--jwks)".to_owned()),
            Some(Ok(_)) => ("ok", "verified".to_owned()),
            Some(Err(refusal)) => (refusal.code(), refusal.to_string()),
        };
        let verified = verified.and_then(Result::ok);
        let report = JwtReport {
            verdict,
            reason,
            header,
            payload: claims,
            key: verified.as_ref().map(|token| token.key_id().to_owned()),
            expires: verified
                .as_ref()
                .and_then(|token| Some(token.expires()?.unix())),
            format: "jwt",
        };
        match self.json {
            true => output::json(&report)?,
            false => output::line(&report.readable(now))?,
        }
        Ok(ExitCode::from(u8::from(verdict != "ok")))
    }

    /// Returns a verifier of the issuer and the audience in the options, or of any.
    fn verifier(&self, header: &str) -> Verifier {
        let typ = match member(header, "typ") {
            Some(typ) => TokenType::Exactly(typ.into()),
            None => TokenType::JwtOrNone,
        };
        let mut verifier = Verifier::dangerous_of_any_party(typ);
        if let Some(issuer) = &self.issuer {
            verifier = verifier.with_issuer(issuer);
        }
        if let Some(audience) = &self.audience {
            verifier = verifier.with_audience(audience);
        }
        verifier
    }

    fn refresh_token(
        &self,
        text: &str,
        (session, generation): (PublicId, u64),
        keys: Option<&KeyRing>,
        now: Timestamp,
    ) -> Result<ExitCode, Failure> {
        let verified = keys.map(|keys| RefreshTokens::new(keys).verify(text, now).is_ok());
        let (verdict, reason) = match verified {
            None => ("unverified", "no key was given (SECRET_KEY)"),
            Some(true) => (
                "ok",
                "verified; only the store knows whether its session is still valid",
            ),
            Some(false) => ("forged", "no key verifies the token"),
        };
        let report = RefreshReport {
            verdict,
            reason,
            session: session.to_string(),
            generation,
            format: "refresh-token",
        };
        match self.json {
            true => output::json(&report)?,
            false => output::line(&report.readable())?,
        }
        Ok(ExitCode::from(u8::from(verdict != "ok")))
    }
}

impl JwtReport<'_> {
    fn readable(&self, now: Timestamp) -> String {
        let mut out = headline(self.verdict, &self.reason);
        let expires = self.expires.map(Timestamp::from_unix).map(|expires| {
            let left = u64::try_from(expires.seconds_since(now)).unwrap_or_default();
            format!("{}, in {}", utc(expires), span(left))
        });
        let rows = [
            ("header", Some(printable(self.header).into_owned())),
            ("claims", Some(printable(self.payload).into_owned())),
            ("expires", expires),
            (
                "key",
                self.key.as_deref().map(|key| printable(key).into_owned()),
            ),
            ("format", Some(self.format.to_owned())),
        ];
        for (name, text) in rows {
            if let Some(text) = text {
                row(&mut out, name, &text);
            }
        }
        out
    }
}

impl RefreshReport {
    fn readable(&self) -> String {
        let mut out = headline(self.verdict, self.reason);
        row(&mut out, "session", &self.session);
        row(&mut out, "generation", &self.generation.to_string());
        row(&mut out, "format", self.format);
        out
    }
}

fn headline(verdict: &str, reason: &str) -> String {
    let color = match verdict {
        "ok" => AnsiColor::Green,
        "unverified" | "expired" | "not-yet-valid" => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    let style = color.on_default().bold();
    let word = match verdict {
        "unverified" => "UNVERIFIED",
        verdict => verdict,
    };
    format!("{style}{word}{style:#}: {reason}")
}

fn row(out: &mut String, name: &str, text: &str) {
    // Writing to a string cannot fail.
    let _ = write!(out, "\n  {MUTED}{name:<10}{MUTED:#} {text}");
}

/// Returns the public id and the generation of a text in the form of a refresh token.
fn refresh_parts(text: &str) -> Option<(PublicId, u64)> {
    let mut parts = text.split('.');
    let (session, generation, mac) = (parts.next()?, parts.next()?, parts.next()?);
    let has_form = parts.next().is_none() && mac.len() == 43 && text.len() <= REFRESH_TOKEN_BYTES;
    let session = session.parse().ok().filter(|_| has_form)?;
    Some((session, generation.parse().ok()?))
}

/// Returns header and claims of a text in the form of a JWT, as JSON texts.
///
/// The second part of a session cookie is a time and no JSON object.
fn jwt_parts(text: &str) -> Option<(String, String)> {
    let (header, claims) = Unverified::parse(text).ok()?.dangerous_contents().ok()?;
    member(&header, "alg").map(|_| (header, claims))
}

/// Returns a text member of a JSON object.
fn member(object: &str, name: &str) -> Option<String> {
    use carafe_core::json::Value;
    let Ok(Value::Dict(members)) = Value::parse(object, false) else {
        return None;
    };
    let found = members
        .iter()
        .find(|(key, _)| key.as_str().as_deref() == Some(name));
    Some(found?.1.as_str()?.into_owned())
}

/// Reads the keys in a file: a JWK set, a JWK or a PEM text.
fn trusted(file: &std::path::PathBuf) -> Result<VerifyingKeys, Failure> {
    let text = read(file)?;
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        Failure::usage(format_args!(
            "{}: {}",
            file.display(),
            ErrorChain::of(error)
        ))
    };
    match VerifyingKeys::parse_jwk_set(text.as_bytes()) {
        Ok(keys) => Ok(keys),
        // No list `keys`: one key.
        Err(JwkSetError::Malformed(Refusal::Json)) => match public_key(&text) {
            Ok(key) => Ok(VerifyingKeys::from(key)),
            Err(error) => Err(wrong(&error)),
        },
        Err(error) => Err(wrong(&error)),
    }
}
