//! Commits a request's session: one decision, the header changes, and at most one store operation.
//!
//! `live` implements commits that do not wait for the response.

use std::{pin::pin, sync::Arc, time::Duration};

use super::{
    Access, Commit, CommitError, Conflict, Decision, Facts, HeaderChanges, Loaded, Patch,
    Rejection, Session, SessionError, SessionManager, Slot, StoredFacts, TokenHeader,
    backend::Prepared,
    client_side::Codec,
    decide,
    expiry::seconds,
    header_changes::{NewToken, Removed},
    lifetime::Terms,
    loaded::{LoadedSession, Stored},
    plan::Verb,
    server_side::{Outcome, ServerSide},
    slot::{ReadView, WriteGuard},
    verb,
};
use crate::{
    clock::Timestamp,
    cookie::{MAX_COOKIE_BYTES, Persistence},
    error::ErrorChain,
    future::{MaybeReady, at_once},
    key::KeyUse,
    limits::{LimitError, Limits, largest},
    store::{ClientKind, StoreError, with_budget},
    token::SessionId,
};

/// The future of [`SessionManager::end`] and [`SessionManager::commit`].
///
/// Ready immediately for client-side sessions. Otherwise the commit waits for the store.
///
/// Poll a pending commit to completion even if the client has disconnected. Otherwise it may be
/// unknown whether the change was stored.
pub type CommitFuture = MaybeReady<'static, Result<HeaderChanges, CommitError>>;

