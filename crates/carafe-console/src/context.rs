//! [`admit`]: the checks before each page, in one place so that no page can leave one out; and
//! [`Context`], what a page knows of its request.

use std::{ops::Deref, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{Extension, OriginalUri, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use url::form_urlencoded;

use crate::{
    Console, LIVE_HEADER, Operator, csrf,
    shared::{headers::protect, site::is_of_this_site},
    trend, view,
};

/// Bytes of a form. No form of the console is longer.
const LONGEST_FORM: usize = 16 * 1024;

/// A request of an operator.
#[derive(Clone)]
pub(crate) struct Context {
    console: Arc<Console>,
    pub(crate) operator: Operator,
    base: BasePath,
    /// Whether the script of a page has sent the request, and not a person.
    pub(crate) is_live: bool,
    /// The version of the page that the script has.
    pub(crate) known: Option<String>,
}

/// The path of the console in the addresses that browsers see.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BasePath {
    /// Empty, or `/ops/carafe`, without a slash at its end.
    prefix: String,
    /// The address of the overview.
    home: String,
}

/// Refuses requests that another site has sent, requests without an operator and forms without
/// their token.
pub(crate) async fn admit(
    State(console): State<Arc<Console>>,
    request: Request,
    next: Next,
) -> Response {
    trend::start(&console);
    let mut response = match admitted(console, request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal,
    };
    protect(response.headers_mut());
    response
}

async fn admitted(console: Arc<Console>, mut request: Request) -> Result<Request, Response> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_safe && !is_of_this_site(request.headers()) {
        let text = "This form was sent by another site.\n";
        return Err((StatusCode::FORBIDDEN, text).into_response());
    }
    let Some(operator) = request.extensions().get::<Operator>().cloned() else {
        let text = "The console is open to operators only.\n";
        return Err((StatusCode::FORBIDDEN, text).into_response());
    };
    let context = Context::new(console, operator, &request);
    if !is_safe {
        request = match with_token(&context, request).await {
            Ok(request) => request,
            Err((status, text)) => return Err(view::refusal(&context, status, text)),
        };
    }
    request.extensions_mut().insert(context);
    Ok(request)
}

/// Returns the request if its form carries the token.
async fn with_token(
    context: &Context,
    request: Request,
) -> Result<Request, (StatusCode, &'static str)> {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, LONGEST_FORM).await else {
        return Err((StatusCode::PAYLOAD_TOO_LARGE, "This form is too long."));
    };
    let sent = form_urlencoded::parse(&bytes).find(|(name, _)| name == csrf::FIELD);
    if !sent.is_some_and(|(_, token)| context.tokens.accepts(&context.operator, &token)) {
        let text = "This form is not from a page of this session, or from one before you last came in. \
                    Go back, load the page again and repeat it. Nothing was done.";
        return Err((StatusCode::FORBIDDEN, text));
    }
    Ok(Request::from_parts(parts, Body::from(bytes)))
}

/// Refuses the pages that change something while the console is read-only.
pub(crate) async fn writable(
    Extension(context): Extension<Context>,
    request: Request,
    next: Next,
) -> Response {
    if context.settings.is_read_only() {
        let text = "This console is read-only.";
        return view::refusal(&context, StatusCode::FORBIDDEN, text);
    }
    next.run(request).await
}

/// The response to an unknown path.
pub(crate) async fn not_found(Extension(context): Extension<Context>) -> Response {
    view::refusal(&context, StatusCode::NOT_FOUND, "There is no such page.")
}

impl Context {
    fn new(console: Arc<Console>, operator: Operator, request: &Request) -> Self {
        let headers: &HeaderMap = request.headers();
        let known = headers.get(header::IF_NONE_MATCH);
        let base = match &console.settings.public_path {
            Some(path) => BasePath::public(path),
            None => {
                let original = request.extensions().get::<OriginalUri>();
                let original = original.map_or(request.uri(), |OriginalUri(uri)| uri);
                BasePath::of_mount(original, request.uri())
            }
        };
        Self {
            is_live: headers.contains_key(LIVE_HEADER),
            known: known.and_then(|tag| Some(tag.to_str().ok()?.to_owned())),
            console,
            operator,
            base,
        }
    }

