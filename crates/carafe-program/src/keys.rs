//! Reads secret keys from options or from the environment. No message ever contains a key.

use carafe_core::{
    flask::key_bytes,
    json::{self, Value},
    key::{KeyRing, SecretKey},
};

use crate::{failure::Failure, output};

/// Flask's name for older keys.
const FALLBACKS: &str = "SECRET_KEY_FALLBACKS";

/// The keys of a command. No `Debug`: it would show them.
#[derive(clap::Args)]
#[command(next_help_heading = "Keys")]
pub struct KeyArgs {
    /// The secret key, as text; bytes as {"hex": "…"}, {"base64": "…"} or {"python": "b'…'"}.
    /// Prefer the environment, which does not end up in the shell's history
    #[arg(long, value_name = "K", env = "SECRET_KEY", hide_env_values = true)]
    secret_key: Option<String>,

    /// An older key that is also accepted; repeatable [env: SECRET_KEY_FALLBACKS=, a JSON list]
    #[arg(long = "fallback", value_name = "K")]
    fallbacks: Vec<String>,
}

impl KeyArgs {
    /// Returns the key ring, or `None` if no key is given.
    pub fn ring(&self) -> Result<Option<KeyRing>, Failure> {
        let texts = self.texts()?;
        texts
            .map(|(current, fallbacks)| ring_of(&current, &fallbacks))
            .transpose()
    }

    /// Returns the current key and the fallbacks, and warns about weak keys.
    fn texts(&self) -> Result<Option<(String, Vec<String>)>, Failure> {
        let Some(current) = &self.secret_key else {
            return match self.fallbacks.is_empty() {
                true => Ok(None),
                false => Err(Failure::usage("--fallback requires --secret-key")),
            };
        };
        let fallbacks = match self.fallbacks.is_empty() {
            true => fallbacks_of_environment()?,
            false => self.fallbacks.clone(),
        };
        warn_if_weak(&std::iter::once(current).chain(&fallbacks));
        Ok(Some((current.clone(), fallbacks)))
    }
}

/// Returns the ring of these keys, in this order. The keys need only be non-empty.
pub fn ring_of(current: &str, fallbacks: &[String]) -> Result<KeyRing, Failure> {
    fallbacks
        .iter()
        .try_fold(KeyRing::new(key_of(current)?), |ring, text| {
            ring.with_fallback(key_of(text)?).map_err(Failure::usage)
        })
}

fn key_of(text: &str) -> Result<SecretKey, Failure> {
    let bytes =
        key_bytes(text).map_err(|error| Failure::usage(format_args!("a secret key {error}")))?;
    SecretKey::dangerous_weak(&*bytes).map_err(Failure::usage)
}

/// Returns whether a key is given as bytes and not as text.
pub fn is_of_bytes(text: &str) -> bool {
    key_bytes(text).map_or(true, |bytes| **bytes != *text.as_bytes())
}

/// Returns the keys in `SECRET_KEY` and `SECRET_KEY_FALLBACKS`, the current one first, for a
/// command that works without keys and builds its own rings.
pub fn of_environment() -> Result<Option<Vec<SecretKey>>, Failure> {
    let keys = KeyArgs {
        secret_key: secret_key_of_environment()?,
        fallbacks: Vec::new(),
    };
    let Some((current, fallbacks)) = keys.texts()? else {
        return Ok(None);
    };
    let texts = std::iter::once(&current).chain(&fallbacks);
    texts
        .map(|text| key_of(text))
        .collect::<Result<_, _>>()
        .map(Some)
}

/// The keys in use, as text, for a new configuration. No `Debug`: it would show them.
pub struct OldKeys {
    pub current: String,
    pub fallbacks: Vec<String>,
}

/// Returns the keys in `SECRET_KEY` and `SECRET_KEY_FALLBACKS`, or `None` without the former.
pub fn old_keys() -> Result<Option<OldKeys>, Failure> {
    let current = secret_key_of_environment()?.filter(|text| !text.is_empty());
    let fallbacks = fallbacks_of_environment()?;
    Ok(current.map(|current| OldKeys { current, fallbacks }))
}

fn secret_key_of_environment() -> Result<Option<String>, Failure> {
    match std::env::var("SECRET_KEY") {
        Ok(text) => Ok(Some(text)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(_) => Err(Failure::usage("SECRET_KEY is not UTF-8")),
    }
}

fn fallbacks_of_environment() -> Result<Vec<String>, Failure> {
    let Some(text) = std::env::var_os(FALLBACKS).filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let list = text
        .to_str()
        .and_then(|text| match Value::parse(text, false) {
            Ok(Value::List(items)) => items.iter().map(text_of_key).collect(),
            _ => None,
        });
    // Flask treats a plain string as a list of one-letter keys. Here it is an error.
    list.ok_or_else(|| {
        Failure::usage(format_args!(
            "{FALLBACKS} is not a JSON list of strings, such as [\"old\",\"older\"]"
        ))
    })
}

/// Returns a list item as text that [`key_bytes`] parses.
fn text_of_key(item: &Value) -> Option<String> {
    match item {
        Value::String(text) => text.as_str().map(std::borrow::Cow::into_owned),
        Value::Dict(_) => json::to_text(item, json::JsonDialect::QUART).ok(),
        _ => None,
    }
}

/// Warns about the first key that a service would reject. Not an error, because old applications
/// have such keys and their cookies must be readable.
fn warn_if_weak<'k>(keys: &(impl Iterator<Item = &'k String> + Clone)) {
    let bytes = keys.clone().filter_map(|key| key_bytes(key).ok());
    let mut refused = bytes.filter_map(|key| SecretKey::short(&*key).err());
    if let Some(error) = refused.next() {
        output::warning(&error.to_string());
    }
    // Starlette, given bytes, signs with such a text, so it may be intended.
    let is_literal = |key: &String| {
        let marks = [("b'", '\''), ("b\"", '"')];
        marks
            .iter()
            .any(|(start, end)| key.starts_with(start) && key.ends_with(*end))
    };
    if keys.clone().any(is_literal) {
        output::warning(
            "a secret key is text that looks like Python's bytes; if the application has SECRET_KEY = b'…', write it as \
             {\"python\": \"b'…'\"}, with each backslash doubled",
        );
    }
}