impl SessionManager {
    /// Commits the session at the end of the request and returns the header changes.
    ///
    /// `status` is the status of the response. `cookies` and the clock `now` are only used if
    /// needed. Later writes to the session fail, or need
    /// [`Session::commit`](super::Session::commit) if the session is in a store.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let now = Timestamp::from_unix(1_700_000_000);
    /// // No cookie was read, so the clock is not, either.
    /// let slot = manager.begin();
    /// let changes = manager.end(&slot, [], 200, || unreachable!("no time is needed")).await?;
    /// assert_eq!(changes, HeaderChanges::default());
    ///
    /// let slot = manager.begin();
    /// let session = manager.open(&slot, [], now).await?;
    /// session.insert("theme", "dark")?;
    /// assert!(manager.end(&slot, [], 200, || now).await?.set_cookie.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`CommitError`] if a change cannot be saved. Send [its answer](CommitError::answer) instead
    /// of the handler's response. A use that cannot be recorded, or a cookie that cannot be
    /// refreshed, is only logged.
    #[inline]
    pub fn end<'h>(
        &self,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        status: u16,
        now: impl FnOnce() -> Timestamp,
    ) -> CommitFuture {
        if !slot.is_open() && !self.commits_untouched() {
            self.close(slot);
            return CommitFuture::now(Ok(HeaderChanges::default()));
        }
        match self.commit_read(slot, status) {
            Some(effects) => CommitFuture::now(Ok(effects)),
            None => self.commit(slot, cookies, status, now()),
        }
    }

    /// Commits a session that needs no write, without reading the clock.
    ///
    /// Decides as of the time when the session was opened. Returns `None` without side effects if
    /// the session needs a write.
    fn commit_read(&self, slot: &Slot, status: u16) -> Option<HeaderChanges> {
        if slot.0.is_changed() {
            return None;
        }
        let mut view = slot.0.view()?;
        if view.last_id.is_some() {
            return None;
        }
        let terms = Terms::of(view.found().data());
        let facts = self.facts(&view, terms, status, view.found().opened);
        let Decision { commit, vary } = decide(facts, self.policy);
        view.committed |= commit == Commit::Nothing;
        (commit == Commit::Nothing).then(|| self.effects(slot, None, vary))
    }

    /// Like [`SessionManager::end`], at a given time.
    ///
    /// For tests and for callers that have already read the clock.
    ///
    /// # Errors
    /// As [`SessionManager::end`].
    pub fn commit<'h>(
        &self,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        status: u16,
        now: Timestamp,
    ) -> CommitFuture {
        match &self.side {
            Prepared::Client(codec) => {
                let untouched = !slot.is_open();
                if untouched && self.commits_untouched() {
                    self.resolve_client(codec, slot, cookies, now);
                }
                let committed = self.commit_client(codec, slot, status, now);
                CommitFuture::now(match untouched {
                    true => committed.map(HeaderChanges::of_untouched),
                    false => committed,
                })
            }
            Prepared::Server(side) if slot.has_unread_id() => {
                let (slot, waits) = (slot.clone(), !side.runs_at_once());
                CommitFuture::of(waits, || commit_unread(slot, status, now))
            }
            Prepared::Server(side) if slot.is_open() => match self.plan(side, slot, status, now) {
                Plan::Settled(result) => CommitFuture::now(result),
                Plan::Store(task) if side.runs_at_once() => {
                    CommitFuture::now(at_once(|| carry_out(slot, task)))
                }
                Plan::Store(task) => {
                    let slot = slot.clone();
                    CommitFuture::later(async move { carry_out(&slot, task).await })
                }
            },
            Prepared::Server(side) if self.commits_untouched() => {
                let lines = cookies.into_iter().map(<[u8]>::to_vec).collect();
                let (slot, waits) = (slot.clone(), !side.runs_at_once());
                CommitFuture::of(waits, || commit_untouched(slot, lines, status, now))
            }
            Prepared::Server(_) => {
                self.close(slot);
                CommitFuture::now(Ok(HeaderChanges::default()))
            }
        }
    }

    /// Commits the session of a request without a response.
    ///
    /// The client has disconnected, or the handler has panicked.
    ///
    /// Changes are dropped, but a log-out takes effect. Poll the returned future to completion.
    /// `None` means that no work is left.
    ///
    /// ```
    /// # use carafe_core::{clock::Timestamp, session::*, store::MemoryStore};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let now = Timestamp::from_unix(1_700_000_000);
    /// let abandoned = async |log_out: bool| -> Result<bool, Box<dyn std::error::Error>> {
    ///     let slot = manager.begin();
    ///     manager.open(&slot, [], now).await?.log_in("ada")?;
    ///     let line = manager.commit(&slot, [], 200, now).await?.set_cookie.unwrap_or_default();
    ///     let cookie = line.split(';').next().unwrap_or_default().as_bytes();
    ///
    ///     // The client disconnects during this request.
    ///     let slot = manager.begin();
    ///     let session = manager.open(&slot, [cookie], now).await?;
    ///     session.insert("cart", &["tea"])?;
    ///     if log_out {
    ///         session.log_out()?;
    ///     }
    ///     if let Some(future) = manager.abandon(&slot, || now) {
    ///         future.await?;
    ///     }
    ///     let slot = manager.begin();
    ///     let session = manager.open(&slot, [cookie], now).await?;
    ///     assert!(!session.contains_key("cart"), "changes are dropped");
    ///     Ok(session.user().is_some())
    /// };
    /// assert!(abandoned(false).await?);
    /// assert!(!abandoned(true).await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn abandon(&self, slot: &Slot, now: impl FnOnce() -> Timestamp) -> Option<CommitFuture> {
        let Prepared::Server(side) = &self.side else {
            return None;
        };
        let mut view = slot.0.view()?;
        if view.committed || !view.ended || view.found().in_store().is_none() {
            return None;
        }
        view.committed = true;
        let access = self.access(side, view.look(), now());
        view.send(access);
        drop(view);
        let task = Task {
            verb: Verb::Delete,
            access,
            refused: None,
            removal: None,
            forgets: Removed::default(),
            vary: false,
            persistence: Persistence::BrowserSession,
            resends: false,
            is_best_effort: false,
            is_unannounced: false,
            wrote: false,
        };
        let slot = slot.clone();
        let waits = !side.runs_at_once();
        Some(CommitFuture::of(waits, || async move {
            carry_out(&slot, task).await
        }))
    }

    fn commit_client(
        &self,
        codec: &Codec,
        slot: &Slot,
        status: u16,
        now: Timestamp,
    ) -> Result<HeaderChanges, CommitError> {
        let Some(mut state) = slot.0.view() else {
            // Closed here, so that a later `open` sees that the head has been sent.
            self.close(slot);
            return Ok(HeaderChanges::default());
        };
        state.committed = true;
        let terms = Terms::of(state.found().data());
        let facts = self.facts(&state, terms, status, now);
        let Decision { commit, vary } = decide(facts, self.policy);
        let written = match commit {
            Commit::Nothing => Ok(None),
            Commit::Write => self.write_cookie(codec, slot, &state, now).map(Some),
            Commit::Reissue => {
                let issued = state.issued().unwrap_or(now);
                self.write_cookie(codec, slot, &state, issued).map(Some)
            }
            Commit::Remove => Ok(Some(self.removal(slot))),
        };
        let new = match written {
            // The handler has changed nothing, and the browser's cookie is still valid.
            Err(error) if !state.is_changed() => {
                tracing::warn!(
                    cookie = self.cookie.name(),
                    "session cookie not renewed: {}",
                    ErrorChain::of(&error)
                );
                None
            }
            written => written?,
        };
        let forgets = self.forgets(&state, slot);
        Ok(self.effects(slot, new, vary).forgetting(forgets))
    }

    /// Returns the response's header changes.
    ///
    /// If the cookie is written, the cookies of former policies are removed.
    fn effects(&self, slot: &Slot, new: Option<NewToken>, vary: bool) -> HeaderChanges {
        let further = self.transports.vary.as_ref().filter(|_| vary);
        let changes = HeaderChanges::new(new, vary && self.transports.cookie.is_some());
        HeaderChanges {
            vary_headers: further.map(Arc::clone),
            no_store: changes.no_store || slot.0.forbids_storing(),
            ..changes
        }
        .with_former(&self.cookie)
    }

    /// Returns a new token in the form of the request's transport.
    fn carried(
        &self,
        slot: &Slot,
        token: &str,
        persistence: Persistence,
    ) -> Result<NewToken, CommitError> {
        if let Some(name) = slot.0.transport().shared_response_header() {
            let value = token.to_owned();
            return Ok(NewToken::Header(TokenHeader { name, value }));
        }
        let cookie = self.cookie.set(token, persistence);
        cookie.map(NewToken::Cookie).map_err(CommitError::Cookie)
    }

    /// Returns the removal of the client's token.
    fn removal(&self, slot: &Slot) -> NewToken {
        match slot.0.transport().shared_response_header() {
            Some(name) => NewToken::Header(TokenHeader {
                name,
                value: String::new(),
            }),
            None => NewToken::Cookie(self.cookie.removal().to_owned()),
        }
    }

    fn write_cookie(
        &self,
        codec: &Codec,
        slot: &Slot,
        state: &WriteGuard<'_>,
        issued: Timestamp,
    ) -> Result<NewToken, CommitError> {
        let look = state.look();
        let payload = look.render(self.style());
        let terms = Terms::of(look.found.data()).after(look.changes);
        let (is_permanent, own) = (terms.is_permanent(), terms.lifetime());
        let lifetime = self.lifetime_in(own);
        let expires = issued.saturating_add(seconds(lifetime));
        let value = codec
            .seal(&payload, issued, expires)
            .map_err(CommitError::Seal)?;
        let header = slot.0.transport().response_header();
        let size = header.unwrap_or(self.cookie.name()).len() + value.len();
        if size > MAX_COOKIE_BYTES {
            return Err(CommitError::TooLarge {
                size,
                largest: largest(look.members()),
            });
        }
        let persistence = self.persistence(is_permanent, own, expires);
        self.carried(slot, &value, persistence)
    }

    /// `terms` are those of the session as loaded.
    fn facts(
        &self,
        state: &WriteGuard<'_>,
        terms: Terms<'_>,
        status: u16,
        now: Timestamp,
    ) -> Facts {
        let found = state.found();
        let emptied = match (&self.side, found.in_store()) {
            // As in Flask, where `session.modified = True` is enough.
            (Prepared::Client(_), _) => state.is_changed(),
            (Prepared::Server(_), Some(_)) => state.changes_keys(),
            // With a retired ID, any change is a conflict.
            (Prepared::Server(_), None) => found.is_retired() && state.is_changed(),
        };
        Facts {
            accessed: state.is_accessed(),
            modified: state.is_changed(),
            empty: state.look().is_empty(),
            emptied,
            // Only this policy needs the value.
            permanent: self.commits_untouched() && state.look().is_permanent(),
            ended: state.ended,
            through_fallback: state.is_through_fallback(),
            due: self.is_due(found, terms.lifetime(), now),
            stored: found.in_store().is_some(),
            background: state.is_background(),
            unannounced: state.unannounced,
            // If two cookies verify, removing one would leave the other one, which may be an
            // attacker's.
            rejected: matches!(
                &found.loaded,
                Loaded::Rejected(Rejection::Token(_) | Rejection::UnknownId)
            ),
            server_error: status >= 500,
            insisted: state.insisted,
        }
    }

    /// Returns whether a use should be recorded.
    ///
    /// A use is due once a twentieth of the lifetime has passed since the last recorded use, or
    /// when a renewal is due or pending.
    fn is_due(&self, found: &LoadedSession, own: Option<Duration>, now: Timestamp) -> bool {
        match (&self.side, found.in_store()) {
            (Prepared::Server(side), Some(stored)) => {
                let (record, skew) = (&stored.record, side.clock_skew);
                side.timeouts.bounded_by(own, self.lifetime()).use_is_due(
                    record.meta.last_seen,
                    now,
                    self.lifetime(),
                    skew,
                ) || side.renewal_is_due(record, now)
                    || stored.confirms()
                    || stored.successor().is_some()
            }
            _ => {
                let lifetime = seconds(self.lifetime_in(own));
                let refreshes_at =
                    |issued| now.seconds_since(issued).saturating_mul(20) >= lifetime;
                found.issued().is_some_and(refreshes_at)
            }
        }
    }

    /// Returns the use that a commit at `now` records.
    pub(super) fn access(&self, side: &ServerSide, look: ReadView<'_>, now: Timestamp) -> Access {
        self.access_with(side, look.found.in_store(), look.lifetime(), now)
    }

    /// Like [`access`](Self::access), for a session that has set the lifetime `own`.
    fn access_with(
        &self,
        side: &ServerSide,
        stored: Option<&Stored>,
        own: Option<Duration>,
        now: Timestamp,
    ) -> Access {
        let created = stored.map_or(now, |stored| stored.record.meta.created);
        let limits = side.timeouts.bounded_by(own, self.lifetime());
        let grace = seconds(limits.grace);
        Access {
            at: now,
            expires: limits.expires(created, now, self.lifetime()),
            confirms: stored
                .is_some_and(Stored::confirms)
                .then(|| now.saturating_add(grace)),
        }
    }

    /// Makes the decision, and leaves the changes for the store in the slot.
    ///
    /// After this, the session can only be changed by separate commits.
    fn plan(&self, side: &ServerSide, slot: &Slot, status: u16, now: Timestamp) -> Plan {
        let Some(mut state) = slot.0.view() else {
            // No handler has used the session, so no changes exist.
            self.close(slot);
            return Plan::Settled(Ok(HeaderChanges::default()));
        };
        state.committed = true;
        let before = Terms::of(state.found().data());
        let facts = self.facts(&state, before, status, now);
        let Decision { commit, vary } = decide(facts, self.policy);
        let stored_facts = stored_facts(&state, side, now);
        let removal = (commit == Commit::Remove).then(|| self.removal(slot));
        let verb = verb(commit, stored_facts);
        let forgets = self.forgets(&state, slot);
        let look = state.look();
        let terms = before.after(look.changes);
        let (permanent, own) = (terms.is_permanent(), terms.lifetime());
        let access = self.access_with(side, look.found.in_store(), own, now);
        let persistence = self.persistence(permanent, own, access.expires);
        if verb == Verb::Touch && state.unannounced && !facts.due {
            let stored = state.found().in_store();
            let cookie = stored.map(|stored| self.id_token(side, slot, &stored.at.id, persistence));
            return Plan::Settled(
                cookie
                    .transpose()
                    .map(|cookie| self.effects(slot, cookie, vary)),
            );
        }
        let wrote = state.wrote;
        if verb == Verb::Refuse {
            let effects = self.effects(slot, None, vary);
            return Plan::Settled(self.conflict(wrote).map(|()| effects));
        }
        if verb == Verb::Nothing {
            return Plan::Settled(Ok(self.effects(slot, removal, vary).forgetting(forgets)));
        }
        let refused = verb.writes().then(|| state.within(side.limits).err());
        let (verb, refused) = match (verb, refused.flatten()) {
            // A log-out takes effect even if the session that would replace the old one is
            // rejected.
            (Verb::Replace | Verb::Depart, Some(error)) => (Verb::Delete, Some(error)),
            (_, Some(error)) => return Plan::Settled(Err(CommitError::Limit(error))),
            (verb, None) => (verb, None),
        };
        let is_cookie = slot.0.transport().response_header().is_none();
        let wants_expiry = permanent || before.is_permanent() || self.always_keeps();
        let wants = facts.through_fallback || (is_cookie && wants_expiry);
        let may_be_replaced = state
            .found()
            .in_store()
            .is_some_and(|stored| side.may_be_renewed_elsewhere(&stored.record, now));
        let resends = state.unannounced || (wants && !may_be_replaced);
        state.send(access);
        Plan::Store(Task {
            verb,
            access,
            refused,
            removal,
            forgets,
            vary,
            persistence,
            resends,
            is_best_effort: !facts.modified,
            is_unannounced: facts.unannounced,
            wrote,
        })
    }

    /// Handles changes that came too late: returns an error, or logs one event.
    fn conflict(&self, wrote: bool) -> Result<(), CommitError> {
        if !wrote {
            return Ok(());
        }
        match self.on_conflict {
            Conflict::Reject => Err(CommitError::Conflict),
            Conflict::Discard => {
                tracing::warn!(
                    cookie = self.cookie.name(),
                    "changes of a session dropped: another request has ended it or given it a new id"
                );
                Ok(())
            }
        }
    }

    fn id_token(
        &self,
        side: &ServerSide,
        slot: &Slot,
        id: &SessionId,
        persistence: Persistence,
    ) -> Result<NewToken, CommitError> {
        let signed = side.signed(id);
        let text = signed.as_ref().map_or(id.as_str(), |text| text.as_str());
        self.carried(slot, text, persistence)
    }
}

