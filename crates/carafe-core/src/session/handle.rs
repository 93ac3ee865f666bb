//! The session as a handler uses it: a dictionary.
//!
//! | file | methods |
//! |---|---|
//! | `handle` | the dictionary |
//! | `handle/identity` | log-in and log-out, the user, the device |
//! | `handle/lifetime` | how long the session lives |
//! | `handle/messages` | flashed messages |
//! | `handle/token` | the token of the session and its transport |
//! | `handle/whole` | the session as one type |

mod identity;
mod lifetime;
mod messages;
mod token;
mod whole;

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use super::{
    SessionError, SessionManager, Slot, UpdateFn,
    loaded::LoadedSession,
    slot::{ReadView, Shared, WriteGuard},
    typed_key::{KeyName, KeyOf},
};
use crate::json::{self, DecodeError, JsonDialect, Value, string};

/// The invariant behind `expect`: the slot of a `Session` is open.
const OPEN: &str = "`Session::of` makes sessions of open slots only";

/// A session: a dictionary that persists across the requests of one browser.
///
/// Cheap to clone. All clones refer to the same session.
///
/// Reads and writes work in memory, and changes are committed when the response's head is created.
/// After that, changes of a server-side session need [`Session::commit`], and its log-out needs
/// [`Session::log_out_now`]. Changes of a client-side session, and a renewal, a log-in or
/// [`log_out`](Session::log_out) of any session, fail with [`SessionError::AlreadySent`].
///
/// | Flask | here |
/// |---|---|
/// | `session["k"] = v` | `session.insert("k", v)?` |
/// | `session.get("k")` | `session.get::<T>("k")?` |
/// | `session.pop("k", None)` | `session.take::<T>("k")?` or `session.remove("k")?` |
/// | `"k" in session`, `len(session)`, `session.clear()` | `contains_key`, `len`, `clear` |
/// | `session.permanent = True` | `session.set_permanent(true)?` |
///
/// A key is a string, or a [`Key`](super::Key) with the type of its value.
/// [`Session::get_all`] reads the whole session as one type.
///
/// ```
/// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
/// # futures_executor::block_on(async {
/// # let side = ServerSide::new(MemoryStore::new());
/// # let manager = SessionManager::new(side, SessionConfig::default())?;
/// # let manager = std::sync::Arc::new(manager);
/// # let mut client = TestClient::new(&manager);
/// // The first request adds to the cart, and the next one finds it there.
/// let request = client.begin().await?;
/// request.session().insert("cart", &["tea"])?;
/// client.finish(request, 200).await?;
///
/// let request = client.begin().await?;
/// let cart = request.session().get::<Vec<String>>("cart")?;
/// assert_eq!(cart.as_deref(), Some(&["tea".to_owned()][..]));
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// # }).unwrap();
/// ```
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
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert("visits", &3)?;
    /// assert_eq!(session.get::<u64>("visits")?, Some(3));
    /// assert_eq!(session.get::<String>("theme")?, None);
    ///
    /// let error = session.get::<Vec<String>>("visits").unwrap_err();
    /// assert!(matches!(error, SessionError::Decode { .. }), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
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
    /// use carafe_core::json::Value;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// // Python's `session["position"] = (1, 2)`.
    /// session.insert_json("position", r#"{" t":[1,2]}"#.to_owned())?;
    /// let value = session.get_value("position")?;
    /// assert!(matches!(value, Some(Value::Tuple(items)) if items.len() == 2));
    /// assert_eq!(session.get::<(u8, u8)>("position")?, Some((1, 2)));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
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
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert("cart", &["tea", "rice"])?;
    /// assert_eq!(session.json_text("cart").as_deref(), Some(r#"["tea","rice"]"#));
    /// assert_eq!(session.json_text("theme"), None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
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
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert_json("point", r#"{" t":[1,2]}"#.to_owned())?;
    /// assert_eq!(session.json_text("point").as_deref(), Some(r#"{" t":[1,2]}"#));
    ///
    /// let two_members = r#"1,"is_admin":true"#.to_owned();
    /// let error = session.insert_json("count", two_members).unwrap_err();
    /// assert!(matches!(error, SessionError::Decode { .. }));
    /// assert!(!session.contains_key("is_admin"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`] if `text` is not exactly one value that a session can contain, or
    /// [`SessionError::AlreadySent`].
    pub fn insert_json(&self, key: impl KeyName, text: String) -> Result<(), SessionError> {
        let key = key.as_name();
        self.check_json(key, &text)?;
        self.write(|state| state.patch().set(key, text))
    }

    /// Returns an error if `text` is not exactly one value that a session can contain.
    pub(super) fn check_json(&self, key: &str, text: &str) -> Result<(), SessionError> {
        json::check_member_value(text, self.0.manager.style().tags)
            .map_err(|_| SessionError::shape(key, "it is not one JSON value"))
    }

    /// Sets the value of `key`. Counts as a change even if the value is the same.
    ///
    /// ```
    /// use serde::Serialize;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// #[derive(Serialize)]
    /// struct Address { street: String, city: String }
    ///
    /// let address = Address { street: "High Street 1".into(), city: "Leeds".into() };
    /// session.insert("address", &address)?;
    /// let text = session.json_text("address");
    /// assert_eq!(text.as_deref(), Some(r#"{"street":"High Street 1","city":"Leeds"}"#));
    ///
    /// // A key of an object must be text, a number or a boolean.
    /// let by_point = std::collections::HashMap::from([((1, 2), "here")]);
    /// let error = session.insert("places", &by_point).unwrap_err();
    /// assert!(matches!(error, SessionError::Encode { .. }));
    /// assert!(!session.contains_key("places"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
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

    /// Removes `key`. Returns whether the key was present.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert("cart", &["tea"])?;
    /// assert!(session.remove("cart")?);
    /// assert!(!session.remove("cart")?, "it was removed before");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
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
    /// and commit as well. Use [`Session::take_once`] for values that must be used only once, such
    /// as a voucher or an OAuth `state`.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert("next_page", "/orders")?;
    /// let error = session.take::<u32>("next_page").unwrap_err();
    /// assert!(matches!(error, SessionError::Decode { .. }), "the value is kept");
    ///
    /// assert_eq!(session.take::<String>("next_page")?.as_deref(), Some("/orders"));
    /// assert_eq!(session.take::<String>("next_page")?, None);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`], which keeps the value, or [`SessionError::AlreadySent`].
    pub fn take<T: DeserializeOwned>(&self, key: impl KeyOf<T>) -> Result<Option<T>, SessionError> {
        let key = key.as_name();
        // A single lock for both steps. Otherwise two tasks could take the same value, or remove a
        // value written in between.
        self.write(|state| {
            let text = state.text_of(key);
            let value = text.map(|text| self.decode(key, text)).transpose()?;
            if value.is_some() {
                state.patch().remove(key);
            }
            Ok(value)
        })?
    }

    /// Replaces the value of `key` with the result of `change`. Returns the new value.
    ///
    /// Concurrent requests lose no updates: if another request has written the value in the
    /// meantime, the commit runs `change` again on that value, so `change` should depend only on
    /// its argument. The stored value then differs from the returned one, which is the value in
    /// this request. To act on the stored value, such as the number of password attempts, use
    /// [`Session::update_now`].
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # request.session().insert("cart", &["tea"])?;
    /// # client.finish(request, 200).await?;
    /// // Two tabs count a visit at the same time.
    /// let mut other = client.clone();
    /// let (first, second) = (client.begin().await?, other.begin().await?);
    /// let add = |visits: Option<u32>| visits.unwrap_or(0) + 1;
    /// assert_eq!(first.session().update("visits", add)?, 1);
    /// assert_eq!(second.session().update("visits", add)?, 1, "the value in this request");
    /// client.finish(first, 200).await?;
    /// other.finish(second, 200).await?;
    /// assert_eq!(client.session().await?.get("visits")?, Some(2));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
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
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert("consent", &false)?;
    /// assert!(session.contains_key("consent"), "the value may be false or null");
    /// assert!(!session.contains_key("theme"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn contains_key(&self, key: impl KeyName) -> bool {
        self.read(|look| look.text_of(key.as_name()).is_some())
    }

    /// Returns the keys in order.
    ///
    /// Skips keys that are not valid Unicode, which only Python can write.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert("theme", "dark")?;
    /// session.insert("cart", &["tea"])?;
    /// session.insert("theme", "light")?;
    /// assert_eq!(session.keys(), ["theme", "cart"], "in the order of the first writes");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        self.each_key(|key| keys.push(key.to_owned()));
        keys
    }

    /// Passes the keys to `see`, in the order of [`Session::keys`] and without copies.
    ///
    /// For bindings to other languages. `see` must not use the session: the call may wait forever.
    ///
    /// ```
    /// # use carafe_core::session::Session;
    /// # fn handler(session: &Session) -> usize {
    /// let mut longest = 0;
    /// session.each_key(|key| longest = longest.max(key.len()));
    /// longest
    /// # }
    /// ```
    pub fn each_key(&self, mut see: impl FnMut(&str)) {
        self.read(|look| {
            let keys = look
                .members()
                .filter_map(|(raw, _)| string::decode(raw).ok());
            keys.for_each(|key| see(&key));
        });
    }

    /// Returns the number of keys.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// session.insert("theme", "dark")?;
    /// session.log_in("ada")?;
    /// assert_eq!(session.len(), 2, "the user is a key, as in Flask-Login");
    /// assert!(session.contains_key("_user_id"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.read(|look| look.members().count())
    }

    /// Returns whether the session has no keys.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// assert!(session.is_empty(), "a first visit");
    /// session.insert("theme", "dark")?;
    /// assert!(!session.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read(|look| look.is_empty())
    }

    /// Removes all keys. The commit of an empty session removes its cookie.
    ///
    /// ```
    /// use carafe_core::testing::Effect;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # request.session().insert("cart", &["tea"])?;
    /// # client.finish(request, 200).await?;
    /// let request = client.begin().await?;
    /// request.session().clear()?;
    /// assert!(request.session().is_empty());
    /// assert_eq!(client.finish(request, 200).await?, Effect::Removed);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn clear(&self) -> Result<(), SessionError> {
        self.write(|state| state.patch().clear())
    }

    pub(super) fn manager(&self) -> &SessionManager {
        &self.0.manager
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

    /// Sets `key` if its text is still `before`. Returns whether the key was set.
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
    /// All reads use this method, so that none is missing from `Vary` (CVE-2026-27205).
    fn read<R>(&self, see: impl FnOnce(ReadView<'_>) -> R) -> R {
        self.0.look(see).expect(OPEN)
    }

    /// Changes the session.
    ///
    /// All changes of a handler use this method, so that none is lost silently.
    pub(super) fn write<'a, R>(
        &'a self,
        change: impl FnOnce(&mut WriteGuard<'a>) -> R,
    ) -> Result<R, SessionError> {
        self.write_if(WriteGuard::admit_change, change)
    }

    /// Makes a change that the response's head carries out: a new ID, or a log-out.
    pub(super) fn write_before_head<'a, R>(
        &'a self,
        change: impl FnOnce(&mut WriteGuard<'a>) -> R,
    ) -> Result<R, SessionError> {
        self.write_if(WriteGuard::admit_before_head, change)
    }

    fn write_if<'a, R>(
        &'a self,
        admit: impl FnOnce(&mut WriteGuard<'a>) -> Result<(), SessionError>,
        change: impl FnOnce(&mut WriteGuard<'a>) -> R,
    ) -> Result<R, SessionError> {
        let mut state = self.locked();
        admit(&mut state)?;
        self.0.access();
        let changed = change(&mut state);
        state.wrote |= state.is_changed();
        Ok(changed)
    }

    pub(super) fn locked(&self) -> WriteGuard<'_> {
        self.0.view().expect(OPEN)
    }
}

/// Converts `change` to a function on JSON text.
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

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session(…)")
    }
}

#[cfg(test)]
mod tests;
