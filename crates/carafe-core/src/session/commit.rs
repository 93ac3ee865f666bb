//! The end of a request: what the handler did becomes one decision, and the decision headers and, on the
//! server side, one verb of the store.

use std::pin::pin;

use super::{
    Commit, CommitError, Decision, Effects, Facts, Loaded, Rejection, Seen, SessionManager, Slot,
    StoredFacts,
    client_side::Codec,
    decide,
    plan::Verb,
    server_side::{Outcome, ServerSide},
    side::Prepared,
    slot::{Found, View},
    verb,
};
use crate::{
    answer::{Answer, at_once},
    clock::Timestamp,
    cookie::MAX_COOKIE_BYTES,
    json::string,
    key::KeyUse,
    store::within,
    token::SessionId,
};

/// A commit under way. Ready at once where sessions live in their cookies; otherwise it waits for the store.
///
/// Drive a waiting commit to its end even if the client has hung up, or it may be unknown whether the
/// change took place.
pub type Committing = Answer<'static, Result<Effects, CommitError>>;

impl SessionManager {
    /// Ends the request: decides what to do, does it, and renders it. `status` is the response's; `cookies` and the
    /// clock `now` are asked only if that matters. Later writes to the session give an error.
    ///
    /// # Errors
    /// [`CommitError`] if a change cannot be written; then send [its answer](CommitError::answer) instead of the
    /// handler's. A cookie that only cannot be renewed stays as it is, with a log event.
    #[inline]
    pub fn end<'h>(
        &self,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        status: u16,
        now: impl FnOnce() -> Timestamp,
    ) -> Committing {
        if !slot.is_open() && !self.commits_untouched() {
            self.close(slot);
            return Committing::now(Ok(Effects::default()));
        }
        match self.commit_read(slot, status) {
            Some(effects) => Committing::now(Ok(effects)),
            None => self.commit(slot, cookies, status, now()),
        }
    }

    /// Ends a request that only needs headers, if that can be told from the time when its session was opened: asks no
    /// clock. Otherwise nothing has happened.
    fn commit_read(&self, slot: &Slot, status: u16) -> Option<Effects> {
        if slot.0.is_changed() {
            return None;
        }
        let mut view = slot.0.view()?;
        let facts = self.facts(&view, status, view.found().opened);
        let Decision { commit, vary } = decide(facts, self.policy);
        view.committed |= commit == Commit::Nothing;
        (commit == Commit::Nothing).then(|| Effects::new(None, vary))
    }

    /// [`SessionManager::end`] at a given time, for tests and for whoever has asked the clock already.
    ///
    /// # Errors
    /// As there.
    pub fn commit<'h>(
        &self,
        slot: &Slot,
        cookies: impl IntoIterator<Item = &'h [u8]>,
        status: u16,
        now: Timestamp,
    ) -> Committing {
        match &self.side {
            Prepared::Client(codec) => {
                let untouched = !slot.is_open();
                if untouched && self.commits_untouched() {
                    self.settle_client(codec, slot, cookies, now);
                }
                let committed = self.commit_client(codec, slot, status, now);
                Committing::now(match untouched {
                    true => committed.map(Effects::of_untouched),
                    false => committed,
                })
            }
            Prepared::Server(side) if slot.is_open() => match self.plan(side, slot, status, now) {
                Plan::Settled(effects) => Committing::now(Ok(effects)),
                Plan::Store(task) if side.runs_at_once() => {
                    Committing::now(at_once(|| carry_out(slot, task, now)))
                }
                Plan::Store(task) => {
                    let slot = slot.clone();
                    Committing::later(async move { carry_out(&slot, task, now).await })
                }
            },
            Prepared::Server(side) if self.commits_untouched() => {
                let lines = cookies.into_iter().map(<[u8]>::to_vec).collect();
                let (slot, waits) = (slot.clone(), !side.runs_at_once());
                Committing::of(waits, || commit_untouched(slot, lines, status, now))
            }
            Prepared::Server(_) => {
                self.close(slot);
                Committing::now(Ok(Effects::default()))
            }
        }
    }

    fn commit_client(
        &self,
        codec: &Codec,
        slot: &Slot,
        status: u16,
        now: Timestamp,
    ) -> Result<Effects, CommitError> {
        // Settled here, so that whoever opens the session later is told that the head has been sent.
        if !slot.is_open() {
            self.close(slot);
            return Ok(Effects::default());
        }
        let Some(mut state) = slot.0.view() else {
            return Ok(Effects::default());
        };
        state.committed = true;
        let facts = self.facts(&state, status, now);
        let Decision { commit, vary } = decide(facts, self.policy);
        let written = match commit {
            Commit::Nothing => Ok(None),
            Commit::Write => self.write_cookie(codec, &state, now).map(Some),
            Commit::Reissue => {
                let issued = state.issued().unwrap_or(now);
                self.write_cookie(codec, &state, issued).map(Some)
            }
            Commit::Remove => Ok(Some(self.cookie.removal().to_owned())),
        };
        let set_cookie = match written {
            // Nothing of the handler's is lost: the browser keeps a cookie that is still good.
            Err(error) if !state.is_changed() => {
                tracing::warn!(
                    cookie = self.cookie.name(),
                    "session cookie not renewed: {error}"
                );
                None
            }
            written => written?,
        };
        Ok(Effects::new(set_cookie, vary))
    }

    fn write_cookie(
        &self,
        codec: &Codec,
        state: &View<'_>,
        issued: Timestamp,
    ) -> Result<String, CommitError> {
        let payload = state.look().render(self.style());
        let expires = issued.saturating_add(self.lifetime_seconds());
        let value = codec
            .seal(&payload, issued, expires)
            .map_err(CommitError::Seal)?;
        let size = self.cookie.name().len() + value.len();
        if size > MAX_COOKIE_BYTES {
            return Err(CommitError::TooLarge {
                size,
                largest: largest(state),
            });
        }
        self.cookie
            .set(
                &value,
                self.persistence(state.look().is_permanent(), expires),
            )
            .map_err(CommitError::Cookie)
    }

    fn facts(&self, state: &View<'_>, status: u16, now: Timestamp) -> Facts {
        Facts {
            accessed: state.is_accessed(),
            modified: state.is_changed(),
            empty: state.look().is_empty(),
            // No other policy asks.
            permanent: self.commits_untouched() && state.look().is_permanent(),
            ended: state.ended,
            through_fallback: state.is_through_fallback(),
            due: self.is_due(state, now),
            // Removing one of two cookies that verify would leave the other one, which may be an attacker's.
            rejected: matches!(
                &state.found().loaded,
                Loaded::Rejected(Rejection::Token(_) | Rejection::UnknownId)
            ),
            server_error: status >= 500,
            insisted: state.insisted,
        }
    }

    /// Whether a use should be noted: a twentieth of the lifetime has passed since the last one.
    fn is_due(&self, state: &View<'_>, now: Timestamp) -> bool {
        match (&self.side, state.found().record()) {
            (Prepared::Server(side), Some(record)) => {
                let limits = side.timeouts;
                limits.use_is_due(record.last_seen, now, self.lifetime())
                    || limits.renewal_is_due(record.renewed, now)
            }
            _ => {
                let lifetime = self.lifetime_seconds();
                let refreshes_at =
                    |issued| now.seconds_since(issued).saturating_mul(20) >= lifetime;
                state.issued().is_some_and(refreshes_at)
            }
        }
    }

    /// Decides, and leaves in the slot what the store has to change, if anything. From now on the session can only be read.
    fn plan(&self, side: &ServerSide, slot: &Slot, status: u16, now: Timestamp) -> Plan {
        let Some(mut state) = slot.0.view() else {
            return Plan::Settled(Effects::default());
        };
        state.committed = true;
        let facts = self.facts(&state, status, now);
        let Decision { commit, vary } = decide(facts, self.policy);
        let created = state.found().record().map_or(now, |record| record.created);
        let removal = (commit == Commit::Remove).then(|| self.cookie.removal().to_owned());
        let verb = verb(commit, stored_facts(&state, side, now));
        if verb == Verb::Nothing {
            return Plan::Settled(Effects::new(removal, vary));
        }
        let expires = side.timeouts.expires(created, now, self.lifetime());
        let permanent = state.look().is_permanent();
        state.send(Seen { at: now, expires });
        Plan::Store(Task {
            verb,
            removal,
            vary,
            expires,
            permanent,
            resigned: facts.through_fallback,
        })
    }

    fn id_cookie(
        &self,
        side: &ServerSide,
        id: &SessionId,
        permanent: bool,
        expires: Timestamp,
    ) -> Result<String, CommitError> {
        let (signed, persistence) = (side.signed(id), self.persistence(permanent, expires));
        let text = signed.as_ref().map_or(id.as_str(), |text| text.as_str());
        self.cookie
            .set(text, persistence)
            .map_err(CommitError::Cookie)
    }
}

