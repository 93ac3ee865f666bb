//! A site without a framework: paths, and what their handlers do.

use std::{any::Any, net::SocketAddr, ops::Deref, sync::Arc};

use carafe_core::{
    cookie::{RequestCookies, SetCookie},
    session::{Session, SessionConfig, SessionError, SessionManager, Side},
};

/// A framework with its adapter.
pub trait Adapter {
    /// Serves the site on a free port of 127.0.0.1 until the server is dropped.
    fn serve(site: Site) -> Server;
}

/// A site that is served, until this is dropped.
pub struct Server {
    at: At,
    _running: Box<dyn Any>,
}

/// Where a site is served.
#[derive(Clone, Copy)]
pub struct At(pub SocketAddr);

impl Server {
    /// `running` ends the server when it is dropped.
    pub fn new(address: SocketAddr, running: impl Any) -> Self {
        Self {
            at: At(address),
            _running: Box::new(running),
        }
    }
}

impl Deref for Server {
    type Target = At;

    fn deref(&self) -> &At {
        &self.at
    }
}

/// What to serve.
#[derive(Clone, Default)]
pub struct Site {
    /// What the session layer around all routes asks; no layer if there is none.
    pub manager: Option<Arc<SessionManager>>,
    pub routes: Vec<(&'static str, Handler)>,
}

/// What a handler does with the session.
pub type Does = dyn Fn(&Session) -> Result<Reply, SessionError> + Send + Sync;

/// What answers the GET and HEAD requests of a path.
#[derive(Clone)]
pub enum Handler {
    /// Takes nothing.
    Plain(Reply),
    /// Takes the session.
    Session(Arc<Does>),
    /// Takes the cookies.
    Cookies(fn(&RequestCookies) -> String),
}

/// A handler's answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Added one by one, also if a name comes twice.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Added behind the headers, by the framework's own means for cookies of ours.
    pub cookies: Vec<SetCookie>,
    pub body: String,
    /// The handler waits for [`Session::commit`] before it answers.
    pub commits: bool,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            cookies: Vec::new(),
            body: String::new(),
            commits: false,
        }
    }
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Self::default()
    }
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }
}

/// A page.
pub fn text(body: impl Into<String>) -> Reply {
    Reply {
        body: body.into(),
        ..Reply::default()
    }
}

impl Handler {
    /// Takes the session.
    pub fn takes<R: Into<Reply>>(
        handler: impl Fn(&Session) -> Result<R, SessionError> + Send + Sync + 'static,
    ) -> Self {
        Self::Session(Arc::new(move |session| handler(session).map(Into::into)))
    }
}

impl Site {
    /// A site without a layer.
    #[must_use]
    pub fn bare() -> Self {
        Self::default()
    }

    /// A site with a layer.
    pub fn of(side: impl Into<Side>, config: SessionConfig) -> Self {
        Self {
            manager: Some(Arc::new(SessionManager::new(side, config).unwrap())),
            routes: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, path: &'static str, handler: Handler) -> Self {
        self.routes.push((path, handler));
        self
    }

    /// A handler that takes the session.
    #[must_use]
    pub fn takes<R: Into<Reply>>(
        self,
        path: &'static str,
        handler: impl Fn(&Session) -> Result<R, SessionError> + Send + Sync + 'static,
    ) -> Self {
        self.with(path, Handler::takes(handler))
    }

    /// The name of the session's cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        self.manager.as_ref().unwrap().cookie().name()
    }
}
