//! Lines in, lines out: the fields of a request, and the three kinds of answers.

use std::fmt::Write as _;

use carafe_core::{
    json::{EncodeError, ScanError},
    key::KeyError,
    token::{SealError, TokenError},
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// One line of input. Contains the fields of every operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) op: Op,
    pub(crate) secret: String,
    #[serde(default)]
    pub(crate) fallbacks: Vec<String>,
    pub(crate) format: Option<Format>,
    pub(crate) now: Option<i64>,
    pub(crate) max_age: Option<u64>,
    pub(crate) salt: Option<String>,
    pub(crate) key_derivation: Option<Derivation>,
    pub(crate) digest: Option<Hash>,
    pub(crate) compression: Option<WhenShorter>,
    pub(crate) cookie: Option<String>,
    pub(crate) session: Option<Vec<(Json, Json)>>,
    pub(crate) set: Option<(Json, Json)>,
    pub(crate) remove: Option<Json>,
    pub(crate) cookies: Option<Vec<String>>,
    pub(crate) count: Option<u64>,
    pub(crate) seed: Option<u64>,
    pub(crate) class: Option<Class>,
    /// A described value, which may be `null`.
    #[serde(default)]
    pub(crate) content: Json,
    pub(crate) signed: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Op {
    Read,
    Write,
    Edit,
    Refuse,
    Mutate,
    Sign,
    Unsign,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Flask,
    Quart,
    Starlette,
    Encrypted,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Derivation {
    Hmac,
    Concat,
    DjangoConcat,
    None,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

#[derive(Clone, Copy, Deserialize)]
pub(crate) enum WhenShorter {
    #[serde(rename = "when-shorter")]
    WhenShorter,
}

#[derive(Clone, Copy, Deserialize)]
pub(crate) enum Class {
    Signer,
    TimestampSigner,
    #[serde(rename = "URLSafeSerializer")]
    UrlSafeSerializer,
    #[serde(rename = "URLSafeTimedSerializer")]
    UrlSafeTimedSerializer,
}

/// The reason for a missing result.
pub(crate) enum Failure {
    /// An invalid request: a bug of the harness or of the peer.
    Fault(String),
    /// Carafe's error for this token or value.
    Refused(&'static str),
}

impl Failure {
    pub(crate) fn fault(why: impl Into<String>) -> Self {
        Self::Fault(why.into())
    }

    fn into_answer(self) -> Json {
        match self {
            Self::Fault(why) => json!({ "fault": why }),
            Self::Refused(word) => json!({ "ok": false, "error": word }),
        }
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Refused(error.code())
    }
}

impl From<ScanError> for Failure {
    fn from(_: ScanError) -> Self {
        Self::Refused("bad-payload")
    }
}

impl From<EncodeError> for Failure {
    fn from(_: EncodeError) -> Self {
        Self::Refused("cannot-be-written")
    }
}

impl From<SealError> for Failure {
    fn from(error: SealError) -> Self {
        Self::Fault(error.to_string())
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Self::Fault(error.to_string())
    }
}

/// Returns a field that this operation requires.
pub(crate) fn needed<T>(field: Option<T>, name: &str) -> Result<T, Failure> {
    field.ok_or_else(|| Failure::Fault(format!("`{name}` is missing")))
}

/// Returns the answer to a line.
pub(crate) fn answer(line: &str, perform: fn(&Request) -> Result<Json, Failure>) -> String {
    let answer = request(line).and_then(|request| perform(&request));
    ascii(&answer.unwrap_or_else(Failure::into_answer).to_string())
}

/// Parses a line without `serde_json`'s recursion limit, which the harness' sessions exceed.
fn request(line: &str) -> Result<Request, Failure> {
    let mut reader = serde_json::Deserializer::from_str(line);
    reader.disable_recursion_limit();
    Request::deserialize(&mut reader).map_err(|error| Failure::fault(error.to_string()))
}

/// Escapes every character beyond ASCII. In JSON such characters occur only in strings.
fn ascii(text: &str) -> String {
    let mut line = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if letter.is_ascii() {
            line.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a `String` does not fail.
            let _ = write!(line, "\\u{unit:04x}");
        }
    }
    line.push('\n');
    line
}
