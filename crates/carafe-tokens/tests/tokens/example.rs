//! The example, request by request.
#![cfg(feature = "axum")]

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use carafe_core::{clock::Timestamp, store::MemoryStore};
use carafe_tokens::{Verifier, VerifyingKeys, jwt::TokenType};
use serde_json::{Value, json};
use tower::ServiceExt as _;

#[path = "../../examples/tokens.rs"]
#[allow(
    missing_docs,
    unreachable_pub,
    reason = "an example there, a module here"
)]
mod tokens;

const ORIGIN: &str = "http://127.0.0.1:5007";

struct Reply {
    status: StatusCode,
    challenge: Option<String>,
    text: String,
}

impl Reply {
    fn member(&self, name: &str) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap();
        body[name].as_str().unwrap().to_owned()
    }
}

async fn send(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    Reply {
        status,
        challenge,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn post(router: &Router, path: &str, body: Value) -> Reply {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    send(router, request.body(Body::from(body.to_string())).unwrap()).await
}

async fn with_token(router: &Router, method: &str, path: &str, token: &str) -> Reply {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    send(router, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_client_logs_in_refreshes_and_logs_out() {
    let service = tokens::Service::new(Arc::new(MemoryStore::new())).unwrap();
    let router = tokens::router(Arc::new(service));
    let wrong = json!({ "user": "ada", "password": "wrong" });
    assert_eq!(
        post(&router, "/token", wrong).await.status,
        StatusCode::BAD_REQUEST
    );
    let right = json!({ "user": "ada", "password": "lovelace" });
    let first = post(&router, "/token", right).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);

    let me = with_token(&router, "GET", "/me", &first.member("access_token")).await;
    assert_eq!((me.status, &*me.text), (StatusCode::OK, "ada\n"));
    let anonymous = send(&router, Request::get("/me").body(Body::empty()).unwrap()).await;
    assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
    assert_eq!(anonymous.challenge.as_deref(), Some("Bearer"));
    let forged = with_token(&router, "GET", "/me", "a.b.c").await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    assert!(forged.challenge.unwrap().contains("invalid_token"));

    let old = json!({ "refresh_token": first.member("refresh_token") });
    let second = post(&router, "/token/refresh", old).await;
    assert_eq!(second.status, StatusCode::OK);
    assert_ne!(
        second.member("refresh_token"),
        first.member("refresh_token")
    );

    // Another service, which only has the JWK set.
    let set = send(
        &router,
        Request::get("/.well-known/jwks.json")
            .body(Body::empty())
            .unwrap(),
    )
    .await;
    let keys = VerifyingKeys::parse_jwk_set(set.text.as_bytes()).unwrap();
    let verifier = Verifier::new(ORIGIN, ORIGIN, TokenType::ACCESS);
    let verified = verifier.verify(&second.member("access_token"), &keys, Timestamp::now());
    assert_eq!(verified.unwrap().subject(), Some("ada"));

    let access = second.member("access_token");
    let gone = with_token(&router, "POST", "/logout", &access).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let late = json!({ "refresh_token": second.member("refresh_token") });
    let refused = post(&router, "/token/refresh", late).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert_eq!(refused.member("error"), "invalid_grant");
}

#[tokio::test]
async fn a_revoked_token_is_not_redeemed_and_an_unknown_one_is_no_error() {
    let service = tokens::Service::new(Arc::new(MemoryStore::new())).unwrap();
    let router = tokens::router(Arc::new(service));
    let right = json!({ "user": "ada", "password": "lovelace" });
    let issued = post(&router, "/token", right).await;
    let token = json!({ "refresh_token": issued.member("refresh_token") });
    for _ in 0..2 {
        let revoked = post(&router, "/token/revoke", token.clone()).await;
        assert_eq!(revoked.status, StatusCode::OK);
    }
    let unknown = post(&router, "/token/revoke", json!({ "refresh_token": "x" })).await;
    assert_eq!(unknown.status, StatusCode::OK);
    let refused = post(&router, "/token/refresh", token).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}
