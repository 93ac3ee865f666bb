//! The session as a handler uses it: a dictionary.

use std::{sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    CommitError, Flash, Loaded, Rejection, SessionData, SessionError, SessionManager, SessionToken,
    Slot, TransportKind, UpdateFn,
    backend::Prepared,
    expiry::seconds,
    flash,
    flask_login::{Client, FRESH, IDENTIFIER},
    keys::{CSRF, LIFETIME, PERMANENT, USER},
    lifetime,
    loaded::LoadedSession,
    slot::{ReadView, Shared, WriteGuard},
    typed_key::{KeyName, KeyOf},
};
use crate::{
    clock::Timestamp,
    json::{self, DecodeError, JsonDialect, Value, string},
    limits::DEVICE_BYTES,
    store::PublicId,
    token::SessionId,
};

/// The invariant behind `expect`: the slot of a `Session` is open.
const OPEN: &str = "`Session::of` makes sessions of open slots only";

/// A session: a dictionary that persists across the requests of one browser.
///
/// Cheap to clone. All clones refer to the same session.
///
/// Reads and writes work in memory, and changes are committed when the response's head is created.
/// After that, changes of a server-side session need [`Session::commit`], and changes of a
/// client-side session fail with [`SessionError::AlreadySent`].
///
/// | Flask | here |
/// |---|---|
/// | `session["k"] = v` | `session.insert("k", v)?` |
/// | `session.get("k")` | `session.get::<T>("k")?` |
/// | `session.pop("k", None)` | `session.take::<T>("k")?` or `session.remove("k")?` |
/// | `"k" in session`, `len(session)`, `session.clear()` | `contains_key`, `len`, `clear` |
/// | `session.permanent = True` | `session.set_permanent(true)?` |
///
/// A key is text, or a [`Key`](super::Key), which knows the type of its value.
#[derive(Clone)]
pub struct Session(pub(super) Arc<Shared>);

impl Session {
    /// Returns the session of the slot, or `None` if the slot is not open yet.
    pub(super) fn of(slot: &Slot) -> Option<Self> {
        slot.is_open().then(|| Self::opened(slot))
    }

    /// Returns the session of an open slot.
    pub(super) fn opened(slot: &Slot) -> Self {
        Self(Arc::clone(&slot.0))
    }

    /// Returns a read-only session that was opened after the response's head was sent.
    pub(super) fn too_late(slot: &Slot, found: LoadedSession) -> Self {
        let apart = Slot::new(Arc::clone(slot.manager()));
        apart.0.load_once(|| found);
        let session = Self(apart.0);
        session.locked().committed = true;
        session
    }

