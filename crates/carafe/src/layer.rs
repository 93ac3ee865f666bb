//! The layer: a cloneable configuration.

use std::sync::Arc;

use carafe_core::{
    cookie::CookieError,
    session::{SessionBackend, SessionConfig, SessionManager},
};
use tower_layer::Layer;

use crate::SessionService;

/// A layer that provides sessions to its routes.
///
/// Add it after the routes: `Router::layer` only applies to the routes added before it.
///
/// ```
/// use axum::{Router, routing::get};
/// use carafe::{ClientSide, SecretKey, Session, SessionConfig, SessionLayer};
///
/// let key = SecretKey::short("flask-spec-secret")?;
/// let layer = SessionLayer::with_config(ClientSide::signed(key), SessionConfig::flask())?;
/// let app: Router = Router::new()
///     .route("/", get(async |session: Session| session.len().to_string()))
///     .layer(layer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SessionLayer {
    manager: Arc<SessionManager>,
}

impl SessionLayer {
    /// Creates a layer with [`SessionConfig::default`].
    #[must_use]
    pub fn new(side: impl Into<SessionBackend>) -> Self {
        Self::with_config(side, SessionConfig::default())
            .expect("the default configuration is good")
    }

    /// Creates a layer with the given configuration.
    ///
    /// # Errors
    ///
    /// Returns [`CookieError`], with the required change, if browsers would reject the cookie.
    pub fn with_config(
        side: impl Into<SessionBackend>,
        config: SessionConfig,
    ) -> Result<Self, CookieError> {
        Ok(Self {
            manager: Arc::new(SessionManager::new(side, config)?),
        })
    }

    /// Returns the layer's session manager. Use it to change the lifetime at run time.
    #[must_use]
    pub fn manager(&self) -> &Arc<SessionManager> {
        &self.manager
    }
}

impl From<Arc<SessionManager>> for SessionLayer {
    fn from(manager: Arc<SessionManager>) -> Self {
        Self { manager }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService::new(inner, Arc::clone(&self.manager))
    }
}
