//! One process of a site.
//!
//! A node contains handlers, the layer, a guarded store, and the proxy between store and server.

use std::{
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, extract::Path, routing::get};
use carafe::{
    Backoff, CircuitRules, ErasedStore, GuardOptions, Guarded, ServerSide, Session, SessionConfig,
    SessionError, SessionLayer, Timestamp,
    store::{Deadlines, StoreKey},
};
use carafe_test_proxy::Proxy;
use http::StatusCode;
use tokio::sync::Semaphore;

use crate::{browser::Browser, server::Server};

/// Deadlines for rows of other subjects, because the machine may be busy.
pub(crate) const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(20),
    read: Duration::from_secs(20),
    write: Duration::from_secs(20),
};

/// Deadlines for rows about immediate failures, long enough for a busy machine.
pub(crate) const CALM: Deadlines = Deadlines {
    connect: Duration::from_secs(1),
    read: Duration::from_secs(5),
    write: Duration::from_secs(5),
};

/// Tolerance for a busy machine. Not a measurement.
pub(crate) const SLACK: Duration = Duration::from_secs(2);

pub(crate) struct Node<S> {
    pub(crate) proxy: Proxy,
    pub(crate) store: Arc<Guarded<dyn ErasedStore>>,
    pub(crate) app: Router,
    pub(crate) gate: Arc<Gate>,
    server: PhantomData<S>,
}

/// Options with a circuit that never opens, for tests of the guarded store.
pub(crate) fn without_circuit() -> GuardOptions {
    GuardOptions::default()
        .with_deadlines(PATIENT)
        .with_circuit(
            CircuitRules::default()
                .with_consecutive_failures(u32::MAX)
                .with_min_calls(u32::MAX)
                .with_window(Duration::from_secs(1))
                .with_backoff(Backoff::new(Duration::ZERO, Duration::ZERO)),
        )
}

impl<S: Server> Node<S> {
    /// A node with the default circuit and tolerant deadlines.
    pub(crate) async fn of(server: &S) -> Self {
        let options = GuardOptions::default().with_deadlines(CALM);
        Self::with(server, CALM, options).await
    }

    /// A node with patient deadlines and no circuit.
    pub(crate) async fn patient(server: &S) -> Self {
        Self::with(server, PATIENT, without_circuit()).await
    }

    pub(crate) async fn with(server: &S, deadlines: Deadlines, options: GuardOptions) -> Self {
        let proxy = Proxy::to(server.port());
        let store = S::store(proxy.port(), deadlines).await;
        let store = Arc::new(options.guard_shared(store));
        let gate = Arc::new(Gate::default());
        Self {
            app: app(store.clone(), &gate),
            proxy,
            store,
            gate,
            server: PhantomData,
        }
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::of(&self.app)
    }

    /// Returns a visitor with a session that has a counter of 1 and a name.
    ///
    /// Retries if a busy machine misses a default deadline.
    pub(crate) async fn visitor(&self, name: &str) -> Browser {
        let since = Instant::now();
        loop {
            let mut browser = self.browser();
            let counted = browser.get("/count").await;
            let named = browser.get(&format!("/name/{name}")).await;
            if counted.status == StatusCode::OK && named.status == StatusCode::OK {
                assert_eq!(counted.body, "1");
                return browser;
            }
            assert!(since.elapsed() < SLACK * 5, "{}", named.status);
        }
    }