/// The plan of a server-side commit.
enum Plan {
    /// The result, without a store operation.
    Settled(Result<HeaderChanges, CommitError>),
    /// A store operation.
    Store(Task),
}

/// A store operation, and how its outcome is reported to the browser.
struct Task {
    verb: Verb,
    access: Access,
    /// The reason why the session that replaces a logged-out one is not stored.
    refused: Option<LimitError>,
    removal: Option<NewToken>,
    /// Browser state that the log-out removes in addition to the session.
    forgets: Removed,
    vary: bool,
    persistence: Persistence,
    /// Whether the ID is sent again to a browser that already has it.
    resends: bool,
    /// Whether the operation only records a use. Then a failure does not fail the request.
    is_best_effort: bool,
    /// Whether the browser does not have the session's ID yet.
    is_unannounced: bool,
    /// Whether the handler has changed the session.
    wrote: bool,
}

/// Commits a request after an earlier commit that could not load the session under its new ID.
async fn commit_unread(
    slot: Slot,
    status: u16,
    now: Timestamp,
) -> Result<HeaderChanges, CommitError> {
    let manager = slot.manager();
    let Prepared::Server(side) = &manager.side else {
        return Ok(HeaderChanges::default());
    };
    if let Err(error) = Session::opened(&slot).ensure_stored(side).await {
        let wrote = slot.0.view().is_some_and(|mut view| {
            view.committed = true;
            view.wrote
        });
        return match error {
            SessionError::Store(source) => Err(CommitError::Store {
                source,
                set_cookie: None,
                remember_cookie: None,
                token: None,
            }),
            // The session was revoked in the meantime.
            _ => manager.conflict(wrote).map(|()| HeaderChanges::default()),
        };
    }
    match manager.plan(side, &slot, status, now) {
        Plan::Settled(result) => result,
        Plan::Store(task) => carry_out(&slot, task).await,
    }
}

