//! Sessions that Flask-Session 0.8 keeps in Redis, shared with it: one string a session, `session:` and the id.
//!
//! What stands in a value, and what this layout lacks, is `carafe_core::flask::stored`. Here are the commands.
//! The expiry is Redis's own. Every write says what it expects to find, and none brings back what is gone, so
//! Carafe adds nothing to Flask-Session's races; Flask's own late writes it cannot stop.
//!
//! | file | holds |
//! |---|---|
//! | `verbs` | what each verb does; `scripts/` does it |
//! | `walk` | going through all sessions |
//! | `reply` | what the scripts answer |

mod reply;
mod script;
mod verbs;
mod walk;

use carafe_core::{
    clock::Timestamp,
    flask::stored::FlaskSession,
    session::Patch,
    store::{BoxFuture, Created, Layout, Patched, Record, SessionStore, StoreError, StoreKey},
};

use crate::RedisStore;

/// Sessions in Redis, in the layout of Flask-Session 0.8.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use carafe_core::{
///     flask::stored::FlaskSession,
///     key::{KeyRing, SecretKey},
///     session::{ServerSide, SessionConfig, SessionManager},
///     token::signed::{Signer, SignerSettings},
/// };
/// use carafe_redis::RedisStore;
///
/// // app.config: SESSION_TYPE = "redis", SESSION_USE_SIGNER = True
/// let redis = RedisStore::connect("redis://127.0.0.1").await?;
/// let store = redis.flask_session(FlaskSession::default());
/// let keys = KeyRing::new(SecretKey::short("the SECRET_KEY of the Flask application")?);
/// let signer = Signer::new(&keys, SignerSettings::flask_session());
/// let side = ServerSide::new(store).with_signed_ids(signer);
/// let manager = Arc::new(SessionManager::new(side, SessionConfig::flask())?);
/// # Ok(()) }
/// ```
///
/// The names of the keys are the session ids: whoever can read this Redis can be any user. Renewing an id ends the
/// old one at once, the sessions of a user cannot be listed, and only ids of 32 bytes (`SESSION_ID_LENGTH`'s
/// default) are known.
#[derive(Debug)]
pub struct FlaskSessionStore {
    redis: RedisStore,
    layout: FlaskSession,
}

impl RedisStore {
    /// The same server, cluster or Sentinel, in Flask-Session's layout. The prefix is that of `layout`.
    #[must_use]
    pub fn flask_session(self, layout: FlaskSession) -> FlaskSessionStore {
        FlaskSessionStore {
            redis: self,
            layout,
        }
    }
}

impl SessionStore for FlaskSessionStore {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        let write = self.redis.deadlines.write;
        Box::pin(self.redis.within(write, self.create_it(key, record)))
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let read = self.redis.deadlines.read;
        Box::pin(self.redis.within(read, self.load_it(key, now)))
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let write = self.redis.deadlines.write;
        Box::pin(
            self.redis
                .within(write, self.patch_it(key, base, patch, now)),
        )
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        _: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        let rotation = self.rotate_it(from, to, base, patch, now);
        Box::pin(self.redis.within(self.redis.deadlines.write, rotation))
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let write = self.redis.deadlines.write;
        Box::pin(self.redis.within(write, self.touch_it(key, expires, now)))
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        let write = self.redis.deadlines.write;
        Box::pin(self.redis.within(write, self.delete_it(key)))
    }

    fn layout(&self) -> Layout {
        FlaskSession::LAYOUT
    }
}
