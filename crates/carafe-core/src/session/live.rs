//! Commits that do not wait for the response's head.
//!
//! Such commits serve values that must be stored before the handler continues, and handlers that
//! outlive their response's head, such as WebSockets, server-sent events and jobs.

use std::{
    error::Error,
    future::poll_fn,
    task::{Poll, Waker},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Commit, CommitError, Loaded, Patch, Session, SessionError,
    backend::Prepared,
    commit::{run, stored_facts},
    loaded::{LoadedSession, Stored},
    plan::{self, Verb},
    server_side::{Outcome, ServerSide},
    typed_key::KeyOf,
};
use crate::{
    clock::Timestamp,
    key::KeyUse,
    store::{KeyState, Patched, Record, StoreError, with_budget},
    token::SessionId,
};

/// Maximum number of attempts of a conditional change.
///
/// Each failed attempt means that another request succeeded, so only a broken store exhausts the
/// attempts.
const ATTEMPTS: usize = 200;

impl Session {
    /// Saves the changes now, whatever the response's status will be.
    ///
    /// On the server side, other requests see the changes when this returns. This works before and
    /// after the response's head is sent, for as long as the handler keeps the session: in a
    /// WebSocket, a stream or a job, each commit saves the changes since the previous commit. If
    /// the commit gives the session a new id (because the session is new, or
    /// [`log_in`](Session::log_in) or [`renew`](Session::renew) was called), the response carries
    /// the id.
    ///
    /// A client-side session is saved only by the response's head. For such a session, this marks
    /// the changes to be saved even if the response is a server error.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// session.insert("step", &2)?;
    /// session.commit().await?;
    /// # Ok(())
    /// # }
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
    /// For values that must be honored once: an OAuth `state`, a password reset, a voucher.
    ///
    /// The removal is committed when this returns. Other changes of this request are committed
    /// first if they affect `key`, and with the response otherwise.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// let Some(state) = session.take_once::<String>("oauth_state").await? else {
    ///     return Ok(()); // Another request has it, or there was none.
    /// };
    /// # Ok(())
    /// # }
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
    /// Each of any number of concurrent calls gets its own value. Use this for decisions on the
    /// value, such as a limit on attempts.
    ///
    /// `change` runs again on the newest value if another request has written the key first.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// let attempts = session.update_now("attempts", |n: Option<u32>| n.unwrap_or(0) + 1).await?;
    /// if attempts > 5 { /* refuse */ }
    /// # Ok(())
    /// # }
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
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// let left = session.try_update_now("credit", |credit: Option<u32>| {
    ///     credit.unwrap_or(0).checked_sub(10).ok_or("not enough credit")
    /// });
    /// match left.await {
    ///     Err(SessionError::Update(reason)) => println!("{reason}"),
    ///     left => println!("{} left", left?),
    /// }
    /// # Ok(())
    /// # }
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
    /// # Errors
    /// [`SessionError::Decode`] if `change` returns text that is not exactly one value; otherwise as
    /// [`Session::try_update_now`].
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

