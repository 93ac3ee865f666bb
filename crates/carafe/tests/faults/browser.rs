//! A browser with one cookie.

use axum::{Router, body::Body};
use http::{HeaderMap, Request, StatusCode, header};
use tower::ServiceExt;

#[derive(Clone)]
pub(crate) struct Browser {
    app: Router,
    /// `name=value`.
    pub(crate) cookie: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn of(app: &Router) -> Self {
        Self {
            app: app.clone(),
            cookie: None,
        }
    }

    /// Sends further requests to another process.
    pub(crate) fn moves_to(&mut self, app: &Router) {
        self.app = app.clone();
    }

    pub(crate) fn jar(&self) -> String {
        self.cookie.clone().unwrap()
    }

    /// Requests a page and stores the response's cookie, whatever the status.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let answer = self.ask(path).await;
        if let Some(text) = answer.set_cookie() {
            let gone = text.contains("Max-Age=0");
            let pair = text.split(';').next().unwrap().to_owned();
            self.cookie = (!gone).then_some(pair);
        }
        answer
    }

    /// Requests a page without storing its cookie, so that requests can be concurrent.
    pub(crate) fn ask(&self, path: &str) -> impl Future<Output = Answer> + Send + use<> {
        let mut request = Request::get(path);
        if let Some(cookie) = &self.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(Body::empty()).unwrap();
        let app = self.app.clone();
        async move {
            let (parts, body) = app.oneshot(request).await.unwrap().into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(body.to_vec()).unwrap(),
            }
        }
    }
}

impl Answer {
    pub(crate) fn set_cookie(&self) -> Option<&str> {
        Some(self.headers.get(header::SET_COOKIE)?.to_str().unwrap())
    }

    /// Asserts that this is the response to a request with an unavailable store.
    #[track_caller]
    pub(crate) fn is_trouble(&self) {
        assert_eq!(self.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(self.headers[header::RETRY_AFTER], "1");
        assert_eq!(self.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(self.body, "");
    }

    /// Asserts that this is the response for an unreadable record, which a retry does not fix.
    #[track_caller]
    pub(crate) fn is_unreadable(&self) {
        assert_eq!(self.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(self.headers.get(header::RETRY_AFTER), None);
    }
}
