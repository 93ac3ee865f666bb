//! One commit: takes the changes, calls the store, and restores them if it failed.

use crate::{
    clock::Timestamp,
    session::{
        Access, Commit, CommitError, Loaded, Patch, Session, SessionData, SessionError,
        commit::{run, stored_facts},
        loaded::{LoadedSession, Stored},
        plan::{self, Verb},
        server_side::{Outcome, ServerSide},
    },
    store::Record,
};

impl Session {
    /// Commits the changes of this request.
    pub(super) async fn persist(&self, side: &ServerSide) -> Result<(), SessionError> {
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
        let outcome = run(
            side,
            (step.verb, patch),
            stored,
            step.access,
            self.0.client_kind(),
        )
        .await;
        let id = match outcome {
            Ok(Outcome::NewId(id)) => Some(id),
            Ok(Outcome::SameId) => stored.map(|stored| stored.at.id.clone()),
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
        let is_new = !matches!((&id, stored), (Some(id), Some(stored)) if stored.at.id == *id);
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
        self.locked().last_id = Some(Box::new(id));
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
        // A timed renewal needs a response that can carry the new ID.
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
        let access = manager.access(side, state.look(), now);
        let base = state.found().in_store().cloned();
        let shown = state.look().render(Record::STYLE);
        let mut patch = state.take_changes();
        patch.facts.seen = Some(access);
        // Until the store replies, this request sees its own changes.
        if let Some(stored) = &base
            && let Ok(data) = SessionData::parse(shown, Record::STYLE)
        {
            let mut stored = stored.clone();
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

    /// Resets the flags of the calls that the commit has completed.
    fn settle(&self, is_unannounced: bool) {
        let mut state = self.locked();
        state.unannounced |= is_unannounced && !state.committed;
        (state.renewed, state.logged_in) = (false, false);
        (state.began_login, state.wrote) = (false, false);
    }
}

/// A commit by the handler.
struct Step {
    verb: Verb,
    patch: Box<Patch>,
    base: Option<Stored>,
    access: Access,
}

/// The changes taken by a commit, and the session that they apply to.
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
            state.rebase(LoadedSession::stored(stored, opened));
        }
        state.restore_changes(patch);
    }
}
