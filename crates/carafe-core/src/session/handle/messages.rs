//! Messages for the next page.

use serde::Serialize;

use crate::session::{Flash, Session, SessionError, flash};

impl Session {
    /// Adds a message for the next page that calls [`Session::take_flashes`].
    ///
    /// Equivalent to Flask's `flash(message, category)`. The message is a string,
    /// [`Markup`](crate::json::tag::Markup) or any other value.
    ///
    /// ```
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().flash("success", "Your order was placed.")?;
    /// client.finish(request, 303).await?;
    ///
    /// // The page to which the browser was redirected.
    /// let request = client.begin().await?;
    /// let flashes = request.session().take_flashes()?;
    /// assert_eq!(flashes[0].category, "success");
    /// assert_eq!(flashes[0].message, "Your order was placed.");
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
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
    /// use carafe_core::json::tag::Markup;
    /// # use carafe_core::{session::*, store::MemoryStore, testing::TestClient};
    /// # futures_executor::block_on(async {
    /// # let side = ServerSide::new(MemoryStore::new());
    /// # let manager = SessionManager::new(side, SessionConfig::default())?;
    /// # let manager = std::sync::Arc::new(manager);
    /// # let mut client = TestClient::new(&manager);
    /// let request = client.begin().await?;
    /// request.session().flash("info", "5 > 4")?;
    /// request.session().flash("info", &Markup("<b>saved</b>".to_owned()))?;
    /// client.finish(request, 200).await?;
    ///
    /// let request = client.begin().await?;
    /// let flashes = request.session().take_flashes()?;
    /// assert!(!flashes[0].is_markup, "escape this one");
    /// assert!(flashes[1].is_markup);
    /// assert_eq!(request.session().take_flashes()?, flashes, "in the same request");
    /// client.finish(request, 200).await?;
    /// assert!(client.session().await?.take_flashes()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`SessionError::AlreadySent`].
    pub fn take_flashes(&self) -> Result<Vec<Flash>, SessionError> {
        let style = self.0.manager.style();
        // A single lock for all steps. Otherwise a message that another task flashes in between
        // would be lost.
        let mut state = self.locked();
        self.0.access();
        if let Some(taken) = &state.flashes {
            return Ok(taken.to_vec());
        }
        let list = state.text_of(flash::KEY);
        let flashes = list.map(|list| flash::parse(list, style)).transpose()?;
        if flashes.is_some() {
            state.admit_change()?;
            state.patch().remove(flash::KEY);
        }
        let flashes = flashes.unwrap_or_default();
        state.flashes = Some(flashes.as_slice().into());
        Ok(flashes)
    }
}
