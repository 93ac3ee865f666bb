//! The race: fifty concurrent requests of one session, each of which increments a number.
//!
//! Two applications run it, with the same handler, layer, file and disk. One uses Carafe's store,
//! the other the [`WholeRecord`] store. The requests call the routers directly, without a socket.
//! The numbers are read from the sessions afterwards.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderValue, Request, StatusCode, header},
    routing::post,
};
use carafe::{Session, SessionError, SessionLayer, SessionManager};
use carafe_core::{clock::Timestamp, store::ErasedStore};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tower_service::Service as _;

use super::{mode::in_store, visit::cookie_lines, whole_record::WholeRecord};
use carafe_program::failure::Failure;

/// Number of concurrent requests.
pub(super) const AT_ONCE: u64 = 50;

/// The key that every request increments.
pub(super) const COUNT: &str = "count";
/// The key of the result in a visitor's session.
const RESULT: &str = "race";

/// Both applications.
pub(super) struct Race {
    carafe: Lane,
    whole_record: Lane,
}

/// One of the two applications.
struct Lane {
    manager: Arc<SessionManager>,
    app: Router,
}

/// The result: the numbers in the two sessions afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) of: u64,
    pub(super) carafe: u64,
    #[serde(rename = "whole")]
    pub(super) whole_record: u64,
}

/// The handler of both lanes.
async fn increment(session: Session) -> Result<(), SessionError> {
    session.update(COUNT, |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(())
}

impl Race {
    /// `visitors` opens the sessions of browsers. The other lane has sessions of its own in the
    /// same store.
    pub(super) fn new(
        visitors: Arc<SessionManager>,
        store: Arc<dyn ErasedStore>,
    ) -> Result<Self, Failure> {
        Ok(Self {
            carafe: Lane::new(visitors),
            whole_record: Lane::new(in_store(Arc::new(WholeRecord(store)))?),
        })
    }

    /// Returns the visitor's `Set-Cookie` line if the session is new or has a new ID.
    pub(super) async fn run(&self, headers: &HeaderMap) -> Result<Option<String>, Trouble> {
        let mut jar = Jar::new(headers);
        let carafe = self.carafe.race(&mut jar).await?;
        let mut own = Jar::default();
        let whole_record = self.whole_record.race(&mut own).await?;
        self.whole_record.with(&mut own, Session::log_out).await?;
        let counts = Counts {
            of: AT_ONCE,
            carafe,
            whole_record,
        };
        let note = |session: &Session| session.insert(RESULT, &counts);
        self.carafe.with(&mut jar, note).await?;
        Ok(jar.set_cookie)
    }
}

impl Counts {
    /// Returns the result of the last race of this session.
    pub(super) fn of(session: &Session) -> Option<Self> {
        // The visitor may have set another value under this key.
        let counts: Self = session.get(RESULT).ok().flatten()?;
        let most = counts.carafe.max(counts.whole_record);
        (counts.of == AT_ONCE && most <= AT_ONCE).then_some(counts)
    }
}

impl Lane {
    fn new(manager: Arc<SessionManager>) -> Self {
        let app = Router::new().route("/", post(increment));
        let app = app.layer(SessionLayer::from(Arc::clone(&manager)));
        Self { manager, app }
    }

    /// Sets the number to zero, sends all requests concurrently, and returns the number.
    async fn race(&self, jar: &mut Jar) -> Result<u64, Trouble> {
        self.with(jar, |session| session.insert(COUNT, &0)).await?;
        let mut requests = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (mut app, request) = (self.app.clone(), jar.request()?);
            requests.spawn(async move { app.call(request).await });
        }
        while let Some(done) = requests.join_next().await {
            // A router's error type is `Infallible`. A panic of the task is a `JoinError`.
            let Ok(response) = done?;
            if response.status() != StatusCode::OK {
                return Err(
                    format!("a request of the race ended with {}", response.status()).into(),
                );
            }
        }
        let count = self.with(jar, |session| session.get(COUNT)).await?;
        Ok(count.unwrap_or(0))
    }

    /// Runs `work` in one request with the session of `jar`.
    async fn with<T>(
        &self,
        jar: &mut Jar,
        work: impl FnOnce(&Session) -> Result<T, SessionError>,
    ) -> Result<T, Trouble> {
        let now = Timestamp::now();
        let slot = self.manager.begin();
        let session = self
            .manager
            .open(&slot, cookie_lines(&jar.cookies), now)
            .await?;
        let done = work(&session)?;
        let ok = StatusCode::OK.as_u16();
        let effects = self.manager.commit(&slot, [], ok, now).await?;
        jar.keep(effects.set_cookie)?;
        Ok(done)
    }
}

type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// The cookies of a browser.
#[derive(Default)]
struct Jar {
    cookies: HeaderMap,
    /// The last `Set-Cookie` line.
    set_cookie: Option<String>,
}

impl Jar {
    fn new(headers: &HeaderMap) -> Self {
        let lines = headers.get_all(header::COOKIE).into_iter().cloned();
        Self {
            cookies: lines.map(|line| (header::COOKIE, line)).collect(),
            set_cookie: None,
        }
    }

    /// Keeps the cookie of a `Set-Cookie` line for the next request.
    fn keep(&mut self, set_cookie: Option<String>) -> Result<(), Trouble> {
        if let Some(line) = set_cookie {
            let pair = line.split(';').next().unwrap_or_default();
            let pair = HeaderValue::from_str(pair)?;
            self.cookies = HeaderMap::from_iter([(header::COOKIE, pair)]);
            self.set_cookie = Some(line);
        }
        Ok(())
    }

    fn request(&self) -> Result<Request<Body>, axum::http::Error> {
        let mut request = Request::post("/").body(Body::empty())?;
        *request.headers_mut() = self.cookies.clone();
        Ok(request)
    }
}