/// Commits a session that no handler has used, because Flask refreshes permanent sessions.
async fn commit_untouched(
    slot: Slot,
    lines: Vec<Vec<u8>>,
    status: u16,
    now: Timestamp,
) -> Result<HeaderChanges, CommitError> {
    let manager = slot.manager();
    let Prepared::Server(side) = &manager.side else {
        return Err(misplaced());
    };
    let lines = lines.iter().map(Vec::as_slice);
    if let Err(error) = manager.resolve(&slot, lines, now, drop).await {
        tracing::warn!(
            cookie = manager.cookie.name(),
            reason = error.code(),
            "session not refreshed: {error}"
        );
        return Ok(HeaderChanges::default());
    }
    match manager.plan(side, &slot, status, now) {
        Plan::Settled(result) => result,
        Plan::Store(task) => carry_out(&slot, task).await,
    }
    .map(HeaderChanges::of_untouched)
}

#[expect(
    clippy::manual_async_fn,
    reason = "`async fn` would hold what it is given twice"
)]
fn carry_out(slot: &Slot, task: Task) -> impl Future<Output = Result<HeaderChanges, CommitError>> {
    async move {
        let manager = slot.manager();
        let (Prepared::Server(side), Some(base)) = (&manager.side, slot.0.base()) else {
            return Err(misplaced());
        };
        let stored = base.in_store();
        let Task {
            verb,
            access,
            refused,
            removal,
            forgets,
            vary,
            persistence,
            resends,
            is_best_effort,
            is_unannounced,
            wrote,
        } = task;
        let outcome = match run(
            side,
            (verb, slot.0.sent()),
            stored,
            access,
            slot.0.client_kind(),
        )
        .await
        {
            Ok(outcome) => outcome,
            Err(error) if is_best_effort => {
                tracing::warn!(
                    cookie = manager.cookie.name(),
                    reason = error.code(),
                    "the use of a session was not recorded: {error}"
                );
                match is_unannounced {
                    true => Outcome::SameId,
                    false => Outcome::Unchanged,
                }
            }
            Err(source) => {
                let (set_cookie, token) = NewToken::split(removal);
                return Err(CommitError::Store {
                    source,
                    set_cookie,
                    remember_cookie: forgets.remember_cookie,
                    token,
                });
            }
        };
        if let Some(error) = refused {
            return Err(CommitError::Limit(error));
        }
        let token = |id: &SessionId| {
            let token = manager.id_token(side, slot, id, persistence);
            token.map(Some)
        };
        let new = match outcome {
            Outcome::NewId(id) => {
                slot.0.note_id(&id);
                token(&id)?
            }
            // Send an ID again only to a browser that already has it. A browser that sent an
            // earlier ID may have a newer one by now, unless the renewal is pending.
            Outcome::SameId => match stored {
                Some(stored) if stored.is_current => match resends {
                    true => token(&stored.at.id)?,
                    false => None,
                },
                Some(stored) => match stored.successor() {
                    Some(id) => token(&id)?,
                    None => None,
                },
                None => None,
            },
            Outcome::Gone => {
                manager.conflict(wrote)?;
                None
            }
            Outcome::Unchanged => removal,
            Outcome::Refused { limit } => return Err(CommitError::TooManySessions { limit }),
        };
        Ok(manager.effects(slot, new, vary).forgetting(forgets))
    }
}