    /// Returns the value of `key`, or `None` if the key is missing.
    ///
    /// Tagged values deserialize into the plain type or into their wrapper: a Python tuple into a
    /// `Vec`, a Rust tuple or [`json::tag::Tuple`], a datetime into a `String` or
    /// [`json::tag::DateTime`], and so on.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// let user_id = session.get::<u64>("user_id")?;
    /// let theme = session.get("theme")?.unwrap_or_else(|| "light".to_owned());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`] if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: impl KeyOf<T>) -> Result<Option<T>, SessionError> {
        let key = key.as_name();
        self.read(|look| self.decode_option(key, look.text_of(key)))
    }

    /// Returns the value of `key` as a lossless dynamic type.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// use carafe_core::json::Value;
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if let Some(Value::Tuple(items)) = session.get_value("position")? {
    ///     println!("a Python tuple of {}", items.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`], which never occurs for a value from a verified cookie.
    pub fn get_value(&self, key: impl KeyName) -> Result<Option<Value>, SessionError> {
        let key = key.as_name();
        let tags = self.0.manager.style().tags;
        let text = self.json_text(key);
        let value = text.map(|text| Value::parse(&text, tags)).transpose();
        value.map_err(|error| SessionError::shape(key, &error))
    }

    /// Returns the value of `key` as the stored JSON text.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.insert("cart", &["tea", "rice"])?;
    /// assert_eq!(session.json_text("cart").as_deref(), Some(r#"["tea","rice"]"#));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn json_text(&self, key: impl KeyName) -> Option<String> {
        self.read(|look| look.text_of(key.as_name()).map(str::to_owned))
    }

    /// Sets the value of `key` to the JSON text `text`, which is stored unchanged.
    ///
    /// For bindings to other languages, which encode values themselves. Counts as a change even if
    /// the text is the same. Serialize `text` in the dialect of
    /// [`SessionManager::style`](super::SessionManager::style).
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.insert_json("point", r#"{" t":[1,2]}"#.to_owned())?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`] if `text` is not exactly one value that a session can contain;
    /// [`SessionError::AlreadySent`].
    pub fn insert_json(&self, key: impl KeyName, text: String) -> Result<(), SessionError> {
        let key = key.as_name();
        self.check_json(key, &text)?;
        self.write(|state| state.patch().set(key, text))
    }

    /// Returns an error if `text` is not exactly one value that a session can contain.
    pub(super) fn check_json(&self, key: &str, text: &str) -> Result<(), SessionError> {
        match json::is_member_value(text, self.0.manager.style().tags) {
            true => Ok(()),
            false => Err(SessionError::shape(key, "it is not one JSON value")),
        }
    }

    /// Sets the value of `key`. Counts as a change even if the value is the same.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// use serde::Serialize;
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// #[derive(Serialize)]
    /// struct Address { street: String, city: String }
    ///
    /// session.insert("visits", &1)?;
    /// session.insert("address", &Address { street: "High Street 1".into(), city: "Leeds".into() })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Encode`] or [`SessionError::AlreadySent`].
    pub fn insert<T: Serialize + ?Sized>(
        &self,
        key: impl KeyOf<T>,
        value: &T,
    ) -> Result<(), SessionError> {
        let key = key.as_name();
        let text = self.encode(key, value)?;
        self.write(|state| state.patch().set(key, text))
    }

    /// Removes `key` and returns whether the key was present.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// let was_full = session.remove("cart")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn remove(&self, key: impl KeyName) -> Result<bool, SessionError> {
        let key = key.as_name();
        self.write(|state| {
            let was_there = state.text_of(key).is_some();
            if was_there {
                state.patch().remove(key);
            }
            was_there
        })
    }

    /// Removes `key` and returns its value.
    ///
    /// The value is taken once within this request. A concurrent request may take the same value
    /// and commit as well. Use [`Session::take_once`] for values that must be honored once, such as
    /// a voucher or an OAuth `state`.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if let Some(next) = session.take::<String>("next_page")? {
    ///     println!("redirect to {next}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`], which keeps the value, or [`SessionError::AlreadySent`].
    pub fn take<T: DeserializeOwned>(&self, key: impl KeyOf<T>) -> Result<Option<T>, SessionError> {
        let key = key.as_name();
        // One lock for both steps. Otherwise two tasks could take the same value, or remove a value
        // written in between.
        self.write(|state| {
            let text = state.text_of(key);
            let value = text.map(|text| self.decode(key, text)).transpose()?;
            if value.is_some() {
                state.patch().remove(key);
            }
            Ok(value)
        })?
    }

    /// Replaces the value of `key` with the result of `change` and returns the new value.
    ///
    /// Concurrent requests lose no updates: if another request has written the value in the
    /// meantime, the commit runs `change` again on that value, so `change` should depend only on
    /// its argument. The stored value then differs from the returned one, which is the value that
    /// this request sees. To act on the stored value, such as the number of password attempts, use
    /// [`Session::update_now`].
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.update("visits", |visits: Option<u64>| visits.unwrap_or(0) + 1)?;
    /// session.update("cart", |cart: Option<Vec<String>>| {
    ///     let mut cart = cart.unwrap_or_default();
    ///     cart.push("tea".to_owned());
    ///     cart
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`], [`SessionError::Encode`] or [`SessionError::AlreadySent`].
    pub fn update<T, F>(&self, key: impl KeyOf<T>, change: F) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(Option<T>) -> T + Send + Sync + 'static,
    {
        let (key, change) = (key.as_name(), Arc::new(change));
        loop {
            let before = self.json_text(key);
            let value = change(self.decode_option(key, before.as_deref())?);
            let after = self.encode(key, &value)?;
            if self.replace(key, before, after, &change)? {
                return Ok(value);
            }
        }
    }

    /// Returns whether `key` is present.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if !session.contains_key("consent") {
    ///     println!("ask for consent");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn contains_key(&self, key: impl KeyName) -> bool {
        self.read(|look| look.text_of(key.as_name()).is_some())
    }

    /// Returns the keys in order. Skips keys that are not Unicode, which only Python can write.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// for key in session.keys() {
    ///     println!("{key} = {}", session.json_text(&key).unwrap_or_default());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let decode = |raw: &str| string::decode(raw).ok().map(std::borrow::Cow::into_owned);
        self.read(|look| look.members().filter_map(|(raw, _)| decode(raw)).collect())
    }

    /// Returns the number of keys.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.insert("theme", "dark")?;
    /// assert!(session.len() > 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.read(|look| look.members().count())
    }

    /// Returns whether the session has no keys.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if session.is_empty() {
    ///     println!("a first visit");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(|look| look.is_empty())
    }

    /// Removes all keys. The commit of an empty session removes its cookie.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.clear()?;
    /// assert!(session.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn clear(&self) -> Result<(), SessionError> {
        self.write(|state| state.patch().clear())
    }

    /// Returns whether the cookie persists after the browser closes: Flask's `session.permanent`.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.set_permanent(true)?;
    /// assert!(session.is_permanent());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.read(|look| look.is_permanent())
    }

    /// Sets whether the cookie persists after the browser closes.
    ///
    /// The flag is a key of the session, as in Flask, so `clear` removes the flag.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// let keep_me_signed_in = true; // from the form
    /// session.set_permanent(keep_me_signed_in)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_permanent(&self, permanent: bool) -> Result<(), SessionError> {
        self.insert(PERMANENT, &permanent)
    }

    /// Sets how long this session lives, at most as long as the configuration allows.
    ///
    /// Counted like [`SessionManager::lifetime`](super::SessionManager::lifetime). The cookie
    /// persists after the browser closes, as after [`Session::set_permanent`], which Flask sees as
    /// `session.permanent`; `set_permanent(false)` afterwards undoes that and keeps the lifetime.
    /// Without this call, a session has the configured lifetime.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session, keep_me_signed_in: bool) -> Result<(), SessionError> {
    /// session.log_in("42")?;
    /// if keep_me_signed_in {
    ///     session.set_lifetime(Duration::from_secs(14 * 86_400))?;
    /// } else {
    ///     session.set_lifetime(Duration::from_secs(12 * 3_600))?;
    ///     session.set_permanent(false)?; // this browser session only
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_lifetime(&self, lifetime: Duration) -> Result<(), SessionError> {
        let lifetime = lifetime.min(self.0.manager.lifetime());
        self.insert(LIFETIME, &lifetime.as_secs())?;
        self.set_permanent(true)
    }

    /// Returns how long this session lives.
    ///
    /// ```
    /// # use carafe_core::session::Session;
    /// # fn handler(session: &Session) -> String {
    /// format!("{} days", session.lifetime().as_secs() / 86_400)
    /// # }
    /// ```
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        let configured = self.0.manager.lifetime();
        let own = self
            .json_text(LIFETIME)
            .as_deref()
            .and_then(lifetime::parse);
        own.map_or(configured, |own| own.min(configured))
    }

    /// Gives the session a new id and keeps its content.
    ///
    /// Call this when privileges change (session fixation, OWASP ASVS 7.2.4). The commit
    /// invalidates the old id, and an in-flight request with the old id cannot change the session
    /// ([`Conflict`](super::Conflict)). A client-side session has no id, so this only writes a new
    /// cookie.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.insert("is_admin", &true)?;
    /// session.renew()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn renew(&self) -> Result<(), SessionError> {
        self.write(|state| {
            state.renewed = true;
            state.change();
        })
    }

    /// Renews the session and binds it to a user.
    ///
    /// The user is stored under Flask-Login's key (`_user_id`). The values of an anonymous visitor
    /// are kept. The values of another user are removed, even if that user was removed from the
    /// dictionary before. A log-in always results in a session: if another request has revoked this
    /// session in the meantime, the user gets a fresh session with the changes of this request
    /// alone. With [`FlaskLogin`](super::FlaskLogin), the session is also marked as fresh and bound
    /// to this client.
    ///
    /// In a store, the commit rejects a user that is longer than
    /// [`USER_BYTES`](crate::limits::USER_BYTES) or contains a NUL.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.log_in("ada")?; // after the password was verified
    /// assert_eq!(session.user().as_deref(), Some("ada"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn log_in(&self, user: &str) -> Result<(), SessionError> {
        let text = self.encode(USER, user)?;
        let (manager, client) = (&self.0.manager, self.0.client());
        self.write(|state| {
            let is_identified = state.text_of(IDENTIFIER).is_some();
            // A visitor who knew the anonymous session may know its secret.
            let has_csrf_secret = state.text_of(CSRF).is_some();
            let known = [state.text_of(USER), state.found().data().text_of(USER)];
            let owner = state
                .found()
                .record()
                .and_then(|record| record.meta.user.as_deref());
            let changes_hands = known.into_iter().flatten().any(|known| known != text)
                || owner.is_some_and(|owner| owner != user);
            let opened = state.found().opened;
            let patch = state.patch();
            if changes_hands {
                patch.clear();
            }
            patch.set(USER, text);
            if has_csrf_secret {
                patch.remove(CSRF);
            }
            if let Some(login) = &manager.flask_login {
                let identifier = client.filter(|_| login.protects).map(Client::identifier);
                patch.set(FRESH, "true".to_owned());
                match identifier {
                    Some(identifier) => patch.set(IDENTIFIER, identifier),
                    None if is_identified => patch.remove(IDENTIFIER),
                    None => {}
                }
            }
            patch.facts.user = Some(user.to_owned());
            patch.facts.authenticated = Some(opened);
            (state.logged_in, state.wrote) = (true, true);
        })
    }

    /// Returns when the user last authenticated: the time of the last `log_in`.
    ///
    /// `None` for client-side sessions, which do not record the time.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if let Some(time) = session.authenticated() {
    ///     println!("logged in at {} s since the Unix epoch", time.unix());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn authenticated(&self) -> Option<Timestamp> {
        self.read(|look| {
            let record = look.found.record();
            let stored = record.and_then(|record| record.meta.authenticated);
            look.changes.facts.authenticated.or(stored)
        })
    }

    /// Returns whether the user authenticated at most `within` ago, in whole seconds.
    ///
    /// Check this before a change of password or address (OWASP ASVS 7.5.1). A time further in the
    /// future than [`SessionConfig::with_clock_skew`](super::SessionConfig::with_clock_skew) allows
    /// is not recent.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// use std::time::Duration;
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if !session.is_recently_authenticated(Duration::from_secs(300)) {
    ///     println!("ask for the password again");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn is_recently_authenticated(&self, within: Duration) -> bool {
        let since = self.authenticated();
        let now = self.read(|look| look.found.opened);
        let skew = self.0.manager.clock_skew();
        let age = since.and_then(|since| now.age_of(since, skew));
        age.is_some_and(|age| age <= seconds(within))
    }

    /// Returns the session's public id, for lists of devices.
    ///
    /// `None` for new sessions and for client-side sessions.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if let Some(id) = session.public_id() {
    ///     println!("this device: {id}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn public_id(&self) -> Option<PublicId> {
        self.read(|look| look.found.record().map(|record| record.meta.public_id))
    }

    /// Records a note about the device, such as its user agent, for lists of devices.
    ///
    /// Has no effect on client-side sessions. The note is truncated to
    /// [`DEVICE_BYTES`](crate::limits::DEVICE_BYTES) at a character boundary, because a client
    /// controls the length of its user agent.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.set_device("Firefox on Linux")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn set_device(&self, note: &str) -> Result<(), SessionError> {
        let mut ends = (0..=note.len().min(DEVICE_BYTES)).rev();
        let end = ends.find(|&end| note.is_char_boundary(end));
        let note = &note[..end.unwrap_or_default()];
        let mut state = self.locked();
        state.admit_change()?;
        self.0.access();
        state.patch().facts.device = Some(note.to_owned());
        Ok(())
    }

    /// Returns the user that `log_in` or Flask-Login has set.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// match session.user() {
    ///     Some(user) => println!("hello {user}"),
    ///     None => println!("please log in"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn user(&self) -> Option<String> {
        self.get(USER).ok().flatten()
    }

    /// Logs out: removes all keys and the cookie, whatever the response's status.
    ///
    /// A server-side session is revoked even if the client disconnects or the handler panics after
    /// this call. [`Session::log_out_now`] reports whether the store has revoked the session. With
    /// [`FlaskLogin`](super::FlaskLogin), the browser's "remember me" cookie is removed too.
    ///
    /// A client-side session is removed from this browser only: a copy of the cookie stays valid
    /// until it expires, and a late response to another request of the browser can restore the
    /// cookie. Sessions that must be revocable belong on the server side.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.log_out()?;
    /// assert_eq!(session.user(), None);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn log_out(&self) -> Result<(), SessionError> {
        self.write(|state| {
            state.patch().clear();
            state.ended = true;
        })
    }

    /// Adds a message for the next page that calls [`Session::take_flashes`].
    ///
    /// Equivalent to Flask's `flash(message, category)`. The message is text, [`json::tag::Markup`]
    /// or any other value.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.flash("success", "Your order was placed.")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Encode`] or [`SessionError::AlreadySent`].
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

    /// Takes the flashed messages, oldest first: Flask's `get_flashed_messages`.
    ///
    /// Further calls in the same request return the same messages. Messages flashed by Python are
    /// included: see [`Flash::value`].
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// for flash in session.take_flashes()? {
    ///     println!("{}: {}", flash.category, flash.message);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn take_flashes(&self) -> Result<Vec<Flash>, SessionError> {
        let style = self.0.manager.style();
        // One lock for all steps. Otherwise a message that another task flashes in between would be
        // lost.
        let mut state = self.locked();
        self.0.access();
        if let Some(taken) = &state.flashes {
            return Ok(taken.clone());
        }
        let list = state.text_of(flash::KEY);
        let flashes = list.map(|list| flash::parse(list, style)).transpose()?;
        if flashes.is_some() {
            state.admit_change()?;
            state.patch().remove(flash::KEY);
        }
        let flashes = flashes.unwrap_or_default();
        state.flashes = Some(flashes.clone());
        Ok(flashes)
    }

    /// Adds `Cache-Control: no-store` to the response, unless the handler sets the header.
    ///
    /// For pages that show that a user is logged in: the browser's Back button then does not show
    /// them after a log-out. [`LoggedIn`](super::LoggedIn) calls this.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError, TransportKind};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if session.user().is_some() {
    ///     session.forbid_storing();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn forbid_storing(&self) {
        self.0.access();
        self.0.forbid_storing();
    }

    /// Returns whether the request presents its token outside its cookies.
    pub(super) fn presents_token(&self) -> bool {
        self.0.presented().is_some()
    }

    pub(super) fn manager(&self) -> &SessionManager {
        &self.0.manager
    }

    /// Returns the kind of transport that carries the session's token in this request.
    ///
    /// For a request without a token: the transport of a new token.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError, TransportKind};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if session.transport() == TransportKind::Cookie {
    ///     println!("a browser");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn transport(&self) -> TransportKind {
        self.0.access();
        self.0.transport().kind()
    }

    /// Selects the transport of a new token, for a request that presents no token.
    ///
    /// For a log-in of a client that stores the token itself: without this call, the first of the
    /// configured transports carries the token.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError, TransportKind};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// session.set_transport(TransportKind::Bearer)?;
    /// session.log_in("42")?; // the response header carries the token
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Transport`] if the transport is not configured, or if the request presents a
    /// token in another one; [`SessionError::AlreadySent`].
    pub fn set_transport(&self, kind: TransportKind) -> Result<(), SessionError> {
        let place = self.0.manager.transports.place_of(kind);
        let place = place.ok_or(SessionError::Transport)?;
        self.locked().admit_change()?;
        self.0.access();
        match self.0.answer_in(place) || self.0.transport().kind() == kind {
            true => Ok(()),
            false => Err(SessionError::Transport),
        }
    }

    /// Returns the session's token, for the body of a response.
    ///
    /// `None` for a session in a cookie, which scripts must not read. Also `None` for a session
    /// without a token yet: on the server side, call [`Session::commit`] first. The token of a
    /// client-side session contains the session as it is now, without later changes. The response
    /// carries the token in its header too.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError, TransportKind};
    /// # async fn handler(session: Session) -> Result<(), SessionError> {
    /// session.set_transport(TransportKind::Bearer)?;
    /// session.log_in("42")?;
    /// session.commit().await?;
    /// let token = session.token()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Commit`] if a client-side session cannot be encrypted.
    pub fn token(&self) -> Result<Option<SessionToken>, SessionError> {
        if self.transport() == TransportKind::Cookie {
            return Ok(None);
        }
        let manager = &self.0.manager;
        let codec = match &manager.side {
            Prepared::Client(codec) => codec,
            Prepared::Server(side) => {
                let id = self.lasting_id();
                return Ok(id.map(|id| {
                    let signed = side.signed(&id);
                    let text = signed.as_ref().map_or(id.as_str(), |text| text.as_str());
                    SessionToken(text.to_owned())
                }));
            }
        };
        let payload = self.read(|look| (!look.is_empty()).then(|| look.render(manager.style())));
        let Some(payload) = payload else {
            return Ok(None);
        };
        let now = manager.now();
        let expires = now.saturating_add(seconds(self.lifetime()));
        let sealed = codec
            .seal(&payload, now, expires)
            .map_err(CommitError::Seal);
        match sealed {
            Ok(text) => Ok(Some(SessionToken(text))),
            Err(error) => Err(SessionError::Commit(Box::new(error))),
        }
    }

    /// Returns the id of the stored session, unless the next commit replaces it.
    fn lasting_id(&self) -> Option<SessionId> {
        let state = self.locked();
        if state.ended || state.renewed || state.logged_in || state.user_has_left() || state.gone {
            return None;
        }
        if let Some(id) = &state.last_id {
            return Some(id.clone());
        }
        let stored = state.found().in_store()?;
        Some(stored.successor().unwrap_or_else(|| stored.id.clone()))
    }

    /// Returns why the request's cookie was rejected. `None` if the cookie was valid or absent.
    ///
    /// ```
    /// # use carafe_core::session::{Session, SessionError};
    /// # fn handler(session: &Session) -> Result<(), SessionError> {
    /// if let Some(rejection) = session.rejection() {
    ///     println!("the cookie was rejected: {rejection}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn rejection(&self) -> Option<Rejection> {
        self.read(|look| match &look.found.loaded {
            Loaded::Rejected(rejection) => Some(rejection.clone()),
            Loaded::Absent | Loaded::Valid { .. } | Loaded::Stored => None,
        })
    }

    pub(super) fn decode<T: DeserializeOwned>(
        &self,
        key: &str,
        text: &str,
    ) -> Result<T, SessionError> {
        let value = json::from_text(text, self.0.manager.style().tags);
        value.map_err(|error: DecodeError| SessionError::shape(key, &error))
    }

    pub(super) fn encode<T: Serialize + ?Sized>(
        &self,
        key: &str,
        value: &T,
    ) -> Result<String, SessionError> {
        json::to_text(value, self.0.manager.style())
            .map_err(|error| SessionError::encode(key, error))
    }

    pub(super) fn decode_option<T: DeserializeOwned>(
        &self,
        key: &str,
        text: Option<&str>,
    ) -> Result<Option<T>, SessionError> {
        text.map(|text| self.decode(key, text)).transpose()
    }

    /// Sets `key` if its text is still `before`, and returns whether the key was set.
    ///
    /// For a stored session, the commit runs `change` again if another request has written the key
    /// in the meantime.
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

    /// Reads the session.
    ///
    /// All reads go through this method, so that none is missing from `Vary` (CVE-2026-27205).
    fn read<R>(&self, see: impl FnOnce(ReadView<'_>) -> R) -> R {
        self.0.look(see).expect(OPEN)
    }

    /// Changes the session.
    ///
    /// All changes of a handler go through this method, so that none is lost silently.
    pub(super) fn write<R>(
        &self,
        change: impl FnOnce(&mut WriteGuard<'_>) -> R,
    ) -> Result<R, SessionError> {
        let mut state = self.locked();
        state.admit_change()?;
        self.0.access();
        let changed = change(&mut state);
        state.wrote |= state.is_changed();
        Ok(changed)
    }

    pub(super) fn locked(&self) -> WriteGuard<'_> {
        self.0.view().expect(OPEN)
    }
}

/// Returns `change` as a function on JSON text.
fn rerun<T, F>(key: &str, style: JsonDialect, change: Arc<F>) -> UpdateFn
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
        Ok(json::to_text(&value, style).map_err(|error| SessionError::encode(&key, error))?)
    })
}

impl ReadView<'_> {
    pub(super) fn is_permanent(&self) -> bool {
        self.text_of(PERMANENT).is_some_and(json::is_truthy)
    }
}

impl SessionData {
    pub(super) fn is_permanent(&self) -> bool {
        self.text_of(PERMANENT).is_some_and(json::is_truthy)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

#[cfg(test)]
mod tests;
