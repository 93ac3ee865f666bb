//! A refresh with a lost response: a server over HTTP behind a proxy that cuts connections.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use carafe_core::{
    store::{ErasedStore, PublicId},
    testing::Clock,
};
use carafe_test_proxy::{Fault, Proxy};
use carafe_tokens::refresh::{
    Grant, Issued, RefreshError, RefreshTokens, is_session_alive, revoke_session,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::refresh::{NOW, stores, tokens};

/// State of the server, shared with the test.
struct Service {
    store: Arc<dyn ErasedStore>,
    tokens: RefreshTokens,
    clock: Clock,
    /// Successful refreshes, whether or not their responses arrived.
    refreshes: AtomicUsize,
}

type Reply = (StatusCode, String);

async fn log_in(State(service): State<Arc<Service>>) -> Reply {
    let grant = Grant::of_user("ada");
    let now = service.clock.now();
    answer(service.tokens.issue(&*service.store, &grant, now).await)
}

async fn refresh(State(service): State<Arc<Service>>, token: String) -> Reply {
    let now = service.clock.now();
    let issued = service.tokens.redeem(&*service.store, token, now).await;
    if issued.is_ok() {
        service.refreshes.fetch_add(1, Ordering::SeqCst);
    }
    answer(issued)
}

fn answer(issued: Result<Issued, RefreshError>) -> Reply {
    match issued {
        Ok(issued) => (StatusCode::OK, issued.token.as_str().to_owned()),
        Err(error) => {
            let code = error.oauth_error().expect("the store works");
            (StatusCode::BAD_REQUEST, code.to_owned())
        }
    }
}

/// The server, the proxy before it, and the client.
struct Site {
    service: Arc<Service>,
    proxy: Proxy,
}

/// A response that arrived whole.
struct Answer {
    status: u16,
    body: String,
    /// Bytes on the wire.
    length: usize,
}

impl Site {
    async fn start(store: Arc<dyn ErasedStore>) -> Self {
        let service = Arc::new(Service {
            store,
            tokens: tokens(),
            clock: Clock::at(NOW),
            refreshes: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/token", post(log_in))
            .route("/token/refresh", post(refresh))
            .with_state(Arc::clone(&service));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            service,
            proxy: Proxy::to(port),
        }
    }

    /// Sends a request on its own connection. `None` if the response did not arrive whole.
    async fn post(&self, path: &str, body: &str) -> Option<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.proxy.port()))
            .await
            .unwrap();
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        // A reset also ends a response.
        let _ = stream.read_to_end(&mut bytes).await;
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n")?;
        let expected = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        (body.len() == expected.parse::<usize>().unwrap()).then(|| Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            body: body.to_owned(),
            length: text.len(),
        })
    }

    async fn log_in(&self) -> String {
        self.post("/token", "").await.unwrap().body
    }

    async fn refresh(&self, token: &str) -> Option<Answer> {
        self.post("/token/refresh", token).await
    }

    /// Refreshes, and returns the successor of a token.
    async fn successor(&self, token: &str) -> String {
        let answer = self.refresh(token).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Refreshes while the proxy cuts the response, which the server has sent.
    async fn lose(&self, token: &str, fault: Fault) {
        let before = self.service.refreshes.load(Ordering::SeqCst);
        self.proxy.at_reply(1, fault);
        assert!(self.refresh(token).await.is_none(), "{fault:?}");
        let after = self.service.refreshes.load(Ordering::SeqCst);
        assert_eq!(after, before + 1, "{fault:?}: the server has refreshed");
    }

    async fn is_refused(&self, token: &str) {
        let answer = self.refresh(token).await.unwrap();
        assert_eq!((answer.status, &*answer.body), (400, "invalid_grant"));
    }

    fn named(&self, token: &str) -> (PublicId, u64) {
        let now = self.service.clock.now();
        self.service.tokens.verify(token, now).unwrap()
    }

    async fn is_alive(&self, token: &str) -> bool {
        let (session, _) = self.named(token);
        is_session_alive(&*self.service.store, session, self.service.clock.now())
            .await
            .unwrap()
    }

    fn wait(&self, seconds: u64) {
        self.service.clock.advance(Duration::from_secs(seconds));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_refresh_gets_the_successor_whose_response_was_lost() {
    for (name, store) in stores() {
        let site = Site::start(store).await;
        let mut token = site.log_in().await;
        let whole = site.refresh(&token).await.unwrap();
        token = whole.body;
        let length = whole.length;
        for fault in [
            Fault::Drop,
            Fault::Truncate(1),
            Fault::Truncate(length / 2),
            Fault::Truncate(length - 1),
        ] {
            // The first response is lost, and the one to the first repetition as well.
            site.lose(&token, fault).await;
            site.wait(4);
            site.lose(&token, fault).await;
            site.wait(5);
            let successor = site.successor(&token).await;
            let (session, generation) = site.named(&token);
            assert_eq!(
                site.named(&successor),
                (session, generation + 1),
                "{name}: {fault:?}"
            );
            assert_eq!(site.successor(&token).await, successor, "{name}: {fault:?}");
            site.wait(600);
            token = successor;
        }
        assert!(site.is_alive(&token).await, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_after_the_grace_period_revokes_the_session() {
    for (name, store) in stores() {
        let site = Site::start(store).await;
        let token = site.log_in().await;
        site.lose(&token, Fault::Drop).await;
        site.wait(11);
        assert!(site.is_alive(&token).await, "{name}");
        site.is_refused(&token).await;
        assert!(!site.is_alive(&token).await, "{name}");
        // The client logs in again.
        let token = site.log_in().await;
        site.successor(&token).await;
    }
}

/// The old token is used once more after the client has received the successor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reuse_after_a_survived_loss_revokes_the_successor_too() {
    for (name, store) in stores() {
        let site = Site::start(store).await;
        let token = site.log_in().await;
        site.lose(&token, Fault::Drop).await;
        let successor = site.successor(&token).await;
        site.wait(11);
        site.is_refused(&token).await;
        site.is_refused(&successor).await;
        assert!(!site.is_alive(&successor).await, "{name}");
    }
}

/// A user who logs out elsewhere while the response is on its way is logged out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repetition_after_a_revocation_is_refused() {
    for (_, store) in stores() {
        let site = Site::start(store).await;
        let token = site.log_in().await;
        site.lose(&token, Fault::Drop).await;
        let (session, _) = site.named(&token);
        let (store, now) = (&*site.service.store, site.service.clock.now());
        assert!(revoke_session(store, session, now).await.unwrap());
        site.is_refused(&token).await;
    }
}
