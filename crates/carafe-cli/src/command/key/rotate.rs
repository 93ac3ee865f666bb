//! `carafe key rotate`: replaces the secret key without a log-out.
//!
//! Every process must accept cookies of the new key before the first process signs with it. The old
//! key stays accepted until its last cookie has expired.

use carafe_core::{
    clock::Timestamp,
    json::{self, JsonDialect as JsonStyle},
};
use clap::builder::styling::{AnsiColor, Style};

use crate::{
    failure::Failure,
    human::{span, utc},
    keys::{OldKeys, is_of_bytes, old_keys},
    output,
};

/// The placeholder of a key that is not shown.
const PRESENT: &str = "<the current SECRET_KEY>";

/// Print the three phases of replacing the secret key without a log-out
///
/// Reads the current keys from SECRET_KEY and SECRET_KEY_FALLBACKS. They are shown with
/// --show-keys only. The new key is generated and shown.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  SECRET_KEY=$(cat secret_key) carafe key rotate
  SECRET_KEY=$(cat secret_key) carafe key rotate --lifetime 86400 --show")]
pub(super) struct Rotate {
    /// The longest lifetime of a session, in seconds: Flask's PERMANENT_SESSION_LIFETIME
    #[arg(long, value_name = "SECONDS", default_value_t = 2_678_400, value_parser = clap::value_parser!(u64).range(1..))]
    lifetime: u64,

    /// Show the current keys, too
    #[arg(long)]
    show: bool,
}

impl Rotate {
    pub(super) fn run(&self, new: &str) -> Result<(), Failure> {
        let old = old_keys()?;
        let (present, older) = match (self.show, old) {
            (true, None) => {
                return Err(Failure::usage(
                    "--show requires the current key in SECRET_KEY",
                ));
            }
            (true, Some(OldKeys { current, fallbacks })) => {
                if std::iter::once(&current)
                    .chain(&fallbacks)
                    .any(|key| is_of_bytes(key))
                {
                    return Err(Failure::usage(
                        "--show prints variables, and from these Flask reads no keys of bytes; leave --show out and \
                         write the current keys in Python",
                    ));
                }
                (current, fallbacks)
            }
            (false, old) => hidden(old),
        };
        let with_older = |first: &str| -> Vec<String> {
            std::iter::once(first.to_owned())
                .chain(older.iter().cloned())
                .collect()
        };
        let end = i64::try_from(self.lifetime).unwrap_or(i64::MAX);
        let until = utc(Timestamp::now().saturating_add(end));
        let phases = [
            phase(
                "1. Every process accepts the new key",
                "No process signs with it yet. Continue when the last process has restarted.",
                (&present, &with_older(new)),
            )?,
            phase(
                "2. Every process signs with the new key",
                "Cookies of the old key are still accepted.",
                (new, &with_older(&present)),
            )?,
            phase(
                "3. Remove the old key",
                &format!(
                    "{} after the last process reached phase 2: if that is now, on {until}.",
                    span(self.lifetime)
                ),
                (new, &[]),
            )?,
        ];
        output::line(&phases.join("\n\n"))?;
        output::note(
            "FLASK_… is what Flask's app.config.from_prefixed_env() and Carafe's FlaskConfig::from_env() read. \
             Flask has to be 3.1.1 or newer: 3.1.0 signs with the last fallback (CVE-2025-47278).",
        )
    }
}

/// Returns a placeholder for each key.
fn hidden(old: Option<OldKeys>) -> (String, Vec<String>) {
    let count = old.map_or(0, |old| old.fallbacks.len());
    let fallbacks = (1..=count).map(|n| format!("<the current fallback {n}>"));
    (PRESENT.to_owned(), fallbacks.collect())
}

fn phase(
    title: &str,
    text: &str,
    (current, fallbacks): (&str, &[String]),
) -> Result<String, Failure> {
    let (bold, code) = (Style::new().bold(), AnsiColor::Blue.on_default());
    let list = json::to_text(fallbacks, JsonStyle::STARLETTE).map_err(Failure::trouble)?;
    let mut out = format!("{bold}{title}{bold:#}\n   {text}\n");
    for (name, prefix) in [("Carafe", ""), ("Flask", "FLASK_")] {
        let lines = [
            format!("{prefix}SECRET_KEY={}", quoted(current)),
            format!("{prefix}SECRET_KEY_FALLBACKS={}", quoted(&list)),
        ];
        out.push_str(&format!("\n   {name:<8}{code}{}{code:#}", lines[0]));
        out.push_str(&format!("\n   {:<8}{code}{}{code:#}", "", lines[1]));
    }
    Ok(out)
}

/// Quotes a value for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric();
    match text.chars().all(is_plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}
