//! Ourselves: the token formats, and the layer.

use std::time::Duration;

use axum::{Router, extract::Path, routing::get};
use carafe::{
    ClientSide, SecretKey, Session, SessionConfig, SessionError, SessionLayer, Timestamp,
    json::{self, Style},
    key::KeyRing,
    token::{
        Compression,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions},
    },
};
use carafe_core::session::SessionData;
use serde_json::Value;

use super::{Answer, Codec};
use crate::content::{Login, SECRET};

const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

/// Flask's format.
pub(crate) struct Signed(SignedSessions);

/// Our own format.
pub(crate) struct Encrypted(EncryptedSessions);

impl Signed {
    pub(crate) fn new(compression: Compression) -> Self {
        let format = SignedFormat::flask().with_compression(compression);
        Self(SignedSessions::new(&keys(), &format))
    }

    fn payload(&self, cookie: &str) -> String {
        let opened = self
            .0
            .open(cookie.as_bytes(), Some(MONTH), Timestamp::now());
        opened.expect("we sealed it").payload
    }
}

impl Encrypted {
    pub(crate) fn new() -> Self {
        Self(EncryptedSessions::new(&keys(), "bench", "session"))
    }

    fn payload(&self, cookie: &str) -> String {
        let opened = self
            .0
            .open(cookie.as_bytes(), Some(MONTH), Timestamp::now());
        opened.expect("we sealed it").payload
    }
}

impl Codec for Signed {
    fn open(&self, cookie: &str) -> usize {
        self.payload(cookie).len()
    }

    fn read(&self, cookie: &str, key: &str) -> u64 {
        number(self.payload(cookie), key)
    }

    fn seal(&self, payload: &str) -> String {
        self.0.seal(payload, Timestamp::now())
    }

    fn encode(&self, dictionary: &Value) -> String {
        self.seal(&text(dictionary))
    }
}

impl Codec for Encrypted {
    fn open(&self, cookie: &str) -> usize {
        self.payload(cookie).len()
    }

    fn read(&self, cookie: &str, key: &str) -> u64 {
        number(self.payload(cookie), key)
    }

    fn seal(&self, payload: &str) -> String {
        let (now, month) = (Timestamp::now(), MONTH.as_secs().cast_signed());
        let sealed = self.0.seal(payload, now, now.saturating_add(month));
        sealed.expect("there is randomness")
    }

    fn encode(&self, dictionary: &Value) -> String {
        self.seal(&text(dictionary))
    }
}

/// The number under a key, as a request reads it: with the whole JSON text checked.
fn number(payload: String, key: &str) -> u64 {
    let data = SessionData::parse(payload, Style::FLASK).expect("it is a session");
    let text = data.text_of(key).expect("the key is there");
    json::from_text(text, Style::FLASK.tags).expect("it is a number")
}

fn text(dictionary: &Value) -> String {
    json::to_text(dictionary, Style::FLASK).expect("it is JSON")
}

/// Signed cookies under the rules that Flask has.
pub(crate) fn as_flask() -> Router {
    site(ClientSide::signed(keys()), SessionConfig::flask())
}

/// Signed cookies under our own rules.
pub(crate) fn signed() -> Router {
    site(ClientSide::signed(keys()), SessionConfig::default())
}

/// Encrypted cookies under our own rules.
pub(crate) fn encrypted() -> Router {
    site(
        ClientSide::encrypted(keys(), "bench"),
        SessionConfig::default(),
    )
}

fn keys() -> KeyRing {
    KeyRing::new(SecretKey::new(SECRET).expect("it is long enough"))
}

fn site(side: ClientSide, config: SessionConfig) -> Router {
    let layer = SessionLayer::with_config(side, config).expect("browsers take the cookie");
    let untouched = async || super::OK;
    super::routes(get(login), get(untouched), get(read), get(write)).layer(layer)
}

async fn login(session: Session, Path(browser): Path<u32>) -> Result<Answer, SessionError> {
    let Login { csrf, n, name, uid } = Login::of(browser);
    session.insert("csrf", &csrf)?;
    session.insert("n", &n)?;
    session.insert("name", &name)?;
    session.insert("uid", &uid)?;
    Ok(super::OK)
}

async fn read(session: Session) -> Result<Answer, SessionError> {
    Ok(super::verdict(session.get("uid")?))
}

async fn write(session: Session) -> Result<Answer, SessionError> {
    let user = session.get("uid")?;
    let n: u64 = session.get("n")?.unwrap_or(0);
    session.insert("n", &(n + 1))?;
    Ok(super::verdict(user))
}
