//! The session as one type.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    json::{self, DecodeError, JsonDialect},
    session::{Session, SessionData, SessionError, UpdateFn},
};

impl Session {
    /// Returns the whole session as one type, usually a struct with a field for each key.
    ///
    /// Keys without a field are ignored, so other code can keep its own keys in the same session.
    /// Give each field a `#[serde(default)]`, as the container's attribute or the field's: a new
    /// session has no keys.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// #[derive(Default, Serialize, Deserialize)]
    /// #[serde(default)]
    /// struct Visitor {
    ///     visits: u32,
    ///     cart: Vec<String>,
    ///     theme: Option<String>,
    /// }
    ///
    /// session.insert("visits", &3)?;
    /// session.insert("other_code", "its own value")?;
    /// let visitor: Visitor = session.get_all()?;
    /// assert_eq!((visitor.visits, visitor.cart.len(), visitor.theme), (3, 0, None));
    ///
    /// session.insert("visits", "three")?;
    /// let error = session.get_all::<Visitor>().err();
    /// assert!(matches!(error, Some(SessionError::Decode { key, .. }) if key == "visits"));
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::Decode`] if the value of a key does not fit its field;
    /// [`SessionError::Whole`] if a field without a default is missing, or if the type has no
    /// fields.
    pub fn get_all<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        let tags = self.0.manager.style().tags;
        self.read(|look| decode(look.members(), tags))
    }

    /// Changes the whole session as one type, and returns the changed value.
    ///
    /// Writes only the fields that `change` has changed. Each of them is a change of its own key,
    /// like that of [`Session::update`]: concurrent requests that change different fields both keep
    /// their changes. If another request has written the same field in the meantime, the commit
    /// runs `change` again on a value with that field, so `change` should depend only on its
    /// argument.
    ///
    /// A field that is not serialized after the change, as with `skip_serializing_if`, is removed.
    ///
    /// ```
    /// use serde::{Deserialize, Serialize};
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// # let request = client.begin().await?;
    /// # let session = request.session();
    /// #[derive(Default, Serialize, Deserialize)]
    /// #[serde(default)]
    /// struct Visitor { visits: u32, cart: Vec<String>, theme: Option<String> }
    ///
    /// session.insert("theme", "dark")?;
    /// let visitor = session.update_all(|visitor: &mut Visitor| {
    ///     visitor.visits += 1;
    ///     visitor.cart.push("tea".to_owned());
    /// })?;
    /// assert_eq!(visitor.visits, 1);
    /// assert_eq!(visitor.theme.as_deref(), Some("dark"));
    /// assert_eq!(session.keys(), ["theme", "visits", "cart"]);
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Session::get_all`]; [`SessionError::Encode`] or [`SessionError::Whole`] if the value
    /// cannot be stored; [`SessionError::AlreadySent`].
    pub fn update_all<T, F>(&self, change: F) -> Result<T, SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(&mut T) + Send + Sync + 'static,
    {
        let edit = Arc::new(change);
        loop {
            let edit = Edit {
                members: self.read(|look| look.members().map(owned).collect()),
                style: self.0.manager.style(),
                change: Arc::clone(&edit),
            };
            let (value, changes) = edit.run(edit.members())?;
            if changes.is_empty() || self.apply::<T, F>(&Arc::new(edit), changes)? {
                return Ok(value);
            }
        }
    }

    /// Writes the changed fields if none of their keys has changed since `edit` was made, and
    /// returns whether they were written.
    fn apply<T, F>(
        &self,
        edit: &Arc<Edit<F>>,
        changes: Vec<FieldChange>,
    ) -> Result<bool, SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(&mut T) + Send + Sync + 'static,
    {
        self.write(|state| {
            let is_unchanged = |change: &FieldChange| state.text_of(&change.key) == change.before();
            if !changes.iter().all(is_unchanged) {
                return false;
            }
            let is_stored = state.found().record().is_some();
            for FieldChange { key, before, after } in changes {
                match after {
                    None => state.patch().remove(&key),
                    Some(after) if is_stored => {
                        let again = rerun::<T, F>(edit, &key);
                        state.patch().update(&key, before, after, again);
                    }
                    Some(after) => state.patch().set(&key, after),
                }
            }
            true
        })
    }
}

/// A member with its key (including quotes) and its value as JSON text.
type Owned = (String, String);

fn owned((key, text): (&str, &str)) -> Owned {
    (key.to_owned(), text.to_owned())
}

/// A change of the whole session, and the members that it applies to.
struct Edit<F> {
    members: Vec<Owned>,
    style: JsonDialect,
    change: Arc<F>,
}

/// The change of one field.
struct FieldChange {
    key: String,
    /// The text in the session, if the session has the key.
    before: Option<String>,
    /// The new text. `None` removes the key.
    after: Option<String>,
}

impl FieldChange {
    fn before(&self) -> Option<&str> {
        self.before.as_deref()
    }
}

impl<F> Edit<F> {
    fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(key, text)| (&**key, &**text))
    }

    /// Runs the change on `members`, and returns the value with the fields that it has changed.
    fn run<'m, T>(
        &self,
        members: impl Iterator<Item = (&'m str, &'m str)>,
    ) -> Result<(T, Vec<FieldChange>), SessionError>
    where
        T: Serialize + DeserializeOwned,
        F: Fn(&mut T),
    {
        let mut value = decode(members, self.style.tags)?;
        let before = self.fields(&value)?;
        (self.change)(&mut value);
        let after = self.fields(&value)?;
        let mut changes = Vec::new();
        for key in keys(&before).chain(keys(&after)) {
            let (old, new) = (before.text_of(&key), after.text_of(&key));
            let is_known = |change: &FieldChange| change.key == key;
            if old == new || changes.iter().any(is_known) {
                continue;
            }
            changes.push(FieldChange {
                before: self.text_of(&key).map(str::to_owned),
                after: new.map(str::to_owned),
                key,
            });
        }
        Ok((value, changes))
    }

    /// Returns the fields of a value as they would be written.
    fn fields<T: Serialize>(&self, value: &T) -> Result<SessionData, SessionError> {
        let text = json::to_text(value, self.style);
        let text = text.map_err(|error| SessionError::whole::<T>(&error))?;
        let fields = SessionData::parse(text, self.style);
        fields.map_err(|error| SessionError::whole::<T>(&error))
    }

    /// Returns the text of a key in the session.
    fn text_of(&self, key: &str) -> Option<&str> {
        let mut members = self.members();
        let member = members.find(|(raw, _)| json::string::key_equals(raw, key));
        member.map(|(_, text)| text)
    }
}

/// Returns the change of one field as a function of the newest text of its key.
fn rerun<T, F>(edit: &Arc<Edit<F>>, key: &str) -> UpdateFn
where
    T: Serialize + DeserializeOwned,
    F: Fn(&mut T) + Send + Sync + 'static,
{
    let (edit, key) = (Arc::clone(edit), key.to_owned());
    Arc::new(move |newest| {
        let mut raw = String::new();
        json::string::write(&key, true, &mut raw);
        let others = edit.members();
        let others = others.filter(|(other, _)| !json::string::key_equals(other, &key));
        let newest_member = newest.map(|text| (&*raw, text));
        let (value, _): (T, _) = edit.run(others.chain(newest_member))?;
        let text = edit.fields(&value)?.text_of(&key).map(str::to_owned);
        text.ok_or_else(|| "the changed value no longer has the field".into())
    })
}

fn decode<'m, T: DeserializeOwned>(
    members: impl Iterator<Item = (&'m str, &'m str)>,
    tags: bool,
) -> Result<T, SessionError> {
    let value = json::from_members(members, tags);
    value.map_err(|(key, error): (_, DecodeError)| match key {
        Some(key) => SessionError::shape(&key, &error),
        None => SessionError::whole::<T>(&error),
    })
}

fn keys(fields: &SessionData) -> impl Iterator<Item = String> {
    let decode = |raw: &str| json::string::decode(raw).ok().map(Into::into);
    fields.iter().filter_map(move |(raw, _)| decode(raw))
}
