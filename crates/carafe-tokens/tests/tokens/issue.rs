//! Access tokens: their claims, their rotation of keys, and their introspection.

use std::time::Duration;

use carafe_core::store::MemoryStore;
use carafe_tokens::{
    AccessTokens, Algorithm, Client, Grant, Refusal, SigningKey, SigningRing, VerifyingKeys,
    refresh::revoke_session,
};
use futures_executor::block_on;
use serde_json::Value;

use crate::refresh::{NOW, tokens};

fn access() -> AccessTokens {
    AccessTokens::new("https://login.example", "https://api.example")
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

#[test]
fn an_access_token_has_the_claims_of_rfc_9068_and_the_session() {
    let store = MemoryStore::new();
    let issued = block_on(tokens().issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let ring = SigningRing::new(key(Algorithm::Es256));
    let client = Client::new("app")
        .with_scope("a b")
        .with_claim("tenant", &7)
        .unwrap();
    let client = client.with_claim("sub", "root").unwrap();
    let token = access()
        .issue(&ring, &issued.session, &client, NOW)
        .unwrap();
    let keys = ring.verifying_keys(NOW);
    let verified = access().verifier().verify(&token.text, &keys, NOW).unwrap();
    let claims: Value = serde_json::from_str(&verified.to_json()).unwrap();
    assert_eq!(
        claims,
        serde_json::json!({
            "iss": "https://login.example", "aud": "https://api.example", "sub": "ada",
            "sid": issued.session.public_id.to_string(), "client_id": "app", "scope": "a b",
            "tenant": 7, "iat": NOW.unix(), "exp": NOW.unix() + 300, "jti": token.token_id,
        })
    );
    assert_eq!((token.expires_in, token.token_id.len()), (300, 22));
    assert_eq!(verified.session(), Some(issued.session.public_id));
    let again = access()
        .issue(&ring, &issued.session, &client, NOW)
        .unwrap();
    assert_ne!(again.token_id, token.token_id);
    assert!(!format!("{token:?}").contains(&token.text));
}

#[test]
fn a_rotation_of_keys_rejects_no_request() {
    let store = MemoryStore::new();
    let issued = block_on(tokens().issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let (old, new) = (key(Algorithm::Es256), key(Algorithm::EdDsa));
    let begin = NOW.saturating_add(600);
    let ring = SigningRing::new(old.clone())
        .with_next(new.clone(), begin)
        .unwrap();
    let access = access();
    let verifier = access.verifier();
    // A verifier that fetches the set every 5 minutes, as `max-age` allows.
    let (mut cached, mut fetched) = (VerifyingKeys::default(), i64::MIN);
    for second in 0..1_800 {
        let now = NOW.saturating_add(second);
        if second - 300 >= fetched {
            cached = VerifyingKeys::parse_jwk_set(ring.verifying_keys(now).to_jwk_set().as_bytes())
                .unwrap();
            fetched = second;
        }
        let client = Client::new("app");
        let token = access.issue(&ring, &issued.session, &client, now).unwrap();
        let signer = if now < begin { &old } else { &new };
        assert_eq!(
            verifier.verify(&token.text, &cached, now).unwrap().key_id(),
            signer.id()
        );
        let at_its_end = NOW.saturating_add(second + 299);
        assert!(
            verifier
                .verify(&token.text, &ring.verifying_keys(at_its_end), at_its_end)
                .is_ok()
        );
    }
}

#[test]
fn an_introspected_access_token_ends_with_its_session() {
    let store = MemoryStore::new();
    let issued = block_on(tokens().issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let ring = SigningRing::new(key(Algorithm::EdDsa));
    let token = access()
        .issue(&ring, &issued.session, &Client::new("app"), NOW)
        .unwrap();
    let keys = ring.verifying_keys(NOW);
    let ask = |text: &str, seconds: i64| {
        let now = NOW.saturating_add(seconds);
        block_on(access().introspect(&store, text, &keys, now)).unwrap()
    };
    let answer = ask(&token.text, 0);
    let body: Value = serde_json::from_str(&answer.to_json()).unwrap();
    assert_eq!(
        (&body["active"], &body["token_type"]),
        (&true.into(), &"Bearer".into())
    );
    assert_eq!(
        (&body["sub"], &body["client_id"]),
        (&"ada".into(), &"app".into())
    );
    assert!(!ask(&token.text, 310).is_active() && !ask("x", 0).is_active());
    assert!(block_on(revoke_session(&store, issued.session.public_id, NOW)).unwrap());
    assert_eq!(ask(&token.text, 0).to_json(), r#"{"active":false}"#);
    // A verifier that does not call the store accepts the token until it expires.
    assert!(access().verifier().verify(&token.text, &keys, NOW).is_ok());
}

#[test]
fn a_longer_lifetime_is_the_applications_choice() {
    let store = MemoryStore::new();
    let issued = block_on(tokens().issue(&store, &Grant::of_user("ada"), NOW)).unwrap();
    let ring = SigningRing::new(key(Algorithm::Hs256));
    let access = access().with_lifetime(Duration::from_secs(3_600));
    let token = access
        .issue(&ring, &issued.session, &Client::new("app"), NOW)
        .unwrap();
    let keys = ring.verifying_keys(NOW);
    let verify = |seconds| {
        access
            .verifier()
            .verify(&token.text, &keys, NOW.saturating_add(seconds))
    };
    assert!(verify(3_604).is_ok());
    assert_eq!(verify(3_605).err(), Some(Refusal::Expired));
}

mod cookie_sessions {
    use std::sync::Arc;

    use carafe_core::{
        session::{ServerSide, SessionConfig, SessionManager},
        store::ErasedStore,
    };
    use carafe_tokens::{access::SessionRef, refresh::is_session_alive};

    use super::*;

    #[test]
    fn the_session_of_a_cookie_gets_access_tokens_and_is_revoked_by_their_sid() {
        block_on(async {
            let store: Arc<dyn ErasedStore> = Arc::new(MemoryStore::new());
            let backend = ServerSide::shared(Arc::clone(&store));
            let manager = SessionManager::new(backend, SessionConfig::development()).unwrap();
            let manager = Arc::new(manager);
            let slot = manager.begin();
            let session = manager.open(&slot, [], NOW).await.unwrap();
            session.log_in("ada").unwrap();
            assert_eq!(
                SessionRef::of(&session),
                None,
                "the session is not stored yet"
            );
            let effects = manager.commit(&slot, [], 200, NOW).await.unwrap();
            let cookie = effects.set_cookie.unwrap();
            let cookie = cookie.split(';').next().unwrap().to_owned();

            let slot = manager.begin();
            let session = manager.open(&slot, [cookie.as_bytes()], NOW).await.unwrap();
            let session = SessionRef::of(&session).unwrap();
            assert_eq!(session.user, "ada");
            let sid = session.public_id;
            assert!(is_session_alive(&*store, sid, NOW).await.unwrap());
            assert!(revoke_session(&*store, sid, NOW).await.unwrap());
            assert!(!is_session_alive(&*store, sid, NOW).await.unwrap());
        });
    }
}