/// What a server-side commit comes to.
enum Plan {
    /// These headers; the store has nothing to do with it.
    Settled(Effects),
    /// A verb of the store.
    Store(Task),
}

/// What the store has to do, and what the browser hears afterwards.
struct Task {
    verb: Verb,
    removal: Option<String>,
    vary: bool,
    expires: Timestamp,
    permanent: bool,
    resigned: bool,
}

/// The commit of a session that no handler has used, where that matters: Flask refreshes permanent ones.
async fn commit_untouched(
    slot: Slot,
    lines: Vec<Vec<u8>>,
    status: u16,
    now: Timestamp,
) -> Result<Effects, CommitError> {
    let manager = slot.manager();
    let Prepared::Server(side) = &manager.side else {
        return Ok(Effects::default());
    };
    let lines = lines.iter().map(Vec::as_slice);
    let settled = manager.settle(&slot, lines, now, drop).await;
    settled.map_err(|source| CommitError::Store {
        source,
        set_cookie: None,
    })?;
    match manager.plan(side, &slot, status, now) {
        Plan::Settled(effects) => Ok(effects),
        Plan::Store(task) => carry_out(&slot, task, now).await,
    }
    .map(Effects::of_untouched)
}

#[expect(
    clippy::manual_async_fn,
    reason = "`async fn` would hold what it is given twice"
)]
fn carry_out(
    slot: &Slot,
    task: Task,
    now: Timestamp,
) -> impl Future<Output = Result<Effects, CommitError>> {
    async move {
        let manager = slot.manager();
        let Prepared::Server(side) = &manager.side else {
            return Ok(Effects::default());
        };
        let Task {
            verb,
            removal,
            vary,
            expires,
            permanent,
            resigned,
        } = task;
        let (stored, patch) = (slot.0.found().and_then(Found::in_store), slot.0.sent());
        // A log-out is not cut off: the store's guard remembers what the store was not told of, at its own deadline.
        let ends = matches!(verb, Verb::Delete | Verb::Replace);
        // Pinned here, so that it need not be moved.
        let run = pin!(side.run((verb, patch), stored, expires, now));
        let outcome = match ends {
            true => run.await,
            false => within(&*side.store, run).await,
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(source) => {
                return Err(CommitError::Store {
                    source,
                    set_cookie: removal,
                });
            }
        };
        let is_shown = permanent || resigned || manager.always_keeps();
        let set_cookie = match outcome {
            Outcome::NewId(id) => Some(manager.id_cookie(side, &id, permanent, expires)?),
            Outcome::SameId => match stored.filter(|_| is_shown) {
                Some(stored) => Some(manager.id_cookie(side, &stored.id, permanent, expires)?),
                None => None,
            },
            // The browser may have the id of a newer login by now; a late response leaves it alone.
            Outcome::Gone => None,
            Outcome::Unchanged => removal,
            Outcome::Refused { limit } => return Err(CommitError::TooManySessions { limit }),
        };
        Ok(Effects::new(set_cookie, vary))
    }
}