/// Returns the error of a server-side commit without a store or a session.
///
/// Unreachable, but a success without a saved session would be worse.
#[cold]
fn misplaced() -> CommitError {
    CommitError::Store {
        source: StoreError::Unsupported,
        set_cookie: None,
        remember_cookie: None,
        token: None,
    }
}

/// Runs a store operation within the request's time budget.
///
/// A log-out is not canceled: the store's guard queues revocations that exceed its own deadline.
pub(super) async fn run(
    side: &ServerSide,
    (verb, patch): (Verb, &Patch),
    stored: Option<&Stored>,
    access: Access,
    client: ClientKind,
) -> Result<Outcome, StoreError> {
    // Pinned here to avoid a move.
    let run = pin!(side.run((verb, patch), stored, access, client));
    match verb {
        Verb::Delete | Verb::Empty | Verb::Replace | Verb::Depart => run.await,
        _ => with_budget(&*side.store, run).await,
    }
}

/// Returns the facts that determine the store operation.
pub(super) fn stored_facts(
    state: &WriteGuard<'_>,
    side: &ServerSide,
    now: Timestamp,
) -> StoredFacts {
    let found = state.found();
    StoredFacts {
        stored: found.in_store().is_some(),
        retired: found.is_retired(),
        changed: state.is_changed(),
        ended: state.ended,
        user_left: state.user_has_left(),
        logged_in: state.logged_in,
        began_login: state.began_login,
        renewed: state.renewed,
        renewal_due: found
            .in_store()
            .is_some_and(|stored| stored.is_current && side.renewal_is_due(&stored.record, now)),
    }
}

