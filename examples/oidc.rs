//! Log-in at an OpenID provider, and log-out here, there and from there.
//!
//! Register the service with the provider:
//!
//! | | |
//! |---|---|
//! | redirect URI | `http://localhost:5000/callback` |
//! | post-logout redirect URI | `http://localhost:5000/` |
//! | back-channel logout URI | `http://localhost:5000/backchannel-logout` |
//! | back-channel logout session required | yes |
//! | signature of ID tokens | ES256 |
//!
//! ```text
//! ISSUER=https://login.example CLIENT_ID=shop CLIENT_SECRET=… cargo run -p oidc-example
//! ```
//!
//! The provider reaches the back-channel URI without the browser, so the service needs an address
//! that the provider can reach. Both stores here are in memory; a service uses a database for both.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use axum::{
    Form, Router,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use carafe::{
    CsrfLayer, CsrfPolicy, Key, LocalPath, LoggedIn, LoginAttempt, MemoryStore, ProviderSessions,
    ServerSide, Session, SessionConfig, SessionError, SessionLayer, SessionManager, Timestamp,
    store::Selection,
};
use carafe_jwks::JwksClient;
use carafe_tokens::{LogoutTokens, jwt::VerifyError, logout::Scope};
use openidconnect::{
    AdditionalClaims, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken,
    IdTokenFields, IssuerUrl, LogoutRequest, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, StandardErrorResponse,
    StandardTokenResponse, TokenResponse as _,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
        CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
        CoreTokenIntrospectionResponse, CoreTokenType,
    },
    reqwest,
};
use serde::{Deserialize, Serialize};
use tokio::sync::RwLock;

/// The ID token of the log-in, which the provider asks for at a log-out.
const ID_TOKEN: Key<String> = Key::new("id_token");

/// The claim of an ID token that names the session at the provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Sid {
    sid: Option<String>,
}

impl AdditionalClaims for Sid {}

/// The types of `openidconnect`'s module `core`, with [`Sid`] in the ID token.
type SidToken =
    IdToken<Sid, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Tokens = StandardTokenResponse<
    IdTokenFields<
        Sid,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;
type SidClient = Client<
    Sid,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// How the service is registered with the provider.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The address of the service, without a path.
    pub(crate) origin: String,
}

/// The discovery document of the provider.
#[derive(Clone)]
struct Provider {
    client: SidClient,
    end_session: Option<EndSessionUrl>,
    jwks_url: String,
}

/// State shared by the handlers.
struct Service {
    registration: Registration,
    http: reqwest::Client,
    provider: RwLock<Provider>,
    sessions: Arc<SessionManager>,
    provider_sessions: ProviderSessions,
    logout_tokens: LogoutTokens,
    /// The keys that sign logout tokens. Fetched when they are needed, and again when they change.
    keys: JwksClient,
}

impl Registration {
    /// Reads the discovery document and the keys of the provider.
    async fn discover(&self, http: &reqwest::Client) -> Result<Provider> {
        let issuer = IssuerUrl::new(self.issuer.clone())?;
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, http).await?;
        let end_session = metadata.additional_metadata().end_session_endpoint.clone();
        let jwks_url = metadata.jwks_uri().to_string();
        let id = ClientId::new(self.client_id.clone());
        let secret = ClientSecret::new(self.client_secret.clone());
        let client = Client::from_provider_metadata(metadata, id, Some(secret))
            .set_redirect_uri(RedirectUrl::new(format!("{}/callback", self.origin))?);
        Ok(Provider {
            client,
            end_session,
            jwks_url,
        })
    }
}

impl Service {
    async fn new(registration: Registration, sessions: Arc<SessionManager>) -> Result<Self> {
        // A redirect could send the request to a host of an attacker's choice.
        let no_redirects = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().redirect(no_redirects);
        let http = http.timeout(Duration::from_secs(10)).build()?;
        let provider = registration.discover(&http).await?;
        let Registration {
            issuer, client_id, ..
        } = &registration;
        Ok(Self {
            // A store of their own, in which no list shows them as sessions.
            provider_sessions: ProviderSessions::new(issuer, Arc::new(MemoryStore::new())),
            logout_tokens: LogoutTokens::new(issuer, client_id),
            keys: JwksClient::new(&provider.jwks_url)?,
            provider: RwLock::new(provider),
            registration,
            http,
            sessions,
        })
    }

