//! The client.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use carafe_core::error::ErrorChain;
use carafe_tokens::{
    Refusal, TokenKeys, VerifyingKey, VerifyingKeys,
    jwt::VerifyError,
    key::{JwkSetError, KeysUnavailable},
    limits::JWK_SET_BYTES,
};
use reqwest::{Client, Url, header, redirect};

use crate::{
    error::{JwksError, UrlError},
    schedule::{Schedule, Step},
    tls,
};

/// The deadline of a request, with its body.
const DEADLINE: Duration = Duration::from_secs(5);

/// The keys of an issuer, fetched from the URL of its JWK set.
///
/// Cheap to clone; clones share the cache. Requires a Tokio runtime.
#[derive(Clone, Debug)]
pub struct JwksClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    url: Url,
    http: Client,
    // Locked only to clone or to replace the value, never across an await.
    cache: RwLock<Cache>,
    /// Held during a request: other callers wait for its result and send none.
    flight: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Cache {
    keys: Arc<VerifyingKeys>,
    schedule: Schedule,
}

impl JwksClient {
    /// Creates a client. Nothing is fetched before the first token.
    ///
    /// # Errors
    /// [`UrlError`]; plain HTTP is accepted for loopback addresses only.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        let url = Url::parse(url).map_err(|_| UrlError::Malformed)?;
        if !is_secure(&url) {
            return Err(UrlError::Insecure);
        }
        let http = Client::builder()
            .tls_backend_preconfigured(tls::config().map_err(UrlError::Tls)?)
            // A redirect could leave the issuer's own host, or HTTPS.
            .redirect(redirect::Policy::none())
            .timeout(DEADLINE)
            .user_agent(concat!("carafe-jwks/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self(Arc::new(Shared {
            url,
            http: http.map_err(|error| UrlError::Tls(error.into()))?,
            cache: RwLock::default(),
            flight: tokio::sync::Mutex::default(),
        })))
    }

    /// Returns the key for a token with this `kid`.
    ///
    /// # Errors
    /// Those of [`TokenKeys::find_key`].
    async fn key(&self, kid: Option<&str>) -> Result<VerifyingKey, VerifyError> {
        let cache = self.cache();
        if let Some(found) = settled(&cache, kid) {
            return found;
        }
        let _flight = self.0.flight.lock().await;
        // Another task may have fetched the set in the meantime.
        let mut cache = self.cache();
        if let Some(found) = settled(&cache, kid) {
            return found;
        }
        let fetched = self.fetch().await;
        let now = Instant::now();
        let outcome = match fetched {
            Ok((keys, cache_control)) => {
                cache.keys = Arc::new(keys);
                cache.schedule.succeeded(cache_control.as_deref(), now);
                found_in(&cache.keys, kid)
            }
            Err(error) => {
                cache.schedule.failed(now);
                tracing::warn!(url = %self.0.url, "{}", ErrorChain::of(&error));
                match cache.schedule.is_usable(now) {
                    true => found_in(&cache.keys, kid),
                    false => Err(unavailable(error)),
                }
            }
        };
        *self.0.cache.write().unwrap_or_else(PoisonError::into_inner) = cache;
        outcome
    }

    fn cache(&self) -> Cache {
        let cache = self.0.cache.read();
        cache.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self) -> Result<(VerifyingKeys, Option<String>), JwksError> {
        let request = self.0.http.get(self.0.url.clone());
        let request = request.header(header::ACCEPT, "application/jwk-set+json, application/json");
        let mut response = request.send().await.map_err(JwksError::Request)?;
        if response.status() != 200 {
            return Err(JwksError::Status(response.status().as_u16()));
        }
        let cache_control = response.headers().get(header::CACHE_CONTROL);
        let cache_control = cache_control.and_then(|value| value.to_str().ok().map(str::to_owned));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(JwksError::Request)? {
            if body.len() + chunk.len() > JWK_SET_BYTES {
                return Err(JwksError::Set(JwkSetError::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        let keys = VerifyingKeys::parse_jwk_set(&body).map_err(JwksError::Set)?;
        match keys.is_empty() {
            true => Err(JwksError::NoKey),
            false => Ok((keys, cache_control)),
        }
    }
}

impl TokenKeys for JwksClient {
    async fn find_key(&self, kid: Option<&str>) -> Result<VerifyingKey, VerifyError> {
        self.key(kid).await
    }
}

/// Returns the outcome if it needs no request.
fn settled(cache: &Cache, kid: Option<&str>) -> Option<Result<VerifyingKey, VerifyError>> {
    let found = found_in(&cache.keys, kid);
    match cache.schedule.step(found.is_ok(), Instant::now()) {
        Step::Use => Some(found),
        Step::Fail => Some(Err(unavailable(JwksError::BackingOff))),
        Step::Fetch => None,
    }
}

fn found_in(keys: &VerifyingKeys, kid: Option<&str>) -> Result<VerifyingKey, VerifyError> {
    let found: Result<&VerifyingKey, Refusal> = keys.find(kid);
    found.cloned().map_err(VerifyError::Refused)
}

fn unavailable(error: JwksError) -> VerifyError {
    VerifyError::Unavailable(KeysUnavailable::new(error))
}

fn is_secure(url: &Url) -> bool {
    let is_local = match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    match url.scheme() {
        "https" => url.host_str().is_some(),
        "http" => is_local,
        _ => false,
    }
}