    /// Reloads the session from its store and keeps uncommitted changes of this request on top.
    ///
    /// A reload counts as a use of the session: the use is recorded once a twentieth of the idle
    /// timeout has passed, and a failure to record it is logged.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// session.reload().await?;
    /// let progress = session.get::<u8>("progress")?; // possibly written by another request
    /// # Ok(())
    /// # }
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
        // A replaced id keeps leading to the session only while the id itself is used.
        if is_current && !is_due {
            return Ok(());
        }
        match self.keep_alive().await {
            Err(SessionError::Store(error)) => {
                tracing::warn!(reason = error.code(), "use of a session not noted: {error}");
                Ok(())
            }
            noted => noted,
        }
    }

    /// Returns whether the session is still in the store, neither expired nor revoked.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// if !session.is_alive().await? {
    ///     return Ok(()); // logged out: close the WebSocket
    /// }
    /// # Ok(())
    /// # }
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
    /// For handlers that outlive their response. Call this, or [`Session::commit`], at least once
    /// per idle timeout.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// session.keep_alive().await?; // for example, with each ping of a WebSocket
    /// # Ok(())
    /// # }
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
            (stored.key, self.0.manager.access(side, &state, now))
        };
        match with_budget(&*side.store, side.store.touch(&key, &access)).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(SessionError::Gone),
            Err(error) => Err(SessionError::Store(error)),
        }
    }

    /// Logs out like [`Session::log_out`] and returns once the store has revoked the session.
    ///
    /// Also works after the response's head has been sent.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// session.log_out_now().await?;
    /// println!("the session is revoked");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Store`]: the session may still be valid, and the response's commit tries
    /// again. [`SessionError::Unsupported`] for client-side sessions, because only the response can
    /// remove their cookies: use [`Session::log_out`].
    pub async fn log_out_now(&self) -> Result<(), SessionError> {
        let side = self.server_side()?;
        match self.ensure_stored(side).await {
            Ok(()) => {}
            Err(SessionError::Gone) => return Ok(()),
            Err(error) => return Err(error),
        }
        match self.log_out() {
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

    fn server_side(&self) -> Result<&ServerSide, SessionError> {
        match &self.0.manager.side {
            Prepared::Server(side) => Ok(side),
            Prepared::Client(_) => Err(SessionError::Unsupported),
        }
    }

    /// Returns the id of the stored session.
    fn stored_id(&self) -> Option<(SessionId, KeyUse)> {
        let state = self.locked();
        let stored = state.found().in_store();
        match &state.last_id {
            Some(id) => Some((id.clone(), KeyUse::Current)),
            None => stored.map(|stored| (stored.id.clone(), stored.signed_by)),
        }
    }

    /// Loads the session's current state from the store.
    ///
    /// Accepts ids that are no longer accepted from a browser, because the id was accepted for this
    /// request.
    async fn load(
        &self,
        side: &ServerSide,
        id: SessionId,
        signed_by: KeyUse,
    ) -> Result<Stored, SessionError> {
        let (key, now) = (side.key_of(&id), self.0.manager.now());
        let state = with_budget(&*side.store, side.store.load(&key, now)).await;
        let (record, is_current) = match state.map_err(SessionError::Store)? {
            KeyState::Current(record) => (record, true),
            KeyState::Moved(record) => (record, false),
            KeyState::Absent | KeyState::Retired => return Err(SessionError::Gone),
        };
        if !side.is_live(&record, now) {
            return Err(SessionError::Gone);
        }
        Ok(Stored {
            id,
            key,
            signed_by,
            is_current,
            record,
        })
    }

    fn rebase(&self, stored: Stored) {
        let mut state = self.locked();
        let opened = state.found().opened;
        state.last_id = None;
        state.rebase(LoadedSession::stored(Box::new(stored), opened));
    }

    /// Loads the session that a commit has created or given a new id, unless it is already loaded.
    pub(super) async fn ensure_stored(&self, side: &ServerSide) -> Result<(), SessionError> {
        let id = self.locked().last_id.clone();
        if let Some(id) = id {
            let stored = self.load(side, id, KeyUse::Current).await?;
            self.rebase(stored);
        }
        Ok(())
    }

    /// Commits the changes of this request.
    async fn persist(&self, side: &ServerSide) -> Result<(), SessionError> {
        let _turn = self.turn().await;
        self.ensure_stored(side).await?;
        let now = self.0.manager.now();
        let Some(step) = self.begin(side, now)? else {
            return Ok(());
        };
        let mut taken = Taken {
            session: self,
            changes: Some((step.patch, step.base)),
        };
        let (patch, stored) = taken.changes();
        let outcome = run(side, (step.verb, patch), stored, step.access).await;
        let id = match outcome {
            Ok(Outcome::NewId(id)) => Some(id),
            Ok(Outcome::SameId) => stored.map(|stored| stored.id.clone()),
            Ok(Outcome::Unchanged) => None,
            Ok(Outcome::Gone) => {
                taken.changes = None;
                let mut state = self.locked();
                (state.gone, state.wrote) = (true, false);
                _ = state.take_changes();
                return Err(SessionError::Gone);
            }
            Ok(Outcome::Refused { limit }) => {
                let error = CommitError::TooManySessions { limit };
                return Err(SessionError::Commit(Box::new(error)));
            }
            Err(error) => return Err(SessionError::Store(error)),
        };
        let is_new = !matches!((&id, stored), (Some(id), Some(stored)) if stored.id == *id);
        taken.changes = None;
        self.settle(is_new && id.is_some());
        let Some(id) = id else {
            let mut state = self.locked();
            let opened = state.found().opened;
            state.rebase(LoadedSession::nothing(Loaded::Absent, opened));
            return Ok(());
        };
        // The change is stored. If loading the new base fails now, the next call or the response's
        // commit loads it.
        self.locked().last_id = Some(id);
        _ = self.ensure_stored(side).await;
        Ok(())
    }

    /// Takes the changes for a commit, or returns `None` if the session is unchanged.
    fn begin(&self, side: &ServerSide, now: Timestamp) -> Result<Option<Step>, SessionError> {
        let manager = &self.0.manager;
        let mut state = self.locked();
        if state.gone {
            return Err(SessionError::Gone);
        }
        if !state.is_changed() {
            state.insisted |= !state.committed;
            return Ok(None);
        }
        let mut facts = stored_facts(&state, side, now);
        // A timed renewal needs a response that can carry the new id.
        facts.renewal_due = false;
        let commit = match state.look().is_empty() {
            true => Commit::Remove,
            false => Commit::Write,
        };
        let verb = plan::verb(commit, facts);
        match verb {
            Verb::Nothing => {
                state.insisted |= !state.committed;
                return Ok(None);
            }
            Verb::Refuse => {
                (state.gone, state.wrote) = (true, false);
                _ = state.take_changes();
                return Err(SessionError::Gone);
            }
            Verb::Patch | Verb::Touch | Verb::Delete | Verb::Empty | Verb::Renew => {}
            _ if state.committed => return Err(SessionError::AlreadySent),
            _ => {}
        }
        if verb.writes() {
            let within = state.within(side.limits).map_err(CommitError::Limit);
            within.map_err(|error| SessionError::Commit(Box::new(error)))?;
        }
        let access = manager.access(side, &state, now);
        let base = state.found().in_store().cloned();
        let shown = state.look().render(Record::STYLE);
        let mut patch = state.take_changes();
        patch.facts.seen = Some(access);
        // Until the store replies, this request sees its own changes.
        if let Some(stored) = &base
            && let Ok(data) = super::SessionData::parse(shown, Record::STYLE)
        {
            let mut stored = Box::new(stored.clone());
            stored.record.data = data;
            let opened = state.found().opened;
            state.rebase(LoadedSession::stored(stored, opened));
        }
        Ok(Some(Step {
            verb,
            patch,
            base,
            access,
        }))
    }

    /// Resets the flags of the calls that the commit has carried out.
    fn settle(&self, is_unannounced: bool) {
        let mut state = self.locked();
        state.unannounced |= is_unannounced && !state.committed;
        (state.renewed, state.logged_in, state.wrote) = (false, false, false);
    }

    /// Waits until no other commit of this session is in progress.
    async fn turn(&self) -> Turn<'_> {
        poll_fn(|context| {
            let mut state = self.locked();
            if state.committing {
                state.waiting.push(context.waker().clone());
                return Poll::Pending;
            }
            state.committing = true;
            Poll::Ready(Turn(self))
        })
        .await
    }

    /// Changes one key and commits the change.
    ///
    /// `change` returns the new text of the key and the result, and runs again on the newest text
    /// if another request has written the key first. Without a result, nothing is changed.
    async fn swap<T>(
        &self,
        key: &str,
        change: impl Fn(Option<&str>) -> Result<(Option<String>, Option<T>), SessionError>,
    ) -> Result<Option<T>, SessionError> {
        let side = self.server_side()?;
        // Commit this request's changes first, because they may include `key`.
        self.persist(side).await?;
        for _ in 0..ATTEMPTS {
            let now = self.0.manager.now();
            let (stored, access, opened) = {
                let state = self.locked();
                let access = self.0.manager.access(side, &state, now);
                let found = state.found();
                (found.in_store().cloned(), access, found.opened)
            };
            let Some(stored) = stored else {
                // The commit above stores a new session unless it is empty, so no other request has
                // this one.
                let (text, answer) = change(None)?;
                if let Some(text) = text {
                    self.write(|state| state.patch().set(key, text))?;
                    self.persist(side).await?;
                }
                return Ok(answer);
            };
            let expected = stored.record.data.text_of(key).map(str::to_owned);
            let (text, answer) = change(expected.as_deref())?;
            if answer.is_none() {
                return Ok(None);
            }
            let mut patch = Patch::new();
            patch.swap(key, expected, text);
            patch.facts.seen = Some(access);
            let patched = side.store.patch(&stored.key, &stored.record, &patch, now);
            match with_budget(&*side.store, patched).await {
                Ok(Patched::Applied(record)) => {
                    let stored = Stored {
                        record: *record,
                        ..stored
                    };
                    self.locked()
                        .rebase(LoadedSession::stored(Box::new(stored), opened));
                    return Ok(answer);
                }
                Ok(Patched::Gone) => return Err(SessionError::Gone),
                Err(StoreError::Unmet) => {
                    let stored = self.load(side, stored.id, stored.signed_by).await?;
                    self.rebase(stored);
                }
                Err(error) => return Err(SessionError::Store(error)),
            }
        }
        Err(SessionError::Store(StoreError::Conflict))
    }
}

/// A commit by the handler.
struct Step {
    verb: Verb,
    patch: Box<Patch>,
    base: Option<Stored>,
    access: super::Access,
}

/// The exclusive right to commit.
///
/// Two concurrent commits of a new session would create two sessions, each with half of the
/// changes.
struct Turn<'s>(&'s Session);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.0.locked();
            state.committing = false;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

/// The changes taken by a commit, with the session they apply to.
///
/// The changes are restored if the commit fails or is dropped, because they may not have been
/// stored.
struct Taken<'s> {
    session: &'s Session,
    changes: Option<(Box<Patch>, Option<Stored>)>,
}

impl Taken<'_> {
    fn changes(&self) -> (&Patch, Option<&Stored>) {
        let changes = self.changes.as_ref();
        let (patch, base) = changes.expect("taken back when the store has answered");
        (patch, base.as_ref())
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let Some((patch, base)) = self.changes.take() else {
            return;
        };
        let mut state = self.session.locked();
        if let Some(stored) = base {
            let opened = state.found().opened;
            state.rebase(LoadedSession::stored(Box::new(stored), opened));
        }
        state.restore_changes(patch);
    }
}
