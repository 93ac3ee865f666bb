//! No library: the minimum work of a layer that stores sessions under hashed ids in memory.
//!
//! The layer finds the cookie, hashes it, reads the clock, takes a lock, looks up the session and
//! sets `Vary`; a session is a fixed struct. The layer has no signature, no second cookie of the
//! name, no refresh, no merge, only one attribute and no errors of its own: its cost remains even
//! if everything else is free.

use std::{
    collections::HashMap,
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::{HeaderValue, Request, Response, header, request::Parts},
    response::IntoResponse,
    routing::get,
};
use base64_simd::URL_SAFE_NO_PAD;
use pin_project_lite::pin_project;
use sha2::{Digest, Sha256};
use tower::{Service, layer::layer_fn};

use super::Answer;
use crate::content::Login;

const DAY: u64 = 86_400;

/// A session and its expiry, in seconds since 1970.
type Kept = (Arc<Login>, u64);
type Store = Mutex<HashMap<[u8; 32], Kept>>;

pub(crate) fn in_memory() -> Router {
    let store = Arc::<Store>::default();
    let routes = super::routes(
        get(start),
        get(async || super::OK),
        get(async |session: Session| super::verdict(session.user())),
        get(write),
        get(log_in),
    );
    routes.layer(layer_fn(move |inner| Layer {
        inner,
        store: Arc::clone(&store),
    }))
}

#[derive(Clone)]
struct Layer<S> {
    inner: S,
    store: Arc<Store>,
}

/// The layer's state for a request.
struct Slot {
    store: Arc<Store>,
    is_used: AtomicBool,
}

pin_project! {
    struct Responding<F> {
        #[pin]
        inner: F,
        slot: Arc<Slot>,
    }
}

/// A session, and the hash of its id.
struct Session {
    slot: Arc<Slot>,
    found: Option<([u8; 32], Arc<Login>)>,
}

impl<S, B, R> Service<Request<B>> for Layer<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Responding<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let slot = Arc::new(Slot {
            store: Arc::clone(&self.store),
            is_used: AtomicBool::new(false),
        });
        request.extensions_mut().insert(Arc::clone(&slot));
        let inner = self.inner.call(request);
        Responding { inner, slot }
    }
}

impl<F: Future<Output = Result<Response<R>, E>>, R, E> Future for Responding<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(context))?;
        if this.slot.is_used.load(Ordering::Acquire) {
            let cookie = HeaderValue::from_static("Cookie");
            response.headers_mut().insert(header::VARY, cookie);
        }
        Poll::Ready(Ok(response))
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let slot: &Arc<Slot> = parts.extensions.get().expect("the layer is there");
        slot.is_used.store(true, Ordering::Release);
        let cookie = parts.headers.get(header::COOKIE).map(HeaderValue::as_bytes);
        let id = cookie.and_then(|cookie| cookie.strip_prefix(b"session="));
        let found = id.and_then(|id| {
            let key = Sha256::digest(id).into();
            let now = now();
            let sessions = slot.sessions();
            let (login, _) = sessions.get(&key).filter(|(_, ends)| now < *ends)?;
            Some((key, Arc::clone(login)))
        });
        let slot = Arc::clone(slot);
        Ok(Self { slot, found })
    }
}

impl Slot {
    fn sessions(&self) -> MutexGuard<'_, HashMap<[u8; 32], Kept>> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn user(&self) -> Option<u64> {
        self.found.as_ref().map(|(_, login)| login.uid)
    }

    fn keep(&self, key: [u8; 32], login: Login) {
        let kept = (Arc::new(login), now() + DAY);
        self.slot.sessions().insert(key, kept);
    }

    /// Stores the session under a new id and returns the cookie.
    fn begin(&self, login: Login) -> HeaderValue {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the system has randomness");
        let id = URL_SAFE_NO_PAD.encode_to_string(bytes);
        self.keep(Sha256::digest(&id).into(), login);
        let cookie = HeaderValue::try_from(format!("session={id}; HttpOnly"));
        cookie.expect("it is ASCII")
    }
}

async fn start(session: Session, Path(browser): Path<(u32, usize)>) -> impl IntoResponse {
    let cookie = session.begin(Login::of(browser));
    ([(header::SET_COOKIE, cookie)], super::OK)
}

async fn write(session: Session) -> Answer {
    if let Some((key, login)) = &session.found {
        let n = login.n + 1;
        session.keep(
            *key,
            Login {
                n,
                ..Login::clone(login)
            },
        );
    }
    super::verdict(session.user())
}

async fn log_in(session: Session) -> impl IntoResponse {
    let (key, login) = session.found.as_ref().expect("a browser has a session");
    session.slot.sessions().remove(key);
    let cookie = session.begin(Login::clone(login));
    (
        [(header::SET_COOKIE, cookie)],
        super::verdict(session.user()),
    )
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