    async fn provider(&self) -> Provider {
        self.provider.read().await.clone()
    }

    /// Exchanges the code of a callback for an ID token and verifies the token.
    async fn redeem(&self, code: String, attempt: &LoginAttempt) -> Result<LogIn> {
        let verifier = PkceCodeVerifier::new(attempt.pkce_verifier().to_owned());
        let provider = self.provider().await;
        let request = provider
            .client
            .exchange_code(AuthorizationCode::new(code))?;
        let request = request.set_pkce_verifier(verifier);
        let tokens: Tokens = request.request_async(&self.http).await?;
        let token = tokens.id_token().context("the response has no ID token")?;
        let nonce = Nonce::new(attempt.nonce().to_owned());
        if let Ok(login) = verify(&provider, token, &nonce) {
            return Ok(login);
        }
        // The provider may have new keys.
        let provider = self.registration.discover(&self.http).await?;
        let login = verify(&provider, token, &nonce)?;
        *self.provider.write().await = provider;
        Ok(login)
    }
}

/// A log-in at the provider, verified.
struct LogIn {
    subject: String,
    sid: Option<String>,
    id_token: String,
}

/// Verifies the signature, with one algorithm, and issuer, audience, expiry and nonce.
fn verify(provider: &Provider, token: &SidToken, nonce: &Nonce) -> Result<LogIn> {
    let verifier = provider.client.id_token_verifier();
    let verifier = verifier.set_allowed_algs([CoreJwsSigningAlgorithm::EcdsaP256Sha256]);
    let claims = token.claims(&verifier, nonce)?;
    Ok(LogIn {
        subject: claims.subject().to_string(),
        sid: claims.additional_claims().sid.clone(),
        id_token: token.to_string(),
    })
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

/// Sends the browser to the provider.
async fn login(
    State(service): State<Arc<Service>>,
    session: Session,
    Query(Next { next }): Query<Next>,
) -> Result<Redirect, Failure> {
    let attempt = session.begin_login(LocalPath::or_root(&next))?;
    let state = CsrfToken::new(attempt.state().to_owned());
    let nonce = Nonce::new(attempt.nonce().to_owned());
    let verifier = PkceCodeVerifier::new(attempt.pkce_verifier().to_owned());
    let provider = service.provider().await;
    let (url, ..) = provider
        .client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            || state,
            || nonce,
        )
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok(Redirect::to(url.as_str()))
}

/// The parameters of the provider's redirect. A refusal has `error` in place of `code`.
#[derive(Deserialize)]
struct Callback {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
}

/// Logs in the user whom the provider sends back.
async fn callback(
    State(service): State<Arc<Service>>,
    session: Session,
    Query(callback): Query<Callback>,
) -> Result<Response, Failure> {
    // First and in any case: an attempt ends with its first callback.
    let Some(attempt) = session.finish_login(&callback.state).await? else {
        return Ok(not_logged_in());
    };
    // The response of another provider (RFC 9207), or the user has declined.
    let issuer = &service.registration.issuer;
    let (true, Some(code)) = (callback.iss.is_none_or(|iss| iss == *issuer), callback.code) else {
        return Ok(not_logged_in());
    };
    let login = match service.redeem(code, &attempt).await {
        Ok(login) => login,
        Err(error) => {
            tracing::warn!("log-in refused: {error:#}");
            return Ok(not_logged_in());
        }
    };
    match &login.sid {
        Some(sid) => {
            let provider = &service.provider_sessions;
            if !provider.log_in(&session, &login.subject, sid).await? {
                return Ok(not_logged_in()); // the user has logged out at the provider since
            }
        }
        None => session.log_in(&login.subject)?,
    }
    session.insert(ID_TOKEN, &login.id_token)?;
    Ok(Redirect::to(attempt.return_to().as_str()).into_response())
}

/// A page and no redirect: a browser without cookies would never stop being redirected.
fn not_logged_in() -> Response {
    let page = Html("<p>You are not logged in. <a href=\"/login\">Try again</a></p>");
    (StatusCode::BAD_REQUEST, page).into_response()
}

