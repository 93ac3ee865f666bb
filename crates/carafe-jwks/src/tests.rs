//! The client against a real HTTP server on this machine.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use carafe_core::clock::Timestamp;
use carafe_tokens::{
    Algorithm, Refusal, SigningKey, Verifier, VerifyingKeys,
    jwt::{Claims, TokenType, VerifyError, sign},
    limits::{JWK_SET_BYTES, JWK_SET_KEYS},
};

use super::{JwksClient, UrlError};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

/// A server with one response, which counts its requests.
#[derive(Clone)]
struct Issuer {
    requests: Arc<AtomicUsize>,
    response: Arc<Mutex<(StatusCode, String)>>,
    url: String,
}

impl Issuer {
    async fn start(body: impl Into<String>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = Self {
            requests: Arc::default(),
            response: Arc::new(Mutex::new((StatusCode::OK, body.into()))),
            url: format!("http://{}/jwks.json", listener.local_addr().unwrap()),
        };
        let router = Router::new()
            .route("/jwks.json", get(respond))
            .with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    fn set(&self, status: StatusCode, body: impl Into<String>) {
        *self.response.lock().unwrap() = (status, body.into());
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn client(&self) -> JwksClient {
        JwksClient::new(&self.url).unwrap()
    }
}

async fn respond(State(issuer): State<Issuer>) -> Response {
    issuer.requests.fetch_add(1, Ordering::SeqCst);
    // Long enough for other tasks to arrive during this request.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (status, body) = issuer.response.lock().unwrap().clone();
    let location = [(header::LOCATION, issuer.url.clone())];
    (status, location, body).into_response()
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn set_of(keys: &[&SigningKey]) -> String {
    VerifyingKeys::new(keys.iter().map(|key| key.verifying_key().clone())).to_jwk_set()
}

fn token_of(key: &SigningKey) -> String {
    let claims = Claims::new()
        .with_text("iss", "https://id.example")
        .with_text("aud", "shop")
        .with_time("exp", NOW.saturating_add(60));
    sign(key, "at+jwt", &claims)
}

async fn verify(client: &JwksClient, token: &str) -> Result<(), VerifyError> {
    let verifier = Verifier::new("https://id.example", "shop", TokenType::ACCESS);
    verifier.verify_with(token, client, NOW).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_tokens_at_once_cost_one_request() {
    let key = key();
    let issuer = Issuer::start(set_of(&[&key])).await;
    let (client, token) = (issuer.client(), token_of(&key));
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (client, token) = (client.clone(), token.clone());
            tokio::spawn(async move { verify(&client, &token).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    verify(&client, &token).await.unwrap();
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn made_up_key_ids_cost_no_requests() {
    let key = key();
    let issuer = Issuer::start(set_of(&[&key])).await;
    let client = issuer.client();
    verify(&client, &token_of(&key)).await.unwrap();
    let begun = Instant::now();
    for n in 0..200 {
        let foreign = self::key().with_id(&format!("k{n}")).unwrap();
        let refused = verify(&client, &token_of(&foreign)).await;
        assert!(matches!(
            refused,
            Err(VerifyError::Refused(Refusal::KidUnknown))
        ));
    }
    // On a slow machine this takes more than 30 seconds, and each 30 seconds allow another request.
    let allowed = 1 + begun.elapsed().as_secs() / 30;
    assert!(issuer.requests() as u64 <= allowed, "{allowed}");
}

#[tokio::test]
async fn bad_responses_are_an_outage_and_not_repeated_at_once() {
    let key = key();
    let good = set_of(&[&key]);
    let large = format!("{good}{}", " ".repeat(JWK_SET_BYTES));
    let keys: Vec<_> = (0..=JWK_SET_KEYS)
        .map(|n| key.clone().with_id(&n.to_string()).unwrap())
        .collect();
    let many = set_of(&keys.iter().collect::<Vec<_>>());
    for (status, body) in [
        (StatusCode::OK, "not JSON".to_owned()),
        (StatusCode::OK, r#"{"keys":[]}"#.to_owned()),
        (StatusCode::OK, large),
        (StatusCode::OK, many),
        (StatusCode::INTERNAL_SERVER_ERROR, good.clone()),
        (StatusCode::FOUND, good.clone()),
        (StatusCode::NOT_FOUND, good.clone()),
    ] {
        let issuer = Issuer::start("").await;
        issuer.set(status, body.clone());
        let client = issuer.client();
        let begun = Instant::now();
        for _ in 0..3 {
            let failed = verify(&client, &token_of(&key)).await;
            assert!(
                matches!(failed, Err(VerifyError::Unavailable(_))),
                "{status}"
            );
        }
        // The pause after the first failure is a second.
        if begun.elapsed() < Duration::from_secs(1) {
            assert_eq!(issuer.requests(), 1, "{status}");
        }
    }
}

#[tokio::test]
async fn the_next_request_after_a_failure_waits_for_its_time() {
    let key = key();
    let issuer = Issuer::start("").await;
    issuer.set(StatusCode::SERVICE_UNAVAILABLE, "");
    let (client, token) = (issuer.client(), token_of(&key));
    assert!(verify(&client, &token).await.is_err());
    issuer.set(StatusCode::OK, set_of(&[&key]));
    // The pause is a second: the set is found within the deadline, with few requests.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while verify(&client, &token).await.is_err() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "never fetched again"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn an_issuer_that_is_down_is_an_outage() {
    let client = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        JwksClient::new(&format!("http://{}/", listener.local_addr().unwrap())).unwrap()
    };
    let failed = verify(&client, &token_of(&key())).await.unwrap_err();
    assert_eq!((failed.code(), failed.status()), ("keys-unavailable", 503));
}

#[test]
fn a_set_is_fetched_over_tls_or_from_this_machine() {
    for url in [
        "https://id.example/jwks",
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://[::1]:80/",
    ] {
        assert!(JwksClient::new(url).is_ok(), "{url}");
    }
    for url in [
        "http://id.example/",
        "http://127.0.0.1.attacker.example/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ] {
        assert!(
            matches!(JwksClient::new(url), Err(UrlError::Insecure)),
            "{url}"
        );
    }
    assert!(matches!(
        JwksClient::new("id.example"),
        Err(UrlError::Malformed)
    ));
}