fn stored_facts(state: &View<'_>, side: &ServerSide, now: Timestamp) -> StoredFacts {
    let due = |record: &crate::store::Record| side.timeouts.renewal_is_due(record.renewed, now);
    StoredFacts {
        stored: state.found().record().is_some(),
        changed: state.is_changed(),
        ended: state.ended || state.user_has_left(),
        logged_in: state.logged_in,
        renewed: state.renewed || state.found().record().is_some_and(due),
    }
}

impl View<'_> {
    /// Whether the request's cookie was verified by a key that no longer makes any.
    fn is_through_fallback(&self) -> bool {
        let key = match &self.found().loaded {
            Loaded::Valid { key, .. } => Some(key),
            _ => self.found().in_store().map(|stored| &stored.signed_by),
        };
        matches!(key, Some(KeyUse::Fallback(_)))
    }

    fn issued(&self) -> Option<Timestamp> {
        match self.found().loaded {
            Loaded::Valid { issued, .. } => Some(issued),
            Loaded::Absent | Loaded::Stored | Loaded::Rejected(_) => None,
        }
    }
}

fn largest(state: &View<'_>) -> Vec<(String, usize)> {
    let name = |raw: &str| {
        string::decode(raw).map_or_else(|_| raw.to_owned(), std::borrow::Cow::into_owned)
    };
    let mut sizes: Vec<_> = state
        .look()
        .members()
        .map(|(raw, value)| (name(raw), value.len()))
        .collect();
    sizes.sort_by_key(|&(_, size)| std::cmp::Reverse(size));
    sizes.truncate(3);
    sizes
}
