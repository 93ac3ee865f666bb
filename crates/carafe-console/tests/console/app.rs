//! An application with a fake log-in: the cookie `who` names the operator.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse as _, Response},
};
use carafe::{
    ErasedStore, MemoryStore, ServerSide, SessionConfig, SessionManager, Timestamp, Transport,
    TransportKind,
};
use carafe_console::{ConsoleOptions, Operator};
use tower_service::Service as _;

/// The path of the console.
pub(crate) const MOUNT: &str = "/admin/sessions";

/// The confirmation page for all sessions. It has a form in every writable console.
pub(crate) const END_ALL: &str = "/admin/sessions/end-all";

/// The header of a form of the same site.
pub(crate) const SAME_SITE: (&str, &str) = ("sec-fetch-site", "same-origin");

/// The application and a client.
pub(crate) struct App {
    router: Router,
    pub(crate) store: Arc<dyn ErasedStore>,
    /// The log-in cookie.
    pub(crate) who: Option<&'static str>,
}

/// A response.
pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Passes on requests with the cookie; `ada/1` is the operator ada with her first log-in.
async fn log_in_required(mut request: Request, next: Next) -> Response {
    let cookie = request.headers().get(header::COOKIE);
    let who = cookie.and_then(|cookie| cookie.to_str().ok()?.strip_prefix("who="));
    let Some((name, login)) = who.and_then(|who| who.split_once('/')) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let operator = Operator::new(name).with_session(login);
    request.extensions_mut().insert(operator);
    next.run(request).await
}

/// A console behind the log-in.
pub(crate) fn console(store: &Arc<dyn ErasedStore>, options: ConsoleOptions) -> Router {
    carafe_console::router(Arc::clone(store), options).layer(from_fn(log_in_required))
}

impl App {
    /// An application with the console under [`MOUNT`], and ada logged in.
    pub(crate) fn new(options: ConsoleOptions) -> Self {
        Self::with(|store| Router::new().nest(MOUNT, console(store, options)))
    }

    /// An application with these routes.
    pub(crate) fn with(routes: impl FnOnce(&Arc<dyn ErasedStore>) -> Router) -> Self {
        let store: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
        Self {
            router: routes(&store),
            store,
            who: Some("ada/1"),
        }
    }

    /// Creates a session of a user in a cookie, and returns its public ID.
    pub(crate) async fn session(&self, user: &str) -> String {
        self.session_in(user, TransportKind::Cookie).await
    }

    /// Creates a session of a user, and returns its public ID.
    pub(crate) async fn session_in(&self, user: &str, transport: TransportKind) -> String {
        let side = ServerSide::shared(Arc::clone(&self.store));
        let config = SessionConfig::default().with_transports([
            Transport::cookie(),
            Transport::bearer("x-session-token"),
            Transport::header("x-session"),
        ]);
        let manager = SessionManager::new(side, config).unwrap();
        let (manager, now) = (Arc::new(manager), Timestamp::now());
        let slot = manager.begin();
        let session = manager.open(&slot, [], now).await.unwrap();
        session.set_transport(transport).unwrap();
        session.insert("drink", &"espresso").unwrap();
        session.log_in(user).unwrap();
        manager.commit(&slot, [], 200, now).await.unwrap();
        self.ids(user).await.remove(0)
    }

    /// Returns the public IDs of a user's sessions, newest first.
    pub(crate) async fn ids(&self, user: &str) -> Vec<String> {
        let users = self.store.powers().users().unwrap();
        let found = users.list_by_user(user, None, 100, Timestamp::now()).await;
        let found = found.unwrap().into_iter();
        found.map(|session| session.public_id.to_string()).collect()
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, &[], "").await
    }

    /// Requests a page and expects a 200.
    pub(crate) async fn look(&mut self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        page.body
    }

    /// Returns the token in the forms of a page.
    pub(crate) async fn token(&mut self, path: &str) -> String {
        let page = self.look(path).await;
        let (_, rest) = page.split_once(r#"name="csrf" value=""#).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Page {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "shop.example")
            .header("content-type", "application/x-www-form-urlencoded");
        if let Some(who) = self.who {
            request = request.header("cookie", format!("who={who}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = self.router.call(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, 10_000_000).await.unwrap();
        Page {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Returns the targets of the links, forms, styles and scripts of a page.
pub(crate) fn targets(page: &str) -> Vec<&str> {
    let attributes = ["href=\"", "action=\"", "src=\""].into_iter();
    let found = attributes.flat_map(|attribute| page.split(attribute).skip(1));
    let found = found.map(|rest| rest.split('"').next().unwrap());
    found.filter(|target| target.starts_with('/')).collect()
}
