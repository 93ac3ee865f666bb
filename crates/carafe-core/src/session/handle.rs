//! What a handler holds: a dictionary.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Flash, Loaded, Rejection, Rerun, Slot, flash,
    slot::{Found, Look, Shared, View},
};
use crate::{
    clock::Timestamp,
    json::{self, DecodeError, EncodeError, Style, Value, string},
    store::{Handle, Record},
};

/// Flask's key for `session.permanent`.
pub(super) const PERMANENT: &str = "_permanent";
/// The key of the logged-in user: the one that Flask-Login uses.
pub(super) const USER: &str = "_user_id";
/// Why the slot of a session is open.
const OPEN: &str = "`Session::of` makes sessions of open slots only";

/// A session: a dictionary that comes back with the browser's next request. Cheap to clone; all clones
/// are the same session.
///
/// Every call is synchronous and works on memory; the cookie is written once, when the response's head
/// is made. A call that writes after that gives [`SessionError::AlreadySent`] instead of losing the change.
///
/// | Flask | here |
/// |---|---|
/// | `session["k"] = v` | `session.insert("k", v)?` |
/// | `session.get("k")` | `session.get::<T>("k")?` |
/// | `session.pop("k", None)` | `session.take::<T>("k")?` or `session.remove("k")?` |
/// | `"k" in session`, `len(session)`, `session.clear()` | `contains_key`, `len`, `clear` |
/// | `session.permanent = True` | `session.set_permanent(true)?` |
#[derive(Clone)]
pub struct Session(Arc<Shared>);

/// Why a call on a session failed. The session is as it was before the call.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionError {
    /// The value cannot be written as JSON.
    Encode {
        /// The key it was meant for.
        key: String,
        /// What is wrong with it.
        source: EncodeError,
    },
    /// The value under this key has another type than the one that was asked for.
    Decode {
        /// The key.
        key: String,
        /// What does not fit.
        reason: String,
    },
    /// The response's head was sent, so a change can no longer reach the browser. Change the session
    /// before the response is returned, not in a streamed body or a background task.
    AlreadySent,
}

impl Session {
    /// `None` until the slot is open.
    pub(super) fn of(slot: &Slot) -> Option<Self> {
        slot.is_open().then(|| Self::opened(slot))
    }

    /// Of a slot that is open.
    pub(super) fn opened(slot: &Slot) -> Self {
        Self(Arc::clone(&slot.0))
    }

    /// A session that was opened when the head of its response had been sent: to be read, not to be written.
    pub(super) fn too_late(slot: &Slot, found: Found) -> Self {
        let apart = Slot::new(Arc::clone(slot.manager()));
        apart.0.settle(|| found);
        let session = Self(apart.0);
        session.locked().committed = true;
        session
    }

