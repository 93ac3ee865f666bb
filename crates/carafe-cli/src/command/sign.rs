//! `carafe sign`: a session cookie from JSON.

use std::process::ExitCode;

use carafe_core::{
    clock::Timestamp,
    cookie::MAX_COOKIE_BYTES,
    json::{self, JsonDialect, Value},
    key::KeyRing,
    token::{Compression, encrypted::EncryptedSessions, signed::SignedSessions},
};
use clap::ValueEnum;

use super::input::argument_or_stdin;
use crate::{
    failure::Failure,
    format::{FormatArgs, FormatName, TokenFormat},
    keys::KeyArgs,
    output,
};

/// Print the cookie value of a session
///
/// The JSON is parsed as Python does and serialized as the format does: sorted keys, no blanks,
/// ASCII escapes. Flask's tags (such as {" t":…} for a tuple) are read as tags.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  SECRET_KEY=flask-spec-secret carafe sign --now 1700000000 -- '{\"user_id\":42}'
  carafe sign --format starlette - < session.json
  carafe sign --format encrypted --application shop --cookie-name s --max-age 3600 -- '{}'")]
pub(crate) struct SignArgs {
    /// When to compress the payload: whenever that is shorter, never, or only if it is long
    #[arg(long, value_enum, value_name = "WHEN")]
    compress: Option<Compress>,

    /// The lifetime of an encrypted cookie, in seconds
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u32>,

    /// The time to write into the cookie, in seconds since 1970 instead of now
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    now: Option<i64>,

    /// The session, a JSON object; - reads it from standard input
    #[arg(value_name = "JSON")]
    session: String,

    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// When to compress the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Compress {
    /// Whenever it makes the cookie shorter, as Flask does
    Always,
    /// Never
    Never,
    /// When it makes a long payload shorter, as Carafe does
    Auto,
}

impl SignArgs {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let format = self.format.resolve()?;
        let keys = self.keys.ring()?;
        let keys = keys
            .ok_or_else(|| Failure::usage("no secret key: set SECRET_KEY or pass --secret-key"))?;
        let payload = canonical(&argument_or_stdin(&self.session)?, format.style())?;
        let now = self.now.map_or_else(Timestamp::now, Timestamp::from_unix);
        let cookie = match format {
            TokenFormat::Signed { name, format, .. } => {
                self.check_signed(name)?;
                let compression = self
                    .compress
                    .map_or_else(Compression::default, Compress::meaning);
                SignedSessions::new(&keys, &format.with_compression(compression))
                    .seal(&payload, now)
            }
            TokenFormat::Encrypted { .. } => self.encrypted(&keys, &format, &payload, now)?,
        };
        if cookie.len() > MAX_COOKIE_BYTES {
            output::warning(&format!(
                "the value has {} bytes; browsers drop cookies over {MAX_COOKIE_BYTES}",
                cookie.len()
            ));
        }
        output::line(&cookie)?;
        Ok(ExitCode::SUCCESS)
    }

    fn check_signed(&self, name: FormatName) -> Result<(), Failure> {
        match (name, self.max_age, self.compress) {
            (_, Some(_), _) => Err(Failure::usage(
                "--max-age is for --format encrypted; the reader of a signed cookie decides its maximum age",
            )),
            (FormatName::Starlette, _, Some(_)) => {
                Err(Failure::usage("Starlette's format has no compression"))
            }
            _ => Ok(()),
        }
    }

    fn encrypted(
        &self,
        keys: &KeyRing,
        format: &TokenFormat,
        payload: &str,
        now: Timestamp,
    ) -> Result<String, Failure> {
        let (
            TokenFormat::Encrypted {
                context: Some(context),
            },
            Some(max_age),
        ) = (format, self.max_age)
        else {
            return Err(Failure::usage(
                "--format encrypted requires --application, --cookie-name and --max-age",
            ));
        };
        if self.compress.is_some() {
            return Err(Failure::usage("encrypted cookies are never compressed"));
        }
        let sessions = EncryptedSessions::new(keys, &context.application, &context.cookie_name);
        let expires = now.saturating_add(max_age.into());
        sessions
            .seal(payload, now, expires)
            .map_err(Failure::trouble)
    }
}

impl Compress {
    fn meaning(self) -> Compression {
        match self {
            Self::Always => Compression::WhenShorter,
            Self::Never => Compression::Never,
            Self::Auto => Compression::default(),
        }
    }
}

/// Returns the text as the serializer of the format writes it.
fn canonical(text: &str, style: JsonDialect) -> Result<String, Failure> {
    let value = Value::parse(text, style.tags).map_err(|error| {
        Failure::usage(format_args!(
            "the session is not JSON that Python accepts: {error}"
        ))
    })?;
    if !matches!(value, Value::Dict(_)) {
        return Err(Failure::usage(
            "the session is not a JSON object, such as {\"user_id\":42}",
        ));
    }
    json::to_text(&value, style)
        .map_err(|error| Failure::usage(format_args!("the session cannot be encoded: {error}")))
}
