//! The service of the example and its provider.

use std::{path::Path, sync::Arc};

use carafe::{SessionLayer, SessionManager, testing::Clock};
use carafe_test_servers::OidcProvider;
use carafe_tokens::{Algorithm, SigningKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::example::{self, Registration};

pub(crate) const CLIENT_ID: &str = "shop";
const CLIENT_SECRET: &str = "the secret of the shop, of 32 bytes or more";

/// Which tokens of the provider name its session.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum SidIn {
    EveryToken,
    NoToken,
}

pub(crate) struct Service {
    pub(crate) provider: OidcProvider,
    /// The key of the provider.
    pub(crate) key: SigningKey,
    /// The clock of the service's sessions.
    pub(crate) clock: Clock,
    origin: String,
    sid_in: SidIn,
}

impl Service {
    pub(crate) async fn start(sid_in: SidIn) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Another host than the provider's, which is `localhost`: they share no cookies.
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
        let provider = OidcProvider::start(&target, &clients(&origin, sid_in), &jwks(&key));
        let clock = Clock::new();
        let registration = Registration {
            issuer: provider.issuer(),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            origin: origin.clone(),
        };
        let (side, config) = example::sessions().unwrap();
        let manager = SessionManager::new(side, config).unwrap();
        let sessions = SessionLayer::from(Arc::new(manager.with_clock(clock.reader())));
        let app = example::app(registration, sessions).await.unwrap();
        tokio::spawn(async { axum::serve(listener, app).await });
        Self {
            provider,
            key,
            clock,
            origin,
            sid_in,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// Returns the page of the provider that logs out there.
    pub(crate) fn end_session(&self) -> String {
        format!("{}/session/end", self.provider.issuer())
    }

    /// Starts the provider again, with this key.
    pub(crate) fn restart_provider(&self, key: &SigningKey) {
        let clients = clients(&self.origin, self.sid_in);
        self.provider.restart(&clients, &jwks(key));
    }

    /// Sends a logout token as the provider does, and returns the status.
    pub(crate) async fn send(&self, token: &str) -> u16 {
        let url = self.url("/backchannel-logout");
        let client = reqwest::Client::new();
        let request = client.post(url).form(&[("logout_token", token)]);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert!(response.headers().get("set-cookie").is_none());
        response.status().as_u16()
    }
}

fn clients(origin: &str, sid_in: SidIn) -> String {
    let client = json!({
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uris": [format!("{origin}/callback")],
        "post_logout_redirect_uris": [format!("{origin}/")],
        "backchannel_logout_uri": format!("{origin}/backchannel-logout"),
        "backchannel_logout_session_required": sid_in == SidIn::EveryToken,
        "id_token_signed_response_alg": "ES256",
    });
    json!([client]).to_string()
}

fn jwks(key: &SigningKey) -> String {
    let jwk: Value = serde_json::from_str(&key.to_jwk()).unwrap();
    json!({ "keys": [jwk] }).to_string()
}