    /// Retries until a request of `browser` succeeds, at most for `time`; returns its body.
    pub(crate) async fn recovers(&self, browser: &mut Browser, time: Duration) -> String {
        let since = Instant::now();
        loop {
            let answer = browser.get("/mine").await;
            if answer.status == StatusCode::OK {
                return answer.body;
            }
            assert!(since.elapsed() < time, "it does not recover");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Returns the number of rounds of a long row: `full` with `CARAFE_FULL=1`, otherwise `little`.
pub(crate) fn rounds(little: usize, full: usize) -> usize {
    match std::env::var_os("CARAFE_FULL") {
        Some(_) => full,
        None => little,
    }
}

/// A second process of the same site, behind the same proxy.
pub(crate) async fn second<S: Server>(node: &Node<S>, options: GuardOptions) -> Router {
    let store = S::store(node.proxy.port(), Deadlines::default()).await;
    app(Arc::new(options.guard_shared(store)), &node.gate)
}

/// Reads a session's counter directly from the server, bypassing guard and proxy.
pub(crate) async fn number_in<S: Server>(server: &S, cookie: &str) -> Option<u64> {
    let store = S::store(server.port(), PATIENT).await;
    let found = store.load(&key_of(cookie), Timestamp::now()).await;
    let record = found.unwrap().into_record()?;
    Some(record.data.text_of("n").unwrap().parse().unwrap())
}

/// Returns the key of a browser's session.
pub(crate) fn key_of(cookie: &str) -> StoreKey {
    StoreKey::of_id(cookie.strip_prefix("session=").unwrap())
}

/// Pauses a request between its handler and its end.
pub(crate) struct Gate {
    reached: Semaphore,
    open: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            reached: Semaphore::new(0),
            open: Semaphore::new(0),
        }
    }
}

impl Gate {
    async fn pass(&self) {
        self.reached.add_permits(1);
        self.open.acquire().await.unwrap().forget();
    }

    /// Waits until a handler has reached the gate.
    pub(crate) async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    pub(crate) fn open(&self) {
        self.open.add_permits(1);
    }
}

fn counted(session: &Session) -> Result<String, SessionError> {
    let count = session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(count.to_string())
}

pub(crate) fn app(store: Arc<dyn ErasedStore>, gate: &Arc<Gate>) -> Router {
    app_of(ServerSide::shared(store), gate)
}

pub(crate) fn app_of(side: ServerSide, gate: &Arc<Gate>) -> Router {
    let layer = SessionLayer::with_config(side, SessionConfig::development()).unwrap();
    let (at_count, at_log_out) = (Arc::clone(gate), Arc::clone(gate));
    let gated_count = async move |session: Session| {
        let count = counted(&session);
        at_count.pass().await;
        count
    };
    let gated_log_out = async move |session: Session| {
        let out = session.log_out();
        at_log_out.pass().await;
        out.map(|()| "out")
    };
    Router::new()
        .route("/", get(async || "public"))
        .route("/count", get(async |session: Session| counted(&session)))
        .route("/name/{name}", get(name))
        .route("/set/{key}", get(set))
        .route("/mine", get(mine))
        .route("/login/{user}", get(log_in))
        .route("/logout", get(log_out))
        .route("/gated/count", get(gated_count))
        .route("/gated/logout", get(gated_log_out))
        .route("/fails/count", get(failing_count))
        .route("/fails/logout", get(failing_log_out))
        .layer(layer)
}

async fn name(Path(name): Path<String>, session: Session) -> Result<(), SessionError> {
    session.insert("name", &name)
}

async fn set(Path(key): Path<String>, session: Session) -> Result<(), SessionError> {
    session.insert(&key, &true)
}

/// Returns the name, the user and the number of keys.
async fn mine(session: Session) -> Result<String, SessionError> {
    let name: Option<String> = session.get("name")?;
    let (name, user) = (name.unwrap_or_default(), session.user().unwrap_or_default());
    Ok(format!("{name}/{user}/{}", session.len()))
}

async fn log_in(Path(user): Path<String>, session: Session) -> Result<(), SessionError> {
    session.log_in(&user)
}

async fn log_out(session: Session) -> Result<(), SessionError> {
    session.log_out()
}

async fn failing_count(session: Session) -> (StatusCode, String) {
    let count = counted(&session).unwrap();
    (StatusCode::INTERNAL_SERVER_ERROR, count)
}

async fn failing_log_out(session: Session) -> StatusCode {
    session.log_out().unwrap();
    StatusCode::INTERNAL_SERVER_ERROR
}