    /// The state that outlives the request.
    pub(crate) fn console(&self) -> &Arc<Console> {
        &self.console
    }

    /// Returns the address of `path`, which begins with a slash.
    pub(crate) fn href(&self, path: &str) -> String {
        match path {
            "/" => self.base.home.clone(),
            _ => format!("{}{path}", self.base.prefix),
        }
    }

    /// Returns the token of the operator's forms.
    pub(crate) fn form_token(&self) -> String {
        self.tokens.token(&self.operator)
    }

    /// Adds a message to the operator's next page.
    pub(crate) fn note(&self, text: &str) {
        self.notes.add(&self.operator, text);
    }

    /// Takes the messages since the last page. A request of the script takes none: a person must
    /// see them.
    pub(crate) fn take_notes(&self) -> Vec<String> {
        match self.is_live {
            true => Vec::new(),
            false => self.notes.take(&self.operator),
        }
    }
}

impl Deref for Context {
    type Target = Console;

    fn deref(&self) -> &Console {
        &self.console
    }
}

impl BasePath {
    /// The path that the application has set.
    fn public(path: &str) -> Self {
        let inner = path.trim_matches('/');
        match inner {
            "" => Self::root(),
            _ if path.ends_with('/') => Self {
                prefix: format!("/{inner}"),
                home: format!("/{inner}/"),
            },
            _ => Self::mounted(format!("/{inner}")),
        }
    }

    /// The part of the request's path that routers above have stripped.
    fn of_mount(original: &Uri, inner: &Uri) -> Self {
        let path = original.path();
        let prefix = match inner.path() {
            // A nested router sees `/` for its own path, with and without a slash at the end.
            "/" => path.trim_end_matches('/'),
            inner => path.strip_suffix(inner).unwrap_or_default(),
        };
        match prefix {
            "" => Self::root(),
            // Browsers would take `//name` for the name of another host.
            _ if prefix.starts_with("//") => Self::root(),
            _ => Self::mounted(prefix.to_owned()),
        }
    }

    fn mounted(prefix: String) -> Self {
        Self {
            home: prefix.clone(),
            prefix,
        }
    }

    fn root() -> Self {
        Self {
            prefix: String::new(),
            home: "/".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_path_is_what_routers_have_stripped() {
        for (original, inner, prefix, home) in [
            ("/", "/", "", "/"),
            ("/sessions?q=a", "/sessions?q=a", "", "/"),
            ("/admin/sessions", "/", "/admin/sessions", "/admin/sessions"),
            (
                "/admin/sessions/",
                "/",
                "/admin/sessions",
                "/admin/sessions",
            ),
            (
                "/admin/sessions/x?y",
                "/x?y",
                "/admin/sessions",
                "/admin/sessions",
            ),
            (
                "/a/sessions/sessions",
                "/sessions",
                "/a/sessions",
                "/a/sessions",
            ),
            ("//evil.example/x", "/x", "", "/"),
            ("/x", "/unrelated", "", "/"),
        ] {
            let found = BasePath::of_mount(&original.parse().unwrap(), &inner.parse().unwrap());
            assert_eq!((&*found.prefix, &*found.home), (prefix, home), "{original}");
        }
    }

    #[test]
    fn a_public_path_says_whether_the_overview_has_a_slash() {
        for (path, prefix, home) in [
            ("", "", "/"),
            ("/", "", "/"),
            ("ops", "/ops", "/ops"),
            ("/ops/carafe", "/ops/carafe", "/ops/carafe"),
            ("/ops/carafe/", "/ops/carafe", "/ops/carafe/"),
        ] {
            let found = BasePath::public(path);
            assert_eq!((&*found.prefix, &*found.home), (prefix, home), "{path}");
        }
    }
}
