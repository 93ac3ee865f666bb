//! One application's settings, and its sessions in this process.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use carafe_core::{
    flask::FlaskConfig,
    session::{ClientSide, ServerSide, SessionBackend, SessionConfig, SessionManager},
    store::ErasedStore,
};
use pyo3::{prelude::*, types::PyDict};

use crate::{
    errors,
    runtime::{Runtime, generation, runtime},
    settings::{self, Options},
    stores,
    values::Codec,
};

/// An application's settings. The store is opened at the first use in each process.
#[pyclass(frozen, module = "flask_carafe._native")]
pub(crate) struct Engine {
    pub(crate) codec: Codec,
    config: FlaskConfig,
    session_config: SessionConfig,
    options: Options,
    /// A client-side backend, which needs no connection.
    client_side: Option<ClientSide>,
    warning: Option<String>,
    lifetime: AtomicU64,
    live: Mutex<Option<(u64, Arc<Live>)>>,
    /// The open store of the previous settings, if both settings name the same store.
    inherited: Mutex<Option<(u64, Arc<dyn ErasedStore>)>>,
}

/// The sessions of an application in one process.
pub(crate) struct Live {
    pub(crate) manager: Arc<SessionManager>,
    pub(crate) store: Option<Arc<dyn ErasedStore>>,
    runtime: Option<&'static Runtime>,
}

impl Live {
    /// Returns the output of `future`. Other threads run while it waits for a store.
    pub(crate) fn run<F>(&self, py: Python<'_>, future: F) -> F::Output
    where
        F: Future + Send,
        F::Output: Send,
    {
        let mut future = pin!(future);
        // A future that needs no store is ready at its first poll.
        if self.runtime.is_none()
            && let Poll::Ready(output) = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
        {
            return output;
        }
        let runtime = self.runtime.or_else(|| runtime(py).ok());
        let runtime = runtime.expect("a process that can start no thread cannot wait for a store");
        py.detach(|| runtime.block_on(future))
    }
}

#[pymethods]
impl Engine {
    /// Checks the settings. Opens nothing.
    #[new]
    fn new(
        settings: &Bound<'_, PyDict>,
        options: Options,
        serializer: Py<PyAny>,
        is_plain: bool,
        lifetime: u64,
        previous: Option<&Bound<'_, Self>>,
    ) -> PyResult<Self> {
        let py = settings.py();
        let (config, warning) = settings::flask_config(settings, options.strict_keys)?;
        let session_config = options.session_config(py, &config)?;
        let client_side = match &options.store {
            Some(_) => None,
            None => Some(options.client_side(py, &config)?),
        };
        let engine = Self {
            codec: Codec::new(serializer, is_plain, options.dialect()),
            config,
            session_config,
            options,
            client_side,
            warning,
            lifetime: AtomicU64::new(lifetime),
            live: Mutex::new(None),
            inherited: Mutex::new(None),
        };
        if let Some(previous) = previous {
            engine.inherit(previous.get());
        }
        if engine.client_side.is_some() {
            engine.live(py)?;
        }
        Ok(engine)
    }

    /// A warning about a guessable key, or `None`.
    #[getter]
    fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }

    /// The name of the session's cookie.
    #[getter]
    fn cookie_name(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.live(py)?.manager.cookie().name().to_owned())
    }

    /// Whether the sessions are in a store.
    #[getter]
    fn is_server_side(&self) -> bool {
        self.client_side.is_none()
    }

    /// Sets the lifetime of sessions, in seconds.
    fn set_lifetime(&self, seconds: u64) {
        self.lifetime.store(seconds, Ordering::Relaxed);
        if let Some(live) = self.known() {
            live.manager.set_lifetime(Duration::from_secs(seconds));
        }
    }

    /// Opens the store of this process now.
    fn connect(&self, py: Python<'_>) -> PyResult<()> {
        errors::catch(py, || self.live(py).map(drop))
    }
}

