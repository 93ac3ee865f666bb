//! Commits that do not wait for the response's head.
//!
//! Such commits are for values that must be stored before the handler continues, and for handlers
//! that outlive the head of their response, such as WebSockets, server-sent events and jobs.
//!
//! | file | holds |
//! |---|---|
//! | `live` | the methods that handlers call |
//! | `live/swap` | a change of one key that depends on its newest value |
//! | `live/persist` | one commit, from the changes taken to the changes stored or restored |
//! | `live/turn` | the right to commit, which one commit has at a time |
//! | `live/current` | the session's newest state in its store |

mod current;
mod persist;
mod swap;
mod turn;

use std::error::Error;

use serde::{Serialize, de::DeserializeOwned};

use super::{Session, SessionError, backend::Prepared, slot::WriteGuard, typed_key::KeyOf};
use crate::store::with_budget;

impl Session {
    /// Saves the changes now, regardless of the response's later status.
    ///
    /// For server-side sessions, the changes are visible to other requests when this returns. This
    /// works before and after the response's head is sent, for as long as the handler keeps the
    /// session: in a WebSocket, a stream or a job, each commit saves the changes since the previous
    /// commit. If the commit gives the session a new ID (because the session is new, or
    /// [`log_in`](Session::log_in) or [`renew`](Session::renew) was called), the response carries
    /// the ID.
    ///
    /// A client-side session is only saved by the response's head. For such a session, this marks
    /// the changes to be saved even if the response is a server error.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let client = TestClient::signed_in(&manager, "ada").await?;
    /// let request = client.begin().await?;
    /// request.session().insert("step", &2)?;
    /// let other_tab = client.session().await?;
    /// assert_eq!(other_tab.get::<u32>("step")?, None);
    ///
    /// request.session().commit().await?;
    /// assert_eq!(client.session().await?.get("step")?, Some(2));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`] if the commit needs a header and the head has been sent;
    /// [`SessionError::Gone`] if the session was revoked or has expired; [`SessionError::Store`]
    /// and [`SessionError::Commit`], which keep the changes. Dropping the future before completion
    /// also keeps the changes for the next commit.
    pub async fn commit(&self) -> Result<(), SessionError> {
        match &self.0.manager.side {
            Prepared::Client(_) => self.write(|state| state.insisted = true),
            Prepared::Server(side) => self.persist(side).await,
        }
    }

    /// Takes the value of `key` exactly once across all requests.
    ///
    /// For values that must be used only once: an OAuth `state`, a password reset, a voucher.
    ///
    /// The removal is committed when this returns. Other changes of this request are committed
    /// first if they affect `key`, and with the response otherwise.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// request.session().insert("voucher", "SUMMER")?;
    /// # client.finish(request, 200).await?;
    /// // Two requests at the same time.
    /// let (first, second) = (client.session().await?, client.session().await?);
    /// assert_eq!(first.take_once::<String>("voucher").await?.as_deref(), Some("SUMMER"));
    /// assert_eq!(second.take_once::<String>("voucher").await?, None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for client-side sessions, which cannot guarantee this;
    /// [`SessionError::Decode`], which keeps the value; otherwise as [`Session::commit`].
    pub async fn take_once<T: DeserializeOwned>(
        &self,
        key: impl KeyOf<T>,
    ) -> Result<Option<T>, SessionError> {
        let key = key.as_name();
        let taken = self
            .swap(key, |text| {
                let value = self.decode_option(key, text)?;
                Ok((None, value))
            })
            .await?;
        Ok(taken)
    }

    /// Replaces the value of `key` with the result of `change` and commits it.
    ///
    /// Returns the stored value.
    ///
    /// If there are concurrent calls, each returns a different value. Use this for decisions on the
    /// value, such as a limit on attempts.
    ///
    /// `change` runs again on the newest value if another request has written the key first.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let client = TestClient::signed_in(&manager, "ada").await?;
    /// // Two requests at the same time, each of which tries a PIN.
    /// let (first, second) = (client.session().await?, client.session().await?);
    /// let count = |attempts: Option<u32>| attempts.unwrap_or(0) + 1;
    /// assert_eq!(first.update_now("attempts", count).await?, 1);
    /// assert_eq!(second.update_now("attempts", count).await?, 2);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for client-side sessions; [`SessionError::Decode`],
    /// [`SessionError::Encode`]; otherwise as [`Session::commit`].
    pub async fn update_now<T, F>(&self, key: impl KeyOf<T>, change: F) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T,
    {
        let change = |value| Ok::<_, std::convert::Infallible>(change(value));
        self.try_update_now(key, change).await
    }

