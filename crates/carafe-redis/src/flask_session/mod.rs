//! Sessions in the layout of Flask-Session 0.8, shared with Flask: one string per session, named
//! `session:` and the id.
//!
//! `carafe_core::flask::stored` reads and writes the values and documents what this layout cannot
//! store. This module sends the commands. Redis expires the keys. Every write names the value that
//! it expects, and none recreates a deleted key, so Carafe adds no races to those of Flask-Session;
//! it cannot prevent late writes of Flask.
//!
//! | file | content |
//! |---|---|
//! | `verbs` | the operations; `scripts/` has their Lua code |
//! | `walk` | iteration over all sessions |
//! | `reply` | the replies of the scripts |

mod reply;
mod script;
mod verbs;
mod walk;

use carafe_core::{
    clock::Timestamp,
    flask::stored::FlaskSession,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, KeyState, Patched, Powers, Record, Rotation,
        SessionStore, StoreError, StoreKey,
    },
};

use crate::RedisStore;

/// Sessions in Redis, in the layout of Flask-Session 0.8.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use carafe::{
///     KeyRing, SecretKey, ServerSide, SessionConfig, SessionLayer,
///     token::signed::{Signer, SignerSettings},
/// };
/// use carafe_redis::{FlaskSession, RedisStore};
///
/// // app.config: SESSION_TYPE = "redis", SESSION_USE_SIGNER = True
/// let redis = RedisStore::connect("redis://127.0.0.1").await?;
/// let store = redis.flask_session(FlaskSession::default());
/// let keys = KeyRing::new(SecretKey::short("the SECRET_KEY of the Flask application")?);
/// let signer = Signer::new(&keys, SignerSettings::flask_session());
/// let side = ServerSide::new(store).with_signed_ids(signer);
/// let sessions = SessionLayer::with_config(side, SessionConfig::flask())?;
/// # Ok(()) }
/// ```
///
/// The names of the keys are the session ids: anyone who can read this Redis can impersonate any
/// user. A renewal invalidates the old id immediately, and the sessions of a user cannot be listed.
/// Ids of any `SESSION_ID_LENGTH` up to 143 and UUIDs are read and kept; new ids have 32 bytes.
#[derive(Debug)]
pub struct FlaskSessionStore {
    redis: RedisStore,
    layout: FlaskSession,
}

impl RedisStore {
    /// Returns a store on the same servers in Flask-Session's layout. `layout` has its own prefix.
    #[must_use]
    pub fn flask_session(self, layout: FlaskSession) -> FlaskSessionStore {
        FlaskSessionStore {
            redis: self,
            layout,
        }
    }
}

impl SessionStore for FlaskSessionStore {
    async fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        _: Timestamp,
    ) -> Result<Created, StoreError> {
        let write = self.redis.deadlines.write;
        self.redis
            .with_deadline(write, self.write_new(key, record))
            .await
    }

    async fn load(&self, key: &StoreKey, now: Timestamp) -> Result<KeyState, StoreError> {
        let read = self.redis.deadlines.read;
        let loaded = async move { self.read_record(key, now).await.map(KeyState::from) };
        self.redis.with_deadline(read, loaded).await
    }

    async fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let write = self.redis.deadlines.write;
        self.redis
            .with_deadline(write, self.apply_patch(key, base, patch, now))
            .await
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        _: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let rotated = self.move_record(from, to, base, patch, now);
        self.redis
            .with_deadline(self.redis.deadlines.write, rotated)
            .await
    }

    async fn touch(&self, key: &StoreKey, access: &Access) -> Result<bool, StoreError> {
        let write = self.redis.deadlines.write;
        let touched = self.extend_expiry(key, access.expires, access.at);
        self.redis.with_deadline(write, touched).await
    }

    async fn delete(&self, key: &StoreKey, _: Timestamp) -> Result<bool, StoreError> {
        let write = self.redis.deadlines.write;
        self.redis
            .with_deadline(write, self.remove_record(key))
            .await
    }

    fn capabilities(&self) -> Capabilities {
        FlaskSession::LAYOUT
    }

    fn powers(&self) -> Powers<'_> {
        Powers::new()
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }
}