impl WriteGuard<'_> {
    /// Returns whether the request's cookie was verified with a fallback key.
    fn is_through_fallback(&self) -> bool {
        let found = self.found();
        let key = match &found.loaded {
            Loaded::Valid { key, .. } => Some(key),
            _ => found.in_store().map(|stored| &stored.at.signed_by),
        };
        matches!(key, Some(KeyUse::Fallback(_)))
    }

    /// Checks the request's changes against the limits.
    pub(super) fn within(&self, limits: Limits) -> Result<(), LimitError> {
        let look = self.look();
        limits.check(look.found.data(), look.changes)
    }

    fn issued(&self) -> Option<Timestamp> {
        self.found().issued()
    }
}

impl LoadedSession {
    /// Returns whether the request's ID was retired recently.
    const fn is_retired(&self) -> bool {
        matches!(self.loaded, Loaded::Rejected(Rejection::Retired))
    }

    fn issued(&self) -> Option<Timestamp> {
        self.loaded.issued()
    }
}

impl Loaded {
    /// Returns the time when the session's cookie was issued.
    pub(super) const fn issued(&self) -> Option<Timestamp> {
        match self {
            Self::Valid { issued, .. } => Some(*issued),
            Self::Absent | Self::Stored | Self::Rejected(_) => None,
        }
    }
}