    /// Like [`Session::update_now`], with a fallible function.
    ///
    /// An error leaves the session unchanged.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let session = TestClient::signed_in(&manager, "ada").await?.session().await?;
    /// session.insert("credit", &15)?;
    /// let pay = |credit: Option<u32>| credit.unwrap_or(0).checked_sub(10).ok_or("no credit");
    /// assert_eq!(session.try_update_now("credit", pay).await?, 5);
    ///
    /// let error = session.try_update_now("credit", pay).await.unwrap_err();
    /// assert!(matches!(error, SessionError::Update(reason) if reason.to_string() == "no credit"));
    /// assert_eq!(session.get("credit")?, Some(5));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Update`] with the error of `change`; otherwise as [`Session::update_now`].
    pub async fn try_update_now<T, E, F>(
        &self,
        key: impl KeyOf<T>,
        change: F,
    ) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned,
        E: Into<Box<dyn Error + Send + Sync>>,
        F: Fn(Option<T>) -> Result<T, E>,
    {
        let key = key.as_name();
        let updated = self
            .swap(key, |text| {
                let value = change(self.decode_option(key, text)?);
                let value = value.map_err(|error| SessionError::Update(error.into()))?;
                Ok((Some(self.encode(key, &value)?), Some(value)))
            })
            .await?;
        updated.ok_or(SessionError::Gone)
    }

    /// Like [`Session::take_once`], and returns the value as JSON text.
    ///
    /// For bindings to other languages, which decode values themselves.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let session = TestClient::signed_in(&manager, "ada").await?.session().await?;
    /// session.insert("voucher", &("SUMMER", 10))?;
    /// let text = session.take_json_once("voucher").await?;
    /// assert_eq!(text.as_deref(), Some(r#"["SUMMER",10]"#));
    /// assert_eq!(session.take_json_once("voucher").await?, None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Session::commit`]; [`SessionError::Unsupported`] for client-side sessions.
    pub async fn take_json_once(&self, key: &str) -> Result<Option<String>, SessionError> {
        self.swap(key, |text| Ok((None, text.map(str::to_owned))))
            .await
    }

    /// Like [`Session::try_update_now`], on JSON text.
    ///
    /// For bindings to other languages, which encode and decode values themselves.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let session = TestClient::signed_in(&manager, "ada").await?.session().await?;
    /// let append = |text: Option<&str>| match text {
    ///     None => Ok("[1]".to_owned()),
    ///     Some(text) => text.strip_suffix(']').map(|rest| format!("{rest},1]")).ok_or("no list"),
    /// };
    /// assert_eq!(session.try_update_json_now("log", append).await?, "[1]");
    /// assert_eq!(session.try_update_json_now("log", append).await?, "[1,1]");
    ///
    /// let broken = |_: Option<&str>| Ok::<_, &str>("[1".to_owned());
    /// let error = session.try_update_json_now("log", broken).await.unwrap_err();
    /// assert!(matches!(error, SessionError::Decode { .. }));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`] if `change` returns text that is not exactly one value, and the
    /// errors of [`Session::try_update_now`].
    pub async fn try_update_json_now<E, F>(
        &self,
        key: &str,
        change: F,
    ) -> Result<String, SessionError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
        F: Fn(Option<&str>) -> Result<String, E>,
    {
        let updated = self
            .swap(key, |text| {
                let text = change(text).map_err(|error| SessionError::Update(error.into()))?;
                self.check_json(key, &text)?;
                Ok((Some(text.clone()), Some(text)))
            })
            .await?;
        updated.ok_or(SessionError::Gone)
    }

