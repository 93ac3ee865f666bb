//! A service that issues, refreshes and verifies tokens, for a mobile application.
//!
//! ```text
//! cargo run -p carafe-tokens --features axum --example tokens
//! curl -d '{"user":"ada","password":"lovelace"}' -H 'Content-Type: application/json' \
//!     http://127.0.0.1:5007/token
//! curl -H "Authorization: Bearer $ACCESS" http://127.0.0.1:5007/me
//! curl -d '{"refresh_token":"…"}' -H 'Content-Type: application/json' \
//!     http://127.0.0.1:5007/token/refresh
//! ```
//!
//! The keys are created at startup. A real service reads them from its configuration, so that
//! tokens survive a restart and every process has the same ring.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use carafe_core::{
    clock::Timestamp,
    error::ErrorChain,
    key::{KeyRing, SecretKey},
    store::{ErasedStore, MemoryStore},
};
use carafe_tokens::{
    AccessTokens, Algorithm, Client, Grant, RefreshTokens, SigningKey, SigningRing, VerifiedToken,
    http::{self, JwkSetResponse, bearer_token},
    key::KeyError,
    refresh::{Issued, RefreshError, revoke_session},
};
use serde::Deserialize;

/// State shared by the handlers.
pub struct Service {
    store: Arc<dyn ErasedStore>,
    ring: SigningRing,
    access: AccessTokens,
    refresh: RefreshTokens,
}

impl Service {
    /// Creates the service with new keys.
    ///
    /// # Errors
    /// If there are no random bytes.
    pub fn new(store: Arc<dyn ErasedStore>) -> anyhow::Result<Self> {
        let secret = SecretKey::new(SecretKey::random_text()?.as_bytes())?;
        Ok(Self {
            store,
            ring: SigningRing::new(SigningKey::generate(Algorithm::Es256)?),
            access: AccessTokens::new("http://127.0.0.1:5007", "http://127.0.0.1:5007"),
            refresh: RefreshTokens::new(&KeyRing::new(secret)),
        })
    }

    fn response(&self, issued: &Issued) -> Result<Response, KeyError> {
        let (client, now) = (Client::new("example-app"), Timestamp::now());
        let access = self
            .access
            .issue(&self.ring, &issued.session, &client, now)?;
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        let body = http::token_response(&access, Some(&issued.token));
        Ok((headers, body).into_response())
    }
}

#[derive(Deserialize)]
struct LogIn {
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct Presented {
    refresh_token: String,
}

/// The claims of the request's access token.
struct Authorized(VerifiedToken);

impl FromRequestParts<Arc<Service>> for Authorized {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Response> {
        let values = parts.headers.get_all(header::AUTHORIZATION);
        let token = bearer_token(values.iter().map(HeaderValue::as_bytes));
        let Some(token) = token.map_err(IntoResponse::into_response)? else {
            let challenge = [(header::WWW_AUTHENTICATE, http::challenge(None))];
            return Err((StatusCode::UNAUTHORIZED, challenge).into_response());
        };
        let now = Timestamp::now();
        let keys = service.ring.verifying_keys(now);
        let verified = service.access.verifier().verify(token, &keys, now);
        verified.map(Self).map_err(IntoResponse::into_response)
    }
}

async fn log_in(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    Json(form): Json<LogIn>,
) -> Response {
    // A real service verifies a password hash.
    if (&*form.user, &*form.password) != ("ada", "lovelace") {
        return invalid_grant();
    }
    let device = headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok());
    let grant = Grant::of_user(form.user).with_device(device.unwrap_or_default());
    let issued = service
        .refresh
        .issue(&*service.store, &grant, Timestamp::now())
        .await;
    answer(&service, issued)
}

async fn refresh(State(service): State<Arc<Service>>, Json(form): Json<Presented>) -> Response {
    let (store, now) = (&*service.store, Timestamp::now());
    let issued = service
        .refresh
        .redeem(store, &form.refresh_token, now)
        .await;
    answer(&service, issued)
}

/// RFC 7009: 200 for an unknown token, too.
async fn revoke(State(service): State<Arc<Service>>, Json(form): Json<Presented>) -> StatusCode {
    let (store, now) = (&*service.store, Timestamp::now());
    match service
        .refresh
        .revoke(store, &form.refresh_token, now)
        .await
    {
        Ok(_) => StatusCode::OK,
        Err(error) => failed(&error, error.status()),
    }
}

async fn me(Authorized(token): Authorized) -> String {
    format!("{}\n", token.subject().unwrap_or_default())
}

async fn log_out(State(service): State<Arc<Service>>, Authorized(token): Authorized) -> StatusCode {
    let Some(session) = token.session() else {
        return StatusCode::NO_CONTENT;
    };
    match revoke_session(&*service.store, session, Timestamp::now()).await {
        Ok(_) => StatusCode::NO_CONTENT,
        Err(error) => failed(&error, error.status()),
    }
}

async fn jwks(State(service): State<Arc<Service>>) -> JwkSetResponse {
    JwkSetResponse::new(&service.ring, Timestamp::now())
}

fn answer(service: &Service, issued: Result<Issued, RefreshError>) -> Response {
    match issued {
        Ok(issued) => match service.response(&issued) {
            Ok(response) => response,
            Err(error) => failed(&error, 503).into_response(),
        },
        Err(error) if error.oauth_error().is_some() => invalid_grant(),
        Err(error) => failed(&error, error.status()).into_response(),
    }
}

fn invalid_grant() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (
        StatusCode::BAD_REQUEST,
        headers,
        r#"{"error":"invalid_grant"}"#,
    )
        .into_response()
}

fn failed(error: &(dyn std::error::Error + 'static), status: u16) -> StatusCode {
    tracing::error!("{}", ErrorChain::of(error));
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns the routes.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/token", post(log_in))
        .route("/token/refresh", post(refresh))
        .route("/token/revoke", post(revoke))
        .route("/me", get(me))
        .route("/logout", post(log_out))
        .route(http::JWK_SET_PATH, get(jwks))
        .with_state(service)
}

#[tokio::main]
#[allow(dead_code, reason = "the tests of this example start its router")]
async fn main() -> anyhow::Result<()> {
    let service = Arc::new(Service::new(Arc::new(MemoryStore::new()))?);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5007").await?;
    Ok(axum::serve(listener, router(service)).await?)
}
