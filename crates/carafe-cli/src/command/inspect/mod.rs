//! `carafe inspect`: verifies a session cookie or a token and shows its contents.
//!
//! Next: `report.rs` for programs, `readable.rs` for people, `token.rs` for JWTs and refresh
//! tokens.

mod readable;
mod report;
mod token;

use std::{path::PathBuf, process::ExitCode, str::FromStr, time::Duration};

use carafe_core::clock::Timestamp;

use super::input::argument_or_stdin;
use crate::{
    failure::Failure,
    format::{FormatArgs, TokenFormat},
    inspection::{Inspection, Verdict, without_name},
    keys::KeyArgs,
    output,
};

/// Verify a session cookie, a JWT or a refresh token, and show its contents
///
/// Exits with 0 only if a key verifies the cookie or token and it has not expired; with 1 if it is
/// rejected or no key was given; with 2 if the arguments are wrong. Tokens are recognized by their
/// form: a JWT is verified with --jwks, a refresh token with the secret key.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe inspect -- eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2DNTuj49QHzdjA0vn-zNw
  SECRET_KEY=… carafe inspect --max-age any -- session=eyJ1c2VyX2lkIjo0Mn0.ZVPxAA.mY6Rtt2…
  carafe inspect --format starlette --json - < cookie.txt
  carafe inspect --format encrypted --application shop --cookie-name s -- AdHriJKdnBZj…
  carafe inspect --jwks jwks.json --audience https://api.example -- eyJhbGciOiJFUzI1NiIsImtpZCI6…

Verdicts: ok, bad-signature, expired, from-future, malformed, bad-payload, unverified. Of a JWT: ok,
unverified, or the code of its refusal, such as signature, expired, aud, alg-none.")]
pub(crate) struct InspectArgs {
    /// The maximum age of the cookie, in seconds, or `any` [default: 31 days for Flask and Quart,
    /// 14 days for Starlette; an encrypted cookie contains its own]
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<MaxAge>,

    /// Verify the cookie as of this time, in seconds since 1970
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,

    /// A file with the JWK set, JWK or PEM text of the key that verifies a JWT
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,

    /// The issuer that a JWT must have [default: any]
    #[arg(long, value_name = "ISS")]
    issuer: Option<String>,

    /// The audience that a JWT must have [default: any]
    #[arg(long, value_name = "AUD")]
    audience: Option<String>,

    /// The cookie's value, `session=value`, a JWT or a refresh token; - reads it from standard
    /// input
    #[arg(value_name = "COOKIE")]
    cookie: String,

    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// A number of seconds, or no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MaxAge {
    Seconds(u64),
    Any,
}

/// The inspected cookie, for both reports.
struct Subject<'s> {
    cookie: &'s str,
    format: &'s TokenFormat,
    max_age: Option<Duration>,
    inspection: &'s Inspection,
}

impl InspectArgs {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let format = self.format.resolve()?;
        let keys = self.keys.ring()?;
        let given = argument_or_stdin(&self.cookie)?;
        let now = self.now.map_or_else(Timestamp::now, Timestamp::from_unix);
        if let Some(code) = self.token(&given, keys.as_ref(), now)? {
            return Ok(code);
        }
        if let (Some(_), TokenFormat::Encrypted { context: None }) = (&keys, &format) {
            return Err(Failure::usage(
                "--format encrypted requires --application and --cookie-name",
            ));
        }
        let cookie = without_name(&given, self.format.cookie_name.as_deref());
        let max_age = self.max_age(&format);
        let inspection = Inspection::of(&format, keys.as_ref(), cookie, max_age, now);
        let subject = Subject {
            cookie,
            format: &format,
            max_age,
            inspection: &inspection,
        };
        let text = if self.json {
            subject.report()?
        } else {
            subject.readable()
        };
        output::line(&text)?;
        Ok(ExitCode::from(u8::from(inspection.verdict != Verdict::Ok)))
    }

    fn max_age(&self, format: &TokenFormat) -> Option<Duration> {
        match self.max_age {
            None => format.default_max_age(),
            Some(MaxAge::Seconds(seconds)) => Some(Duration::from_secs(seconds)),
            Some(MaxAge::Any) => None,
        }
    }
}

impl FromStr for MaxAge {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            _ => text
                .parse()
                .map(Self::Seconds)
                .map_err(|_| "give seconds, or `any`"),
        }
    }
}