/// Logs out here, and sends the browser to the provider to log out there.
async fn logout(
    State(service): State<Arc<Service>>,
    session: Session,
) -> Result<Redirect, Failure> {
    let id_token = session.get(ID_TOKEN)?;
    session.log_out_now().await?;
    let end_session = service.provider().await.end_session;
    let (Some(id_token), Some(end_session)) = (id_token, end_session) else {
        return Ok(Redirect::to("/"));
    };
    let home = format!("{}/", service.registration.origin);
    let request = LogoutRequest::from(end_session)
        .set_id_token_hint(&id_token.parse::<SidToken>().context("the ID token")?)
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(home).context("the origin")?);
    Ok(Redirect::to(request.http_get_url().as_str()))
}

#[derive(Deserialize)]
struct BackchannelLogout {
    logout_token: String,
}

/// Ends the sessions that a logout token of the provider names.
///
/// The provider calls this itself: there is no cookie and no session. 400 refuses the token, 503
/// asks for it again.
async fn backchannel_logout(
    State(service): State<Arc<Service>>,
    Form(form): Form<BackchannelLogout>,
) -> Response {
    let (tokens, now) = (&service.logout_tokens, Timestamp::now());
    let verified = tokens
        .verify_with(&form.logout_token, &service.keys, now)
        .await;
    let token = match verified {
        Ok(token) => token,
        Err(error) => {
            tracing::warn!(reason = error.code(), "logout token refused");
            return match error {
                VerifyError::Refused(_) => answer(StatusCode::BAD_REQUEST),
                _ => answer(StatusCode::SERVICE_UNAVAILABLE),
            };
        }
    };
    let (provider, sessions) = (&service.provider_sessions, &service.sessions);
    let end = async {
        match token.scope() {
            Scope::Session(sid) => provider.end_by_sid(sessions, sid).await,
            Scope::User(user) => sessions.end_sessions_of(user, Selection::All).await,
        }
    };
    match provider
        .run_once(token.token_id(), token.expires(), now, end)
        .await
    {
        Ok(Some(sessions)) => {
            tracing::info!(sessions, "logged out by the provider");
            answer(StatusCode::OK)
        }
        Ok(None) => answer(StatusCode::BAD_REQUEST),
        Err(error) => {
            tracing::error!("log-out by the provider failed: {error}");
            answer(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

fn answer(status: StatusCode) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")]).into_response()
}

/// Why a handler failed.
enum Failure {
    Session(SessionError),
    Other(anyhow::Error),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Other(error) => {
                tracing::error!("{error:#}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

async fn home(session: Session) -> Html<String> {
    session.forbid_storing();
    Html(match session.user() {
        Some(user) => format!(
            "<p>You are {}. <a href=\"/account\">Account</a></p>\
             <form method=post action=\"/logout\"><button>Log out</button></form>",
            escaped(&user)
        ),
        None => "<p><a href=\"/login\">Log in</a></p>".to_owned(),
    })
}

async fn account(user: LoggedIn) -> String {
    format!("the account of {}", user.user)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Returns where the sessions are. `Lax` cookies reach the callback, a GET from another site.
pub(crate) fn sessions() -> Result<(ServerSide, SessionConfig)> {
    let config = SessionConfig::development().with_login_page(LocalPath::new("/login")?);
    Ok((ServerSide::new(MemoryStore::new()), config))
}

/// Returns the application.
pub(crate) async fn app(registration: Registration, sessions: SessionLayer) -> Result<Router> {
    let manager = Arc::clone(sessions.manager());
    let service = Arc::new(Service::new(registration, manager).await?);
    Ok(Router::new()
        .route("/", get(home))
        .route("/account", get(account))
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/logout", post(logout))
        .layer(CsrfLayer::new(CsrfPolicy::new()))
        .layer(sessions)
        // Outside of both layers: the token is all that this request has.
        .route("/backchannel-logout", post(backchannel_logout))
        .with_state(service))
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let variable = |name: &str| std::env::var(name).with_context(|| name.to_owned());
    let registration = Registration {
        issuer: variable("ISSUER")?,
        client_id: variable("CLIENT_ID")?,
        client_secret: variable("CLIENT_SECRET")?,
        origin: variable("ORIGIN").unwrap_or_else(|_| "http://localhost:5000".to_owned()),
    };
    let (side, config) = sessions()?;
    let app = app(registration, SessionLayer::with_config(side, config)?).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
