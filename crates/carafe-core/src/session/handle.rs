//! What a handler holds: a dictionary.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    Flash, Loaded, Rejection, Rerun, Slot, flash,
    slot::{Found, Shared, View},
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
        self.read(|state| {
            state
                .text_of(key)
                .map(|text| self.decode(key, text))
                .transpose()
        })
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
        self.read(|state| state.text_of(key).map(str::to_owned))
    }

    /// Gives `key` a value. Counts as a change even if the value is the same.
    ///
    /// # Errors
    /// [`SessionError::Encode`] or [`SessionError::AlreadySent`].
    pub fn insert<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), SessionError> {
        let text = self.encode(key, value)?;
        self.write(|state| {
            state.patch().set(key, text);
            state.modified = true;
        })
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
                state.modified = true;
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
                state.modified = true;
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
        self.read(|state| state.text_of(key).is_some())
    }

    /// The keys, in order. A key that is not Unicode, which only Python can write, is left out.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let decode = |raw: &str| string::decode(raw).ok().map(std::borrow::Cow::into_owned);
        self.read(|state| state.members().filter_map(|(raw, _)| decode(raw)).collect())
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read(|state| state.members().count())
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(|state| state.is_empty())
    }

    /// Takes all keys away. An empty session removes its cookie.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn clear(&self) -> Result<(), SessionError> {
        self.write(|state| {
            state.patch().clear();
            state.modified = true;
        })
    }

    /// Whether the cookie outlives the browser: Flask's `session.permanent`.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.read(|state| state.is_permanent())
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
            state.modified = true;
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
            if state.text_of(USER).is_some_and(|known| known != text) {
                state.patch().clear();
            }
            state.patch().set(USER, text);
            let opened = state.found().opened;
            let facts = &mut state.patch().facts;
            facts.user = Some(user.to_owned());
            facts.authenticated = Some(opened);
            state.logged_in = true;
            state.modified = true;
        })
    }

    /// When the user last proved who they are: the time of the last `log_in`. `None` for sessions that
    /// live in their cookie, which keep no such facts.
    #[must_use]
    pub fn authenticated(&self) -> Option<Timestamp> {
        self.read(|state| {
            let stored = state
                .found()
                .record()
                .and_then(|record| record.authenticated);
            state.changes().facts.authenticated.or(stored)
        })
    }

    /// Whether the user proved who they are at most `seconds` ago: ask before a change of password or
    /// address (OWASP ASVS 7.5.1).
    #[must_use]
    pub fn is_recently_authenticated(&self, seconds: i64) -> bool {
        let since = self.authenticated();
        let now = self.read(|state| state.found().opened);
        since.is_some_and(|since| now.seconds_since(since) <= seconds)
    }

    /// Whether this is what the session was a moment ago, because its store fails
    /// (`carafe::GuardOptions::with_stale_reads`): it can be shown, and whoever changes it gets a 503.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.read(|state| state.found().record().is_some_and(Record::is_stale))
    }

    /// The session's public name in its store, for lists of devices. `None` for a new session and for
    /// sessions that live in their cookie.
    #[must_use]
    pub fn handle(&self) -> Option<Handle> {
        self.read(|state| state.found().record().map(|record| record.handle))
    }

    /// Notes what the application knows of the device, such as its user agent, for lists of devices.
    /// Without effect on sessions that live in their cookie.
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_device(&self, note: &str) -> Result<(), SessionError> {
        self.write(|state| {
            state.patch().facts.device = Some(note.to_owned());
            state.modified = true;
        })
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
            state.modified = true;
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
            state.modified = true;
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
        state.accessed = true;
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
            state.modified = true;
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
        self.read(|state| match &state.found().loaded {
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
            state.modified = true;
            true
        })
    }

    /// Every look at the session passes here, so that none is forgotten in `Vary` (CVE-2026-27205).
    fn read<R>(&self, look: impl FnOnce(&mut View<'_>) -> R) -> R {
        let mut state = self.locked();
        state.accessed = true;
        look(&mut state)
    }

    /// Every change passes here, so that none is lost in silence.
    fn write<R>(&self, change: impl FnOnce(&mut View<'_>) -> R) -> Result<R, SessionError> {
        let mut state = self.locked();
        if state.committed {
            return Err(SessionError::AlreadySent);
        }
        state.accessed = true;
        Ok(change(&mut state))
    }

    fn locked(&self) -> View<'_> {
        self.0
            .view()
            .expect("`Session::of` makes sessions of open slots only")
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

impl View<'_> {
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
mod tests {
    use futures_executor::block_on;
    use std::sync::Arc;

    use super::*;
    use crate::{
        clock::Timestamp,
        key::SecretKey,
        session::{ClientSide, SessionConfig, SessionManager, Slot},
        token::signed::{SignedFormat, SignedSessions},
    };

    const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

    fn key() -> SecretKey {
        SecretKey::dangerous_weak("k").unwrap()
    }

    /// A session that a browser brought with this content.
    fn with(payload: &str) -> (Slot, Session) {
        let cookie = SignedSessions::new(&key().into(), &SignedFormat::flask()).seal(payload, NOON);
        let side = ClientSide::signed(key());
        let manager = Arc::new(SessionManager::new(side, SessionConfig::flask()).unwrap());
        let slot = manager.begin();
        let line = format!("session={cookie}");
        let session = block_on(manager.open(&slot, [line.as_bytes()], NOON)).unwrap();
        (slot, session)
    }

    fn commit(slot: &Slot) -> Option<String> {
        let effects = block_on(slot.manager().commit(slot, [], 200, NOON)).unwrap();
        effects.set_cookie
    }

    /// A call, and whether it counts as a look at the session and as a change.
    type Case = (&'static str, fn(&Session), bool, bool);

    /// Flask 3.1.3: every touch is an access, and every mutation is a change, be it to an equal value;
    /// `pop` and `setdefault` are changes only if they change something.
    const CALLS: &[Case] = &[
        ("nothing", |_| (), false, false),
        ("get", |s| _ = s.get::<u8>("n").unwrap(), true, false),
        (
            "get what is not there",
            |s| _ = s.get::<u8>("x").unwrap(),
            true,
            false,
        ),
        (
            "get another type",
            |s| _ = s.get::<String>("n").unwrap_err(),
            true,
            false,
        ),
        ("get_value", |s| _ = s.get_value("n").unwrap(), true, false),
        ("json_text", |s| _ = s.json_text("n"), true, false),
        ("contains_key", |s| _ = s.contains_key("n"), true, false),
        (
            "contains_key of what is not there",
            |s| _ = s.contains_key("x"),
            true,
            false,
        ),
        ("keys", |s| _ = s.keys(), true, false),
        ("len", |s| _ = s.len(), true, false),
        ("is_empty", |s| _ = s.is_empty(), true, false),
        ("is_permanent", |s| _ = s.is_permanent(), true, false),
        ("user", |s| _ = s.user(), true, false),
        ("rejection", |s| _ = s.rejection(), true, false),
        ("insert", |s| s.insert("x", &1).unwrap(), true, true),
        (
            "insert of an equal value",
            |s| s.insert("n", &7).unwrap(),
            true,
            true,
        ),
        (
            "insert of what cannot be stored",
            |s| _ = s.insert("x", &Unstorable).unwrap_err(),
            false,
            false,
        ),
        ("remove", |s| assert!(s.remove("n").unwrap()), true, true),
        (
            "remove of what is not there",
            |s| assert!(!s.remove("x").unwrap()),
            true,
            false,
        ),
        (
            "take",
            |s| assert_eq!(s.take("n").unwrap(), Some(7)),
            true,
            true,
        ),
        (
            "take of what is not there",
            |s| assert_eq!(s.take::<u8>("x").unwrap(), None),
            true,
            false,
        ),
        (
            "take of another type",
            |s| _ = s.take::<String>("n").unwrap_err(),
            true,
            false,
        ),
        (
            "update",
            |s| _ = s.update("n", |n: Option<u8>| n.unwrap_or(0)).unwrap(),
            true,
            true,
        ),
        (
            "update of another type",
            |s| {
                _ = s
                    .update("n", |n: Option<String>| n.unwrap_or_default())
                    .unwrap_err();
            },
            true,
            false,
        ),
        ("clear", |s| s.clear().unwrap(), true, true),
        (
            "set_permanent",
            |s| s.set_permanent(false).unwrap(),
            true,
            true,
        ),
        ("renew", |s| s.renew().unwrap(), true, true),
        ("authenticated", |s| _ = s.authenticated(), true, false),
        (
            "is_recently_authenticated",
            |s| _ = s.is_recently_authenticated(60),
            true,
            false,
        ),
        ("is_stale", |s| _ = s.is_stale(), true, false),
        ("handle", |s| _ = s.handle(), true, false),
        (
            "set_device",
            |s| s.set_device("a phone").unwrap(),
            true,
            true,
        ),
        ("log_in", |s| s.log_in("42").unwrap(), true, true),
        ("log_out", |s| s.log_out().unwrap(), true, true),
        ("flash", |s| s.flash("info", "saved").unwrap(), true, true),
        (
            "take_flashes without any",
            |s| assert!(s.take_flashes().unwrap().is_empty()),
            true,
            false,
        ),
        ("clone", |s| _ = s.clone(), false, false),
        ("Debug", |s| _ = format!("{s:?}"), false, false),
    ];

    struct Unstorable;

    impl Serialize for Unstorable {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("no"))
        }
    }

    #[test]
    fn each_call_counts_as_flask_counts_it() {
        for (name, call, accessed, modified) in CALLS {
            let (slot, session) = with(r#"{"n":7}"#);
            call(&session);
            let state = slot.0.view().unwrap();
            assert_eq!(
                (state.accessed, state.modified),
                (*accessed, *modified),
                "{name}"
            );
        }
    }

    #[test]
    fn a_call_that_fails_leaves_the_session_as_it_was() {
        for (name, call, _, modified) in CALLS {
            let (_, session) = with(r#"{"n":7}"#);
            call(&session);
            if !modified {
                assert_eq!(session.get("n").unwrap(), Some(7), "{name}");
                assert_eq!(session.keys(), ["n"], "{name}");
            }
        }
    }

    #[test]
    fn ckw_12_after_the_head_was_sent_every_write_is_an_error_and_every_read_is_fine() {
        let (slot, session) = with(r#"{"n":7,"_flashes":[{" t":["message","hi"]}]}"#);
        commit(&slot);
        let writes: [(&str, Result<(), SessionError>); 11] = [
            ("insert", session.insert("x", &1)),
            ("remove", session.remove("n").map(drop)),
            ("take", session.take::<u8>("n").map(drop)),
            (
                "update",
                session
                    .update("n", |n: Option<u8>| n.unwrap_or(0))
                    .map(drop),
            ),
            ("clear", session.clear()),
            ("set_permanent", session.set_permanent(true)),
            ("renew", session.renew()),
            ("log_in", session.log_in("42")),
            ("log_out", session.log_out()),
            ("flash", session.flash("info", "saved")),
            ("take_flashes", session.take_flashes().map(drop)),
        ];
        for (name, result) in writes {
            assert!(
                matches!(result, Err(SessionError::AlreadySent)),
                "{name}: {result:?}"
            );
        }
        assert_eq!(session.get("n").unwrap(), Some(7));
        assert_eq!(session.keys(), ["n", "_flashes"]);
    }

    #[test]
    fn ckw_12_a_session_that_is_opened_after_the_head_was_sent_reads_and_does_not_write() {
        let (_, session) = with(r#"{"n":7}"#);
        let manager = Arc::clone(&session.0.manager);
        let line =
            SignedSessions::new(&key().into(), &SignedFormat::flask()).seal(r#"{"n":7}"#, NOON);
        let line = format!("session={line}");
        let slot = manager.begin();
        // Flask's preset reads the cookie of every request; without it nothing is read at all.
        assert_eq!(commit(&slot), None);
        let late = block_on(manager.open(&slot, [line.as_bytes()], NOON)).unwrap();
        assert!(matches!(
            late.insert("n", &8),
            Err(SessionError::AlreadySent)
        ));

        let side = ClientSide::signed(key());
        let config = SessionConfig::flask().with_refresh(crate::session::Refresh::Never);
        let manager = Arc::new(SessionManager::new(side, config).unwrap());
        let slot = manager.begin();
        assert_eq!(commit(&slot), None);
        assert!(!slot.is_open());
        for _ in 0..2 {
            let late = block_on(manager.open(&slot, [line.as_bytes()], NOON)).unwrap();
            assert_eq!(late.get("n").unwrap(), Some(7));
            assert!(matches!(
                late.insert("n", &8),
                Err(SessionError::AlreadySent)
            ));
        }
    }

    #[test]
    fn a_session_remembers_what_was_written_and_keeps_the_order_of_python() {
        let (slot, session) = with(r#"{"b":1,"a":2}"#);
        session.insert("c", &3).unwrap();
        session.insert("b", "new").unwrap();
        session.remove("a").unwrap();
        session.insert("a", &[1, 2]).unwrap();
        assert_eq!(session.keys(), ["b", "a", "c"]);
        assert_eq!(session.json_text("a").as_deref(), Some("[1,2]"));
        assert_eq!(session.get::<String>("b").unwrap().as_deref(), Some("new"));
        assert!(commit(&slot).is_some());
    }

    #[test]
    fn clear_forgets_permanence_and_what_was_written_before_it() {
        let (slot, session) = with(r#"{"_permanent":true,"n":7}"#);
        session.insert("x", &1).unwrap();
        session.clear().unwrap();
        assert!(session.is_empty() && !session.is_permanent());
        session.insert("n", &8).unwrap();
        assert_eq!(session.keys(), ["n"]);
        assert!(!commit(&slot).unwrap().contains("Expires"));
    }

    /// Flask: a truthy value under the key counts, whatever its type.
    #[test]
    fn permanent_is_what_python_finds_true() {
        for (payload, permanent) in [
            (r#"{"_permanent":true}"#, true),
            (r#"{"_permanent":1}"#, true),
            (r#"{"_permanent":"no"}"#, true),
            (r#"{"_permanent":[0]}"#, true),
            (r#"{"_permanent":false}"#, false),
            (r#"{"_permanent":0}"#, false),
            (r#"{"_permanent":""}"#, false),
            (r#"{"_permanent":null}"#, false),
            ("{}", false),
        ] {
            assert_eq!(with(payload).1.is_permanent(), permanent, "{payload}");
        }
    }

    #[test]
    fn log_in_binds_a_user_and_log_out_ends_everything() {
        let (_, session) = with(r#"{"cart":[1]}"#);
        session.log_in("42").unwrap();
        assert_eq!(session.user().as_deref(), Some("42"));
        assert!(session.contains_key("cart"));
        session.log_out().unwrap();
        assert_eq!((session.user(), session.len()), (None, 0));
    }

    #[test]
    fn flashes_come_once_and_stay_for_the_request() {
        let (slot, session) = with(r#"{"n":7}"#);
        session.flash("message", "one").unwrap();
        session
            .flash("error", &crate::json::tag::Markup("<b>two</b>".into()))
            .unwrap();
        let taken = session.take_flashes().unwrap();
        let seen: Vec<_> = taken
            .iter()
            .map(|flash| {
                (
                    flash.category.as_str(),
                    flash.message.as_str(),
                    flash.is_markup,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [("message", "one", false), ("error", "<b>two</b>", true)]
        );
        assert!(!session.contains_key("_flashes"));
        session.flash("message", "three").unwrap();
        assert_eq!(
            session.take_flashes().unwrap(),
            taken,
            "asked again, the same, as in Flask"
        );
        assert!(
            session.contains_key("_flashes"),
            "the third is for the next request"
        );
        commit(&slot);
    }

    #[test]
    fn flashes_are_written_as_flask_writes_them() {
        let (_, session) = with("{}");
        session.flash("message", "Hello").unwrap();
        session.flash("error", "Bad <thing>").unwrap();
        assert_eq!(
            session.json_text("_flashes").as_deref(),
            Some(r#"[{" t":["message","Hello"]},{" t":["error","Bad <thing>"]}]"#)
        );
    }

    #[test]
    fn something_else_under_the_key_of_flashes_is_an_error_and_stays() {
        for other in [
            "5",
            r#""]""#,
            "{}",
            r#"{" t":[]}"#,
            "[1]",
            r#"[{" t":["a"]}]"#,
            r#"[["a",5]]"#,
        ] {
            let payload = format!(r#"{{"_flashes":{other}}}"#);
            let (_, session) = with(&payload);
            assert!(
                matches!(session.take_flashes(), Err(SessionError::Decode { .. })),
                "{other}"
            );
            assert_eq!(session.json_text("_flashes").as_deref(), Some(other));
        }
    }

    /// Runs `work` on four threads with a clone each.
    fn on_threads(session: &Session, work: impl Fn(&Session, usize) + Sync) {
        std::thread::scope(|scope| {
            for number in 0..4 {
                let (session, work) = (session.clone(), &work);
                scope.spawn(move || work(&session, number));
            }
        });
    }

    #[test]
    fn nothing_is_lost_between_threads_of_one_request() {
        let (_, session) = with("{}");
        on_threads(&session, |session, thread| {
            for turn in 0..200 {
                session
                    .update("n", |n: Option<u32>| n.unwrap_or(0) + 1)
                    .unwrap();
                session
                    .insert(&format!("{thread} {}", turn % 8), &turn)
                    .unwrap();
                session
                    .flash("message", &format!("{thread} {turn}"))
                    .unwrap();
            }
        });
        assert_eq!(session.get("n").unwrap(), Some(800));
        assert_eq!(session.len(), 2 + 4 * 8);
        assert_eq!(session.take_flashes().unwrap().len(), 800);
    }

    /// A one-time value, such as a CSRF token, is given to one taker only.
    #[test]
    fn one_value_is_taken_once() {
        for _ in 0..200 {
            let (_, session) = with(r#"{"once":1}"#);
            let taken = std::sync::atomic::AtomicUsize::new(0);
            on_threads(&session, |session, _| {
                if session.take::<u8>("once").unwrap().is_some() {
                    taken.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                }
            });
            assert_eq!(taken.into_inner(), 1);
        }
    }

    /// Messages that are flashed while others are taken are in one of the two places.
    #[test]
    fn no_flash_is_lost_to_a_taker() {
        for _ in 0..200 {
            let (_, session) = with("{}");
            session.flash("message", "first").unwrap();
            on_threads(&session, |session, thread| match thread {
                0 => drop(session.take_flashes().unwrap()),
                _ => session.flash("message", "more").unwrap(),
            });
            let taken = session.take_flashes().unwrap().len();
            let left: Vec<(String, String)> = session.get("_flashes").unwrap().unwrap_or_default();
            assert_eq!(taken + left.len(), 4);
        }
    }
}