    /// The value of `key`, if it is there.
    ///
    /// Tagged values read as the plain type or as their wrapper: a Python tuple as `Vec`, Rust tuple or
    /// [`json::tag::Tuple`], a datetime as `String` or [`json::tag::DateTime`], and so on.
    ///
    /// # Errors
    /// [`SessionError::Decode`] if it is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        self.read(|look| self.decode_option(key, look.text_of(key)))
    }

    /// The value of `key` in the dynamic type that loses nothing.
    ///
    /// # Errors
    /// [`SessionError::Decode`]; a value that came in a verified cookie never gives it.
    pub fn get_value(&self, key: &str) -> Result<Option<Value>, SessionError> {
        let tags = self.0.manager.style().tags;
        let text = self.json_text(key);
        let value = text.map(|text| Value::parse(&text, tags)).transpose();
        value.map_err(|error| SessionError::shape(key, &error))
    }

    /// The value of `key` as the JSON text that is stored.
    #[must_use]
    pub fn json_text(&self, key: &str) -> Option<String> {
        self.read(|look| look.text_of(key).map(str::to_owned))
    }

    /// Gives `key` a value. Counts as a change even if the value is the same.
    ///
    /// # Errors
    /// [`SessionError::Encode`] or [`SessionError::AlreadySent`].
    pub fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), SessionError> {
        let text = self.encode(key, value)?;
        self.write(|state| state.patch().set(key, text))
    }

    /// Takes `key` away; whether it was there.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn remove(&self, key: &str) -> Result<bool, SessionError> {
        self.write(|state| {
            let was_there = state.text_of(key).is_some();
            if was_there {
                state.patch().remove(key);
            }
            was_there
        })
    }

    /// Takes `key` away and gives its value.
    ///
    /// # Errors
    /// [`SessionError::Decode`], and then the value stays, or [`SessionError::AlreadySent`].
    pub fn take<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        // One lock around both, or two tasks could take one value, or one take what another wrote meanwhile.
        self.write(|state| {
            let text = state.text_of(key);
            let value = text.map(|text| self.decode(key, text)).transpose()?;
            if value.is_some() {
                state.patch().remove(key);
            }
            Ok(value)
        })?
    }

    /// Replaces the value of `key` by what `change` makes of it, and gives the new one.
    ///
    /// `change` runs again if somebody else has written the value meanwhile, so it should depend on
    /// nothing but its argument.
    ///
    /// # Errors
    /// [`SessionError::Decode`], [`SessionError::Encode`] or [`SessionError::AlreadySent`].
    pub fn update<T, F>(&self, key: &str, change: F) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let change = Arc::new(change);
        loop {
            let before = self.json_text(key);
            let value = change(self.decode_option(key, before.as_deref())?);
            let after = self.encode(key, &value)?;
            if self.replace(key, before, after, &change)? {
                return Ok(value);
            }
        }
    }

    /// Whether `key` is there.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.read(|look| look.text_of(key).is_some())
    }

    /// The keys, in order. A key that is not Unicode, which only Python can write, is left out.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let decode = |raw: &str| string::decode(raw).ok().map(std::borrow::Cow::into_owned);
        self.read(|look| look.members().filter_map(|(raw, _)| decode(raw)).collect())
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read(|look| look.members().count())
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(|look| look.is_empty())
    }

    /// Takes all keys away. An empty session removes its cookie.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn clear(&self) -> Result<(), SessionError> {
        self.write(|state| state.patch().clear())
    }

    /// Whether the cookie outlives the browser: Flask's `session.permanent`.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.read(|look| look.is_permanent())
    }

    /// Sets whether the cookie outlives the browser. A key of the session, as in Flask: `clear` drops it.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_permanent(&self, permanent: bool) -> Result<(), SessionError> {
        self.insert(PERMANENT, &permanent)
    }

    /// Gives the session a new identity while its content stays: call it when rights change (session
    /// fixation, OWASP ASVS 7.2.4). A session that lives in its cookie has no identity besides its
    /// content, so there it writes a new cookie and no more.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn renew(&self) -> Result<(), SessionError> {
        self.write(|state| {
            state.renewed = true;
            state.change();
        })
    }

    /// Renews the session and binds it to a user, under the key that Flask-Login uses (`_user_id`). What an
    /// anonymous visitor has collected stays; what belongs to another user goes.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn log_in(&self, user: &str) -> Result<(), SessionError> {
        let text = self.encode(USER, user)?;
        self.write(|state| {
            let changes_hands = state.text_of(USER).is_some_and(|known| known != text);
            let opened = state.found().opened;
            let patch = state.patch();
            if changes_hands {
                patch.clear();
            }
            patch.set(USER, text);
            patch.facts.user = Some(user.to_owned());
            patch.facts.authenticated = Some(opened);
            state.logged_in = true;
        })
    }

    /// When the user last proved who they are: the time of the last `log_in`. `None` for sessions that
    /// live in their cookie, which keep no such facts.
    #[must_use]
    pub fn authenticated(&self) -> Option<Timestamp> {
        self.read(|look| {
            let record = look.found.record();
            let stored = record.and_then(|record| record.authenticated);
            look.changes.facts.authenticated.or(stored)
        })
    }

    /// Whether the user proved who they are at most `seconds` ago: ask before a change of password or
    /// address (OWASP ASVS 7.5.1).
    #[must_use]
    pub fn is_recently_authenticated(&self, seconds: i64) -> bool {
        let since = self.authenticated();
        let now = self.read(|look| look.found.opened);
        since.is_some_and(|since| now.seconds_since(since) <= seconds)
    }

    /// Whether this is what the session was a moment ago, because its store fails
    /// (`carafe::GuardOptions::with_stale_reads`): it can be shown, and whoever changes it gets a 503.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.read(|look| look.found.record().is_some_and(Record::is_stale))
    }

    /// The session's public name in its store, for lists of devices. `None` for a new session and for
    /// sessions that live in their cookie.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.read(|look| look.found.record().map(|record| record.handle))
    }

    /// Notes what the application knows of the device, such as its user agent, for lists of devices.
    /// Without effect on sessions that live in their cookie.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_device(&self, note: &str) -> Result<(), SessionError> {
        self.write(|state| state.patch().facts.device = Some(note.to_owned()))
    }

    /// The user given to `log_in`, here or by Flask-Login.
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.get(USER).ok().flatten()
    }

    /// Ends the session: takes all keys away and removes the cookie, whatever the response's status.
    ///
    /// A session that lives in its cookie ends in this browser only: a copy of the cookie stays good
    /// until its lifetime is over. Sessions that must end everywhere belong on the server side.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn log_out(&self) -> Result<(), SessionError> {
        self.write(|state| {
            state.patch().clear();
            state.ended = true;
        })
    }

    /// Leaves a message for the next page that calls [`Session::take_flashes`]: Flask's
    /// `flash(message, category)`. The message is text or [`json::tag::Markup`].
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`]; [`SessionError::Decode`] if something else stands under `_flashes`.
    pub fn flash<M: Serialize + ?Sized>(
        &self,
        category: &str,
        message: &M,
    ) -> Result<(), SessionError> {
        let message = self.encode(flash::KEY, message)?;
        let style = self.0.manager.style();
        self.write(|state| {
            let list = flash::append(state.text_of(flash::KEY), category, &message, style)?;
            state.patch().set(flash::KEY, list);
            Ok(())
        })?
    }

    /// Takes the messages, oldest first: Flask's `get_flashed_messages`. Asked again in the same
    /// request, it gives the same messages.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`]; [`SessionError::Decode`] if something else stands under `_flashes`.
    pub fn take_flashes(&self) -> Result<Vec<Flash>, SessionError> {
        let style = self.0.manager.style();
        // One lock around all of it, or a message that another task flashes meanwhile would be lost.
        let mut state = self.locked();
        self.0.access();
        if let Some(taken) = &state.flashes {
            return Ok(taken.clone());
        }
        let list = state.text_of(flash::KEY);
        let flashes = list.map(|list| flash::parse(list, style)).transpose()?;
        if flashes.is_some() && state.committed {
            return Err(SessionError::AlreadySent);
        }
        if flashes.is_some() {
            state.patch().remove(flash::KEY);
        }
        let flashes = flashes.unwrap_or_default();
        state.flashes = Some(flashes.clone());
        Ok(flashes)
    }

    /// Saves the session even if the response will be a server error.
    ///
    /// The cookie still travels in the response's head, so this must come before the response is
    /// returned, also in handlers that stream or upgrade to a WebSocket.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    #[expect(
        clippy::unused_async,
        reason = "with a store behind it, this waits for the store"
    )]
    pub async fn commit(&self) -> Result<(), SessionError> {
        self.write(|state| state.insisted = true)
    }

    /// Why the request's cookie was refused, for messages and tools. `None` if it was good or absent.
    #[must_use]
    pub fn rejection(&self) -> Option<Rejection> {
        self.read(|look| match &look.found.loaded {
            Loaded::Rejected(rejection) => Some(rejection.clone()),
            Loaded::Absent | Loaded::Valid { .. } | Loaded::Stored => None,
        })
    }

    fn decode<T: DeserializeOwned>(&self, key: &str, text: &str) -> Result<T, SessionError> {
        let value = json::from_text(text, self.0.manager.style().tags);
        value.map_err(|error: DecodeError| SessionError::shape(key, &error))
    }

    fn encode<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<String, SessionError> {
        json::to_text(value, self.0.manager.style())
            .map_err(|error| SessionError::encode(key, error))
    }

    fn decode_option<T: DeserializeOwned>(
        &self,
        key: &str,
        text: Option<&str>,
    ) -> Result<Option<T>, SessionError> {
        text.map(|text| self.decode(key, text)).transpose()
    }

    /// Sets `key` unless its text is no longer `before`. A store gets the function too, to run it again
    /// if another request has written the key meanwhile.
    fn replace<T, F>(
        &self,
        key: &str,
        before: Option<String>,
        after: String,
        change: &Arc<F>,
    ) -> Result<bool, SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let style = self.0.manager.style();
        self.write(|state| {
            if state.text_of(key) != before.as_deref() {
                return false;
            }
            match state.found().record() {
                Some(_) => {
                    state
                        .patch()
                        .update(key, before, after, rerun(key, style, Arc::clone(change)));
                }
                None => state.patch().set(key, after),
            }
            true
        })
    }

    /// Every look at the session passes here, so that none is forgotten in `Vary` (CVE-2026-27205).
    fn read<R>(&self, see: impl FnOnce(Look<'_>) -> R) -> R {
        self.0.look(see).expect(OPEN)
    }

    /// Every change passes here, so that none is lost in silence.
    fn write<R>(&self, change: impl FnOnce(&mut View<'_>) -> R) -> Result<R, SessionError> {
        let mut state = self.locked();
        if state.committed {
            return Err(SessionError::AlreadySent);
        }
        self.0.access();
        Ok(change(&mut state))
    }

    fn locked(&self) -> View<'_> {
        self.0.view().expect(OPEN)
    }
}

