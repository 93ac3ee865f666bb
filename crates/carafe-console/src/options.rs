//! [`ConsoleOptions`]: the settings of a console.

use std::{fmt, sync::Arc};

use axum::routing::MethodRouter;
use carafe_core::key::SecretKey;

/// Whether operators may revoke sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Operators can see and revoke sessions.
    #[default]
    ReadWrite,
    /// Operators can see sessions only.
    ReadOnly,
}

/// Removes secrets, such as the password of a URL, from the text of a store's error.
pub(crate) type Redact = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// The options of a console.
#[must_use]
#[derive(Default)]
pub struct ConsoleOptions {
    settings: Settings,
    log_out: Option<MethodRouter>,
    redact: Option<Redact>,
}

/// The options that pages use.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) access: Access,
    pub(crate) store_name: Option<(String, String)>,
    pub(crate) public_path: Option<String>,
    pub(crate) form_key: Option<SecretKey>,
    pub(crate) has_log_out: bool,
}

impl ConsoleOptions {
    /// Returns the defaults: operators may revoke, and links follow the path at which the router is
    /// mounted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether operators may revoke sessions.
    pub fn with_access(mut self, access: Access) -> Self {
        self.settings.access = access;
        self
    }

    /// Shows the kind and the address of the store in the header of each page. The address must not
    /// contain a password.
    pub fn with_store_name(mut self, kind: impl Into<String>, address: impl Into<String>) -> Self {
        self.settings.store_name = Some((kind.into(), address.into()));
        self
    }

    /// Sets the path under which browsers reach the console, such as `/ops/carafe`. Only needed
    /// behind a proxy that forwards requests under another path.
    ///
    /// The overview is at this path, with a trailing slash if `path` has one.
    pub fn with_public_path(mut self, path: impl Into<String>) -> Self {
        self.settings.public_path = Some(path.into());
        self
    }

    /// Sets the key of the form tokens. All processes of an application that serve the same
    /// operators need the same key. The default is a random key for each router.
    pub fn with_form_key(mut self, key: SecretKey) -> Self {
        self.settings.form_key = Some(key);
        self
    }

    /// Adds a button that logs the operator out. `handler` answers `POST /leave` below the path of
    /// the console, after the form token was verified.
    ///
    /// ```
    /// use axum::{response::Redirect, routing::post};
    /// use carafe_console::ConsoleOptions;
    ///
    /// let options = ConsoleOptions::new().with_log_out(post(async || {
    ///     // Log the operator out here.
    ///     Redirect::to("/log-in")
    /// }));
    /// ```
    pub fn with_log_out(mut self, handler: MethodRouter) -> Self {
        self.log_out = Some(handler);
        self.settings.has_log_out = true;
        self
    }

    /// Sets a function that removes secrets from the text of a store's error before a page shows
    /// it.
    pub fn with_redaction(
        mut self,
        redact: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        self.redact = Some(Arc::new(redact));
        self
    }

    pub(crate) fn into_parts(self) -> (Settings, Option<MethodRouter>, Option<Redact>) {
        (self.settings, self.log_out, self.redact)
    }
}

impl fmt::Debug for ConsoleOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleOptions")
            .field("access", &self.settings.access)
            .field("store_name", &self.settings.store_name)
            .field("public_path", &self.settings.public_path)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Returns whether revocation is disabled.
    pub(crate) fn is_read_only(&self) -> bool {
        self.access == Access::ReadOnly
    }
}