impl Engine {
    /// Returns the sessions of this process. The first call opens their store.
    pub(crate) fn live(&self, py: Python<'_>) -> PyResult<Arc<Live>> {
        if let Some(live) = self.known() {
            return Ok(live);
        }
        let live = Arc::new(self.begin(py)?);
        // The lock is not held while connecting, because a fork of another thread would copy it
        // locked.
        let mut known = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((known, live)) if *known == self.generation() => Ok(Arc::clone(live)),
            _ => {
                if let Some((_, parents)) = known.replace((self.generation(), Arc::clone(&live))) {
                    // A store of the parent process: see the module `runtime`.
                    std::mem::forget(parents);
                }
                Ok(live)
            }
        }
    }

    /// Reuses the open store of the previous settings, if both settings name the same store.
    fn inherit(&self, previous: &Self) {
        if !self.options.is_same_store(&previous.options) {
            return;
        }
        if let Some(store) = previous.known().and_then(|live| live.store.clone()) {
            *self
                .inherited
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some((generation(), store));
        }
    }

    fn take_inherited(&self) -> Option<Arc<dyn ErasedStore>> {
        let taken = self
            .inherited
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let (generation, store) = taken?;
        if generation == self.generation() {
            return Some(store);
        }
        std::mem::forget(store);
        None
    }

    fn known(&self) -> Option<Arc<Live>> {
        let known = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((known, live)) if *known == self.generation() => Some(Arc::clone(live)),
            _ => None,
        }
    }

    /// Returns the generation of the process.
    ///
    /// Always 0 for client-side sessions, which have no threads and no connections, so a fork does
    /// not affect them.
    fn generation(&self) -> u64 {
        if self.client_side.is_some() {
            0
        } else {
            generation()
        }
    }

    fn begin(&self, py: Python<'_>) -> PyResult<Live> {
        let lifetime = self.lifetime();
        let (side, store, runtime) = match (&self.client_side, &self.options.store) {
            (Some(side), _) => (SessionBackend::from(side.clone()), None, None),
            (None, url) => {
                let (runtime, url) = (runtime(py)?, url.as_deref().unwrap_or_default());
                let store = match self.take_inherited() {
                    Some(store) => store,
                    None => {
                        let open = stores::open(url, &self.options, lifetime);
                        py.detach(|| runtime.block_on(open))
                            .map_err(|error| error.raised(py))?
                    }
                };
                let waits = !store.never_waits();
                let side = SessionBackend::from(self.server_side(Arc::clone(&store)));
                (side, Some(store), waits.then_some(runtime))
            }
        };
        let config = self.session_config.clone().with_lifetime(lifetime);
        let manager = SessionManager::new(side, config);
        let manager =
            manager.map_err(|error| errors::raise(py, "ConfigError", &error.to_string()))?;
        Ok(Live {
            manager: Arc::new(manager),
            store,
            runtime,
        })
    }

    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.lifetime.load(Ordering::Relaxed))
    }

    /// Whether the sessions are in a store in Carafe's own layout.
    pub(crate) const fn has_own_layout(&self) -> bool {
        self.options.store.is_some() && !self.options.flask_session
    }

    fn server_side(&self, store: Arc<dyn ErasedStore>) -> ServerSide {
        let options = &self.options;
        let mut side = ServerSide::shared(store).with_timeouts(options.timeouts());
        if let Some(sessions) = options.sessions_per_user {
            side = side.with_limit_per_user(sessions, options.at_limit());
        }
        match options.id_signer(&self.config) {
            Some(signer) => side.with_signed_ids(signer),
            None => side,
        }
    }

    /// Returns whether a request that has not used its session needs a commit.
    ///
    /// Known without opening the store, which such a request may not need.
    pub(crate) const fn commits_untouched(&self, has_cookies: bool) -> bool {
        self.session_config.commits_untouched(has_cookies)
    }
}
