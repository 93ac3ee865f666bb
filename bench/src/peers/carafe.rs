//! Carafe: the token formats, and the layer with cookies or a store.

use std::time::Duration;

use axum::{Router, extract::Path, routing::get};
use carafe::{
    ClientSide, MemoryStore, SecretKey, ServerSide, Session, SessionBackend, SessionConfig,
    SessionError, SessionLayer, SessionStore, StoreError, Timestamp, Transport,
    json::{self, JsonDialect},
    key::KeyRing,
    token::{
        Compression,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions},
    },
};
use carafe_core::session::SessionData;
use carafe_redis::{Deadlines, RedisOptions, RedisStore};
use serde_json::Value;

use super::{Answer, Codec, TOKEN};
use crate::content::{Login, SECRET};

const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

/// Flask's format.
pub(crate) struct Signed(SignedSessions);

/// Carafe's own format.
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

/// Returns the number under a key as a request does, after validating the whole JSON text.
fn number(payload: String, key: &str) -> u64 {
    let data = SessionData::parse(payload, JsonDialect::FLASK).expect("it is a session");
    let text = data.text_of(key).expect("the key is there");
    json::from_text(text, JsonDialect::FLASK.tags).expect("it is a number")
}

fn text(dictionary: &Value) -> String {
    json::to_text(dictionary, JsonDialect::FLASK).expect("it is JSON")
}

/// Returns a site with signed cookies and Flask's rules.
pub(crate) fn as_flask() -> Router {
    site(ClientSide::signed(keys()), SessionConfig::flask())
}

/// Returns a site with signed cookies and default rules.
pub(crate) fn signed() -> Router {
    site(ClientSide::signed(keys()), SessionConfig::default())
}

/// Returns a site with encrypted cookies and default rules.
pub(crate) fn encrypted() -> Router {
    site(
        ClientSide::encrypted(keys(), "bench"),
        SessionConfig::default(),
    )
}

fn keys() -> KeyRing {
    KeyRing::new(SecretKey::new(SECRET).expect("it is long enough"))
}

/// Returns a site with Carafe's memory store and default rules, except that all browsers are one
/// user, whose sessions are not limited.
pub(crate) fn in_memory() -> Router {
    stored(MemoryStore::new())
}

/// Returns a site with Carafe's memory store, and ids in `Authorization: Bearer`.
pub(crate) fn in_memory_by_bearer() -> Router {
    let config = SessionConfig::default().with_transports([Transport::bearer(TOKEN)]);
    let side = ServerSide::new(MemoryStore::new()).without_limit_per_user();
    site(side, config)
}

/// Returns Carafe's Redis store, with deadlines that a busy machine does not exceed.
pub(crate) async fn redis(url: &str) -> Result<RedisStore, StoreError> {
    const PATIENCE: Duration = Duration::from_secs(20);
    let deadlines = Deadlines {
        connect: PATIENCE,
        read: PATIENCE,
        write: PATIENCE,
    };
    RedisOptions::new().deadlines(deadlines).connect(url).await
}

/// Returns a site with a store and default rules, except for the limit of sessions per user.
pub(crate) fn stored(store: impl SessionStore) -> Router {
    let side = ServerSide::new(store).without_limit_per_user();
    site(side, SessionConfig::default())
}

fn site(side: impl Into<SessionBackend>, config: SessionConfig) -> Router {
    let untouched = async || super::OK;
    let routes = super::routes(
        get(start),
        get(untouched),
        get(read),
        get(write),
        get(log_in),
    );
    routes.layer(layer(side, config))
}

fn layer(side: impl Into<SessionBackend>, config: SessionConfig) -> SessionLayer {
    SessionLayer::with_config(side, config).expect("browsers take the cookie")
}

async fn start(
    session: Session,
    Path(browser): Path<(u32, usize)>,
) -> Result<Answer, SessionError> {
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

async fn log_in(session: Session) -> Result<Answer, SessionError> {
    let user: Option<u64> = session.get("uid")?;
    session.log_in(&user.unwrap_or_default().to_string())?;
    Ok(super::verdict(user))
}

/// Returns the races' site, which counts in one step with `update`, or in two like all peers.
pub(crate) fn racing(store: impl SessionStore) -> Router {
    let routes = super::racing_routes(get(begin), get(count), get(put), get(told));
    let routes = routes.route("/count-in-one-step", get(count_in_one_step));
    routes.layer(layer(ServerSide::new(store), SessionConfig::default()))
}

async fn begin(session: Session) -> Result<Answer, SessionError> {
    session.insert("n", &0)?;
    Ok(super::OK)
}

async fn count(session: Session) -> Result<Answer, SessionError> {
    let n: u64 = session.get("n")?.unwrap_or(0);
    super::other_work().await;
    session.insert("n", &(n + 1))?;
    Ok(super::OK)
}

async fn count_in_one_step(session: Session) -> Result<Answer, SessionError> {
    super::other_work().await;
    session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(super::OK)
}

async fn put(session: Session, Path(key): Path<String>) -> Result<Answer, SessionError> {
    let _: Option<u64> = session.get("n")?;
    super::other_work().await;
    session.insert(&key, &1)?;
    Ok(super::OK)
}

async fn told(session: Session) -> Result<String, SessionError> {
    let n: u64 = session.get("n")?.unwrap_or(0);
    let keys = session.keys();
    let put = keys.iter().filter(|key| key.starts_with("key")).count();
    Ok(format!("{n} {put}"))
}