    /// Reloads the session from its store, with uncommitted changes of this request applied on top.
    ///
    /// A reload counts as a use of the session: the use is recorded once a twentieth of the idle
    /// timeout has passed, and a failure to record it is logged.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let mut client = TestClient::signed_in(&manager, "ada").await?;
    /// let socket = client.session().await?; // kept by a WebSocket
    /// socket.insert("draft", "unsaved")?;
    ///
    /// let request = client.begin().await?;
    /// request.session().insert("progress", &80)?;
    /// client.finish(request, 200).await?;
    /// assert_eq!(socket.get::<u8>("progress")?, None);
    ///
    /// socket.reload().await?;
    /// assert_eq!(socket.get("progress")?, Some(80));
    /// assert!(socket.contains_key("draft"), "uncommitted changes are kept");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Gone`] if the session has expired or was revoked,
    /// [`SessionError::Unsupported`] if the session is not in a store, [`SessionError::Store`].
    pub async fn reload(&self) -> Result<(), SessionError> {
        let side = self.server_side()?;
        let Some((id, signed_by)) = self.stored_id() else {
            return Err(SessionError::Unsupported);
        };
        let stored = self.load(side, id, signed_by).await?;
        let (manager, last_seen) = (&self.0.manager, stored.record.meta.last_seen);
        let own = stored.record.data.lifetime();
        let limits = side.timeouts.bounded_by(own, manager.lifetime());
        let is_current = stored.is_current;
        self.rebase(stored);
        let skew = side.clock_skew;
        let is_due = limits.use_is_due(last_seen, manager.now(), manager.lifetime(), skew);
        // A replaced ID stays valid only while it is used.
        if is_current && !is_due {
            return Ok(());
        }
        match self.keep_alive().await {
            Err(SessionError::Store(error)) => {
                tracing::warn!(
                    reason = error.code(),
                    "the use of a session was not recorded: {error}"
                );
                Ok(())
            }
            noted => noted,
        }
    }

    /// Returns whether the session is still in the store, neither expired nor revoked.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let mut client = TestClient::signed_in(&manager, "ada").await?;
    /// let socket = client.session().await?; // kept by a WebSocket
    /// assert!(socket.is_alive().await?);
    ///
    /// let request = client.begin().await?;
    /// request.session().log_out()?;
    /// client.finish(request, 200).await?;
    /// assert!(!socket.is_alive().await?, "close the WebSocket");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Session::reload`], except [`SessionError::Gone`].
    pub async fn is_alive(&self) -> Result<bool, SessionError> {
        let side = self.server_side()?;
        let Some((id, signed_by)) = self.stored_id() else {
            return Err(SessionError::Unsupported);
        };
        match self.load(side, id, signed_by).await {
            Ok(_) => Ok(true),
            Err(SessionError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Records a use of the session, which restarts its idle timeout.
    ///
    /// For handlers that outlive their response. Call this or [`Session::commit`] at least once per
    /// idle timeout.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, testing::Clock};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # use std::time::Duration;
    /// # let clock = Clock::at(Timestamp::from_unix(1_700_000_000));
    /// let side = ServerSide::new(MemoryStore::new()).with_timeouts(Timeouts::asvs_l2());
    /// let manager = SessionManager::new(side, SessionConfig::default())?;
    /// let manager = std::sync::Arc::new(manager.with_clock(clock.reader()));
    /// let client = TestClient::signed_in(&manager, "ada").await?;
    /// let socket = client.session().await?;
    ///
    /// for _ in 0..3 {
    ///     clock.advance(Duration::from_secs(20 * 60)); // the idle timeout is 30 minutes
    ///     socket.keep_alive().await?; // with each ping of a WebSocket
    /// }
    /// assert_eq!(client.session().await?.user().as_deref(), Some("ada"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Session::reload`].
    pub async fn keep_alive(&self) -> Result<(), SessionError> {
        let side = self.server_side()?;
        self.ensure_stored(side).await?;
        let now = self.0.manager.now();
        let (key, access) = {
            let state = self.locked();
            let Some(stored) = state.found().in_store() else {
                return Err(SessionError::Unsupported);
            };
            (
                stored.at.key,
                self.0.manager.access(side, state.look(), now),
            )
        };
        match with_budget(&*side.store, side.store.touch(&key, &access)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SessionError::Gone),
            Err(error) => Err(SessionError::Store(error)),
        }
    }

    /// Logs out like [`Session::log_out`], and returns after the store has revoked the session.
    ///
    /// Also works after the response's head has been sent.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// let client = TestClient::signed_in(&manager, "ada").await?;
    /// client.session().await?.log_out_now().await?;
    /// assert_eq!(client.session().await?.user(), None, "before any response");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Store`]: the session may still be valid, and the response's commit retries.
    /// [`SessionError::Unsupported`] for client-side sessions, because only the response can remove
    /// their cookies: use [`Session::log_out`].
    pub async fn log_out_now(&self) -> Result<(), SessionError> {
        let side = self.server_side()?;
        match self.ensure_stored(side).await {
            Ok(()) => {}
            Err(SessionError::Gone) => return Ok(()),
            Err(error) => return Err(error),
        }
        match self.write(WriteGuard::end) {
            Ok(()) => {}
            // The store has no such session.
            Err(SessionError::Gone | SessionError::AlreadySent) => return Ok(()),
            Err(error) => return Err(error),
        }
        match self.persist(side).await {
            Err(SessionError::Gone) => Ok(()),
            done => done,
        }
    }
}