/// `change` on JSON text.
fn rerun<T, F>(key: &str, style: Style, change: Arc<F>) -> Rerun
where
    T: Serialize + DeserializeOwned,
    F: Fn(Option<T>) -> T + Send + Sync + 'static,
{
    let key = key.to_owned();
    Arc::new(move |text| {
        let found = text
            .map(|text| json::from_text(text, style.tags))
            .transpose();
        let value = change(found.map_err(|error: DecodeError| SessionError::shape(&key, &error))?);
        json::to_text(&value, style).map_err(|error| SessionError::encode(&key, error))
    })
}

impl Look<'_> {
    pub(super) fn is_permanent(&self) -> bool {
        self.text_of(PERMANENT).is_some_and(json::is_truthy)
    }
}

impl SessionError {
    pub(super) fn encode(key: &str, source: EncodeError) -> Self {
        Self::Encode {
            key: key.to_owned(),
            source,
        }
    }

    pub(super) fn shape(key: &str, reason: &(impl ToString + ?Sized)) -> Self {
        Self::Decode {
            key: key.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl std::fmt::Display for SessionError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Encode { key, source } => write!(
                f,
                "the value for session key {key:?} cannot be stored: {source}"
            ),
            Self::Decode { key, reason } => write!(
                f,
                "the value of session key {key:?} has another type: {reason}"
            ),
            Self::AlreadySent => {
                f.write_str("the session was changed after the response's head was sent")
            }
        }
    }
}

impl std::error::Error for SessionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Encode { source, .. } => Some(source),
            Self::Decode { .. } | Self::AlreadySent => None,
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

#[cfg(test)]
mod tests;
