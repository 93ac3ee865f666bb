//! A site independent of frameworks: paths and their handlers.

use std::{
    any::Any,
    convert::Infallible,
    future::{Future, ready},
    net::SocketAddr,
    ops::Deref,
    sync::Arc,
};

use bytes::Bytes;
use carafe_core::{
    cookie::{RequestCookies, SetCookie},
    csrf::CsrfPolicy,
    session::{Session, SessionBackend, SessionConfig, SessionError, SessionManager},
    store::BoxFuture,
};
use futures_util::stream::{self, BoxStream};

use crate::{gate::Gate, via::Translation};

/// A framework with its adapter.
pub trait Adapter {
    /// Serves the site on a free port of 127.0.0.1 until the server is dropped.
    fn serve(site: Site) -> Server;
}

/// A running server, stopped on drop.
pub struct Server {
    at: At,
    _running: Box<dyn Any>,
}

/// The address of a server.
#[derive(Clone, Copy)]
pub struct At {
    pub address: SocketAddr,
    pub(crate) translation: Translation,
}

impl At {
    /// Returns an address whose client translates for this thread's check.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        let translation = Translation::current();
        Self {
            address,
            translation,
        }
    }
}

impl Server {
    /// Creates a server; dropping `running` must stop it.
    pub fn new(address: SocketAddr, running: impl Any) -> Self {
        Self {
            at: At::new(address),
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

/// The routes and the session layer to serve.
#[derive(Clone, Default)]
pub struct Site {
    /// The session manager of the layer around all routes; `None` for no layer.
    pub manager: Option<Arc<SessionManager>>,
    /// The policy of the CSRF layer inside the session layer; `None` for no layer.
    pub csrf: Option<CsrfPolicy>,
    pub routes: Vec<(&'static str, Handler)>,
}

/// A handler's code.
pub type Does = dyn Fn(Session) -> BoxFuture<'static, Result<Reply, SessionError>> + Send + Sync;

/// The body of a response that is sent while the handler's code continues.
pub type Chunks = BoxStream<'static, Result<Bytes, Infallible>>;

/// The handler for GET, HEAD and POST requests of a path.
#[derive(Clone)]
pub enum Handler {
    /// A handler without arguments.
    Plain(Reply),
    /// A handler that extracts the session.
    Session(Arc<Does>),
    /// A handler that extracts the session and streams the body of a 200.
    Stream(Arc<dyn Fn(Session) -> Chunks + Send + Sync>),
    /// A handler that extracts a log-in and returns its user.
    LoggedIn,
    /// A handler that extracts a log-in of the last 5 minutes and returns its user.
    RecentlyAuthenticated,
    /// A handler that extracts the cookies.
    Cookies(fn(&RequestCookies) -> String),
}

/// A handler's response.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    /// Appended in order, including repeated names.
    pub headers: Vec<(&'static str, &'static str)>,
    /// Appended after the headers, with the framework's support for `SetCookie`.
    pub cookies: Vec<SetCookie>,
    pub body: String,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            cookies: Vec::new(),
            body: String::new(),
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

/// Returns a response with this body.
pub fn text(body: impl Into<String>) -> Reply {
    Reply {
        body: body.into(),
        ..Reply::default()
    }
}

impl Handler {
    /// Returns a handler that extracts the session.
    pub fn takes<R: Into<Reply> + Send + 'static>(
        handler: impl Fn(&Session) -> Result<R, SessionError> + Send + Sync + 'static,
    ) -> Self {
        Self::waits(move |session| ready(handler(&session)))
    }

    /// Returns an async handler that extracts the session.
    pub fn waits<R, F>(handler: impl Fn(Session) -> F + Send + Sync + 'static) -> Self
    where
        R: Into<Reply>,
        F: Future<Output = Result<R, SessionError>> + Send + 'static,
    {
        Self::Session(Arc::new(move |session| {
            let answer = handler(session);
            Box::pin(async { answer.await.map(Into::into) })
        }))
    }

    /// Returns a handler that calls `begin` with the session and streams steps until `None`.
    pub fn streams<F>(
        begin: impl Fn(&Session) + Send + Sync + 'static,
        step: impl Fn(Session, u64) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Option<String>> + Send + 'static,
    {
        Self::Stream(Arc::new(move |session| {
            begin(&session);
            let step = step.clone();
            Box::pin(stream::unfold((session, 0), move |(session, number)| {
                let text = step(session.clone(), number);
                async move { Some((Ok(Bytes::from(text.await?)), (session, number + 1))) }
            }))
        }))
    }
}

impl Site {
    /// Returns a site without a layer.
    #[must_use]
    pub fn bare() -> Self {
        Self::default()
    }

    /// Returns a site with a layer, with the [transport](crate::via) of this thread's check.
    pub fn of(side: impl Into<SessionBackend>, config: SessionConfig) -> Self {
        let side = side.into();
        // The name of the cookie is known once the configuration has been checked.
        let manager = SessionManager::new(side.clone(), config.clone()).unwrap();
        let transports = Translation::transports(manager.cookie().name());
        Self::with_transports_of(side, config.with_transports(transports))
    }

    /// Returns a site with a layer, with the transports of `config`.
    pub fn with_transports_of(side: impl Into<SessionBackend>, config: SessionConfig) -> Self {
        Self {
            manager: Some(Arc::new(SessionManager::new(side, config).unwrap())),
            ..Self::bare()
        }
    }

    /// Adds a CSRF layer.
    #[must_use]
    pub fn checked(self, policy: CsrfPolicy) -> Self {
        let csrf = Some(policy);
        Self { csrf, ..self }
    }

    #[must_use]
    pub fn with(mut self, path: &'static str, handler: Handler) -> Self {
        self.routes.push((path, handler));
        self
    }

    /// Adds a handler that extracts the session.
    #[must_use]
    pub fn takes<R: Into<Reply> + Send + 'static>(
        self,
        path: &'static str,
        handler: impl Fn(&Session) -> Result<R, SessionError> + Send + Sync + 'static,
    ) -> Self {
        self.with(path, Handler::takes(handler))
    }

    /// Adds an async handler that extracts the session.
    #[must_use]
    pub fn waits<R, F>(
        self,
        path: &'static str,
        handler: impl Fn(Session) -> F + Send + Sync + 'static,
    ) -> Self
    where
        R: Into<Reply>,
        F: Future<Output = Result<R, SessionError>> + Send + 'static,
    {
        self.with(path, Handler::waits(handler))
    }

    /// Adds a handler that extracts the session, and waits at `gate` before it returns.
    #[must_use]
    pub fn holds<R: Into<Reply> + Send + 'static>(
        self,
        path: &'static str,
        gate: &Gate,
        handler: impl Fn(&Session) -> Result<R, SessionError> + Send + Sync + 'static,
    ) -> Self {
        let gate = gate.clone();
        self.waits(path, move |session| {
            let (gate, answer) = (gate.clone(), handler(&session));
            async move {
                gate.pass().await;
                answer
            }
        })
    }

    /// Returns the name of the session's cookie.
    #[must_use]
    pub fn name(&self) -> &str {
        self.manager.as_ref().unwrap().cookie().name()
    }
}
