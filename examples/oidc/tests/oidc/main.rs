//! The example `oidc.rs` and npm's oidc-provider, over HTTP with cookies.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[allow(dead_code, reason = "the example's own main")]
#[path = "../../../oidc.rs"]
mod example;

mod browser;
mod service;

use std::time::Duration;

use browser::Browser;
use carafe::Timestamp;
use carafe_tokens::{
    Algorithm, SigningKey,
    jwt::{Claims, sign},
};
use serde_json::{Value, json};
use service::{CLIENT_ID, Service, SidIn};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_log_in_leads_back_to_the_page_that_asked_for_it() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::new();
    let refused = ada.get(&service.url("/account")).await;
    assert_eq!(
        (refused.status, refused.location()),
        (303, "/login?next=/account")
    );
    let authorization = ada.get(&service.url(refused.location())).await;
    let parameter = |name| authorization.parameter(name).unwrap();
    assert_eq!(parameter("response_type"), "code");
    assert_eq!(parameter("code_challenge_method"), "S256");
    for name in ["state", "nonce", "code_challenge"] {
        assert_eq!(parameter(name).len(), 43, "{name}");
    }
    let visitor = ada.cookie(&service.url("/"));
    let callback = ada.sign_in(&service, authorization.location(), "ada").await;
    let returned = ada.get(&callback).await;
    assert_eq!((returned.status, returned.location()), (303, "/account"));
    let account = ada.get(&service.url("/account")).await;
    assert_eq!(account.body, "the account of ada");
    // The session has a new ID, and the old one leads nowhere (session fixation).
    assert_ne!(ada.cookie(&service.url("/")), visitor);
    let fixed = Browser::with_cookie(&service.url("/"), &visitor);
    assert_eq!(fixed.user(&service).await, None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn no_log_in_leads_to_another_site() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::new();
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
    ] {
        let begun = ada.begin(&service, next).await;
        let callback = ada.sign_in(&service, &begun, "ada").await;
        assert_eq!(ada.get(&callback).await.location(), "/", "{next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn two_tabs_log_in_at_the_same_time() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::new();
    let first = ada.begin(&service, "/account?tab=1").await;
    let second = ada.begin(&service, "/account?tab=2").await;
    let second = ada.sign_in(&service, &second, "ada").await;
    let first = ada.sign_in(&service, &first, "ada").await;
    assert_eq!(ada.get(&first).await.location(), "/account?tab=1");
    assert_eq!(ada.get(&second).await.location(), "/account?tab=2");
    assert_eq!(ada.user(&service).await.as_deref(), Some("ada"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_callback_works_once_and_in_its_own_browser() {
    let service = Service::start(SidIn::EveryToken).await;
    let (ada, eve) = (Browser::new(), Browser::new());
    let begun = ada.begin(&service, "/").await;
    let callback = ada.sign_in(&service, &begun, "ada").await;
    // Eve has a log-in of her own on its way, and Ada's callback.
    let eve_begun = eve.begin(&service, "/").await;
    let eve_callback = eve.sign_in(&service, &eve_begun, "eve").await;
    assert_eq!(eve.get(&callback).await.status, 400);
    assert_eq!(eve.user(&service).await, None);
    // Ada is led to Eve's callback, which would log her in as Eve.
    assert_eq!(ada.get(&eve_callback).await.status, 400);
    assert_eq!(ada.user(&service).await, None);

    assert_eq!(ada.get(&callback).await.status, 303);
    assert_eq!(ada.get(&callback).await.status, 400, "a second time");
    assert_eq!(ada.user(&service).await.as_deref(), Some("ada"));
    for query in ["", "?code=x", "?state=x&code=x"] {
        let made_up = ada.get(&service.url(&format!("/callback{query}"))).await;
        assert_eq!(made_up.status, 400, "{query}");
    }
    assert_eq!(ada.user(&service).await.as_deref(), Some("ada"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_code_belongs_to_its_own_attempt() {
    let service = Service::start(SidIn::EveryToken).await;
    let (ada, eve) = (Browser::new(), Browser::new());
    let begun = ada.begin(&service, "/").await;
    let stolen = ada.sign_in(&service, &begun, "ada").await;
    let begun = eve.begin(&service, "/").await;
    let own = eve.sign_in(&service, &begun, "eve").await;
    let code = |callback: &str| browser::parameter(callback, "code").unwrap();
    let injected = own.replace(&code(&own), &code(&stolen));
    assert_ne!(injected, own);
    // PKCE: the provider refuses the code with the verifier of another attempt.
    assert_eq!(eve.get(&injected).await.status, 400);
    assert_eq!(eve.user(&service).await, None);
    // The attempt has ended with it.
    assert_eq!(eve.get(&own).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn an_attempt_ends_after_ten_minutes() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::new();
    for (seconds, status) in [(601, 400), (599, 303)] {
        let begun = ada.begin(&service, "/").await;
        let callback = ada.sign_in(&service, &begun, "ada").await;
        service.clock.advance(Duration::from_secs(seconds));
        assert_eq!(ada.get(&callback).await.status, status, "{seconds}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_refusal_at_the_provider_and_another_issuer_log_nobody_in() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::new();
    let begun = ada.begin(&service, "/").await;
    let declined = ada.decline(&service, &begun).await;
    assert_eq!(
        browser::parameter(&declined, "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(ada.get(&declined).await.status, 400);

    let begun = ada.begin(&service, "/").await;
    let callback = ada.sign_in(&service, &begun, "ada").await;
    let issuer = browser::parameter(&callback, "iss").unwrap();
    assert_eq!(issuer, service.provider.issuer());
    let mixed_up = callback.replace("iss=http", "iss=https");
    assert_ne!(mixed_up, callback);
    assert_eq!(ada.get(&mixed_up).await.status, 400);
    assert_eq!(ada.user(&service).await, None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_log_out_here_is_one_at_the_provider() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::logged_in(&service, "ada").await;
    // A second log-in needs no password while the provider's session lives.
    assert!(!ada.is_asked_for_a_password(&service).await);

    let copy = Browser::with_cookie(&service.url("/"), &ada.cookie(&service.url("/")));
    let leaving = ada.post(&service.url("/logout"), &[]).await;
    assert_eq!(leaving.status, 303);
    assert!(leaving.location().starts_with(&service.provider.issuer()));
    // Whatever happens at the provider.
    assert_eq!(copy.user(&service).await, None);
    let returned = ada.confirm_log_out(leaving.location()).await;
    assert_eq!(returned, service.url("/"));
    assert!(ada.is_asked_for_a_password(&service).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_log_out_at_the_provider_is_one_here_without_the_browser() {
    let service = Service::start(SidIn::EveryToken).await;
    let laptop = Browser::logged_in(&service, "ada").await;
    let phone = Browser::logged_in(&service, "ada").await;
    let bob = Browser::logged_in(&service, "bob").await;
    // A copy of the laptop's cookie shows that the session has ended, not only its cookie.
    let copy = Browser::with_cookie(&service.url("/"), &laptop.cookie(&service.url("/")));
    assert_eq!(copy.user(&service).await.as_deref(), Some("ada"));

    laptop.confirm_log_out(&service.end_session()).await;
    assert_eq!(copy.user(&service).await, None);
    assert_eq!(laptop.user(&service).await, None);
    assert_eq!(phone.user(&service).await.as_deref(), Some("ada"));
    assert_eq!(bob.user(&service).await.as_deref(), Some("bob"));

    // The next log-in has another `sid`.
    laptop.log_in(&service, "ada").await;
    assert_eq!(laptop.user(&service).await.as_deref(), Some("ada"));
    phone.confirm_log_out(&service.end_session()).await;
    assert_eq!(phone.user(&service).await, None);
    assert_eq!(laptop.user(&service).await.as_deref(), Some("ada"));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_logout_token_without_sid_ends_every_session_of_the_user() {
    let service = Service::start(SidIn::NoToken).await;
    let laptop = Browser::logged_in(&service, "ada").await;
    let phone = Browser::logged_in(&service, "ada").await;
    let bob = Browser::logged_in(&service, "bob").await;
    laptop.confirm_log_out(&service.end_session()).await;
    assert_eq!(laptop.user(&service).await, None);
    assert_eq!(phone.user(&service).await, None);
    assert_eq!(bob.user(&service).await.as_deref(), Some("bob"));
}

/// The claims of a logout token for all sessions of Ada, one of them changed; `null` removes it.
fn claims(service: &Service, name: &str, value: Value) -> Claims {
    let now = Timestamp::now().unix();
    let mut claims = json!({
        "iss": service.provider.issuer(), "aud": CLIENT_ID, "sub": "ada", "jti": "a", "iat": now,
        "exp": now + 120, "events": { (EVENT): {} },
    });
    claims[name] = value;
    let members = claims.as_object().unwrap().iter();
    members
        .filter(|(_, value)| !value.is_null())
        .fold(Claims::new(), |claims, (name, value)| {
            claims.with(name, value).unwrap()
        })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_logout_token_is_verified_and_works_once() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::logged_in(&service, "ada").await;
    let now = Timestamp::now().unix();
    let good = |name, value| sign(&service.key, "logout+jwt", &claims(&service, name, value));
    let own = SigningKey::generate(Algorithm::Es256).unwrap();
    let own = own.with_id(service.key.id()).unwrap();
    let unchanged = || claims(&service, "unrelated", Value::Null);
    let token = good("unrelated", Value::Null);
    let unsigned = token.rsplit_once('.').unwrap().0;
    for (what, token) in [
        ("another audience", good("aud", json!("other"))),
        ("another issuer", good("iss", json!("https://evil.example"))),
        ("expired", good("exp", json!(now - 60))),
        ("no expiry", good("exp", Value::Null)),
        ("no event", good("events", Value::Null)),
        ("another event", good("events", json!({ "urn:other": {} }))),
        ("a nonce", good("nonce", json!("n"))),
        ("no jti", good("jti", Value::Null)),
        ("nobody", good("sub", Value::Null)),
        (
            "an ID token's type",
            sign(&service.key, "JWT", &unchanged()),
        ),
        (
            "an access token's type",
            sign(&service.key, "at+jwt", &unchanged()),
        ),
        ("another key", sign(&own, "logout+jwt", &unchanged())),
        ("no signature", format!("{unsigned}.")),
        ("no token", String::new()),
    ] {
        assert_eq!(service.send(&token).await, 400, "{what}");
    }
    // A real ID token of the provider for this service.
    let id_token = Browser::logged_in(&service, "eve")
        .await
        .id_token(&service)
        .await;
    assert_eq!(service.send(&id_token).await, 400, "an ID token");
    assert_eq!(ada.user(&service).await.as_deref(), Some("ada"));

    assert_eq!(service.send(&token).await, 200);
    assert_eq!(ada.user(&service).await, None);
    ada.log_in(&service, "ada").await;
    assert_eq!(service.send(&token).await, 400, "a second time");
    assert_eq!(ada.user(&service).await.as_deref(), Some("ada"));
    assert_eq!(service.send(&good("jti", json!("b"))).await, 200);
    assert_eq!(ada.user(&service).await, None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn a_token_that_cannot_be_verified_now_is_asked_for_again() {
    let service = Service::start(SidIn::EveryToken).await;
    let ada = Browser::logged_in(&service, "ada").await;
    let token = claims(&service, "unrelated", Value::Null);
    let token = sign(&service.key, "logout+jwt", &token);
    service.provider.kill();
    assert_eq!(service.send(&token).await, 503);
    assert_eq!(ada.user(&service).await.as_deref(), Some("ada"));
    service.restart_provider(&service.key);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    // After a failure, the keys are not fetched for a second.
    while service.send(&token).await == 503 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ada.user(&service).await, None);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs node and oidc-provider; run by `cargo xtask test`"]
async fn the_provider_changes_its_keys() {
    let service = Service::start(SidIn::EveryToken).await;
    Browser::logged_in(&service, "ada").await;
    service.provider.kill();
    service.restart_provider(&SigningKey::generate(Algorithm::Es256).unwrap());
    let bob = Browser::logged_in(&service, "bob").await;
    // The logout token needs the new keys, too.
    bob.confirm_log_out(&service.end_session()).await;
    assert_eq!(bob.user(&service).await, None);
}
