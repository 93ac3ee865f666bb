//! Tests over a socket with axum's own server: the HTTP response after the session's commit.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, extract::ws::WebSocketUpgrade, response::Response, routing::get};
use carafe::{Session, SessionError};
use http::{Request, Version, header};
use http_body_util::{BodyExt, Full};
use tokio::net::{TcpListener, TcpStream as AsyncStream};

use super::browser::{flask, safe};

/// The results of session writes by a background task or a response body.
type Found = Arc<Mutex<Vec<Result<(), SessionError>>>>;

fn router(found: &Found) -> Router {
    let (in_stream, in_socket) = (Arc::clone(found), Arc::clone(found));
    let streams = async move |session: Session| {
        session.insert("before", &1).unwrap();
        let body = Full::from("streamed").map_frame(move |frame| {
            in_stream.lock().unwrap().push(session.insert("late", &1));
            frame
        });
        Response::new(Body::new(body))
    };
    let upgrades = async move |session: Session, upgrade: WebSocketUpgrade| {
        session.insert("before", &1).unwrap();
        upgrade
            .on_upgrade(async move |_| in_socket.lock().unwrap().push(session.insert("late", &1)))
    };
    Router::new()
        .route("/stream", get(streams))
        .route("/ws", get(upgrades))
        .layer(flask())
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Sends `request` and reads until the server closes the connection.
fn exchange(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    // The head of an upgrade is followed by frames, which are not text.
    String::from_utf8_lossy(&answer).into_owned()
}

async fn ask(address: SocketAddr, line: &str, more: &str) -> (String, String) {
    let request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{more}\r\n");
    let answer = tokio::task::spawn_blocking(move || exchange(address, &request))
        .await
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_ascii_lowercase(), body.to_owned())
}

fn count(head: &str, name: &str) -> usize {
    head.lines().filter(|line| line.starts_with(name)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_request_of_a_stream_carries_the_cookie() {
    let address = serve(router(&Found::default())).await;
    let (head, body) = ask(address, "HEAD /stream", "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(count(&head, "set-cookie: session="), 1, "{head}");
    assert_eq!(count(&head, "vary: cookie"), 1, "{head}");
    assert_eq!(body, "");
}

/// The body runs after the head was sent: the write fails instead of being lost silently.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_in_a_streamed_body_is_an_error() {
    let found = Found::default();
    let address = serve(router(&found)).await;
    let (head, body) = ask(address, "GET /stream", "").await;
    assert_eq!(count(&head, "set-cookie: session="), 1, "{head}");
    assert!(body.contains("streamed"), "{body}");
    let found = found.lock().unwrap();
    assert!(
        matches!(found[..], [Err(SessionError::AlreadySent)]),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_carries_what_was_written_before_it() {
    let found = Found::default();
    let address = serve(router(&found)).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let request = format!("GET /ws HTTP/1.1\r\nHost: a\r\n{upgrade}\r\n");
    // The server closes the connection when the socket's handler returns, after its write.
    let answer = tokio::task::spawn_blocking(move || exchange(address, &request))
        .await
        .unwrap();
    let head = answer.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101"), "{head}");
    assert_eq!(count(&head, "set-cookie: session="), 1, "{head}");
    let found = found.lock().unwrap();
    assert!(
        matches!(found[..], [Err(SessionError::AlreadySent)]),
        "{found:?}"
    );
}

/// CKR-1 over HTTP/2, where clients may send a header field per cookie (RFC 9113 §8.2.3).
#[tokio::test]
async fn a_session_is_found_in_any_of_50_http_2_cookie_fields() {
    let reads = async |version: Version, session: Session| {
        format!("{version:?} {:?}", session.get::<u8>("a").unwrap())
    };
    let writes = async |session: Session| session.insert("a", &7);
    let routes = Router::new()
        .route("/", get(reads))
        .route("/write", get(writes));
    let address = serve(routes.layer(safe())).await;
    let stream = AsyncStream::connect(address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let ask = async |path: &str, cookies: &[String]| {
        let mut request = Request::get(format!("http://a{path}"));
        for cookie in cookies {
            request = request.header(header::COOKIE, cookie);
        }
        let request = request.body(()).unwrap();
        let mut client = client.clone().ready().await.unwrap();
        let (answer, _) = client.send_request(request, true).unwrap();
        let (head, mut body) = answer.await.unwrap().into_parts();
        let mut text = Vec::new();
        while let Some(part) = body.data().await {
            text.extend(part.unwrap());
        }
        (head.headers, String::from_utf8(text).unwrap())
    };
    let (headers, _) = ask("/write", &[]).await;
    assert_eq!(headers[header::VARY], "Cookie");
    let set = headers[header::SET_COOKIE].to_str().unwrap();
    let (ours, _) = set.split_once(';').unwrap();
    for count in [1, 2, 50] {
        for position in [0, count / 2, count - 1] {
            let mut cookies: Vec<_> = (0..count).map(|number| format!("c{number}=x")).collect();
            ours.clone_into(&mut cookies[position]);
            let (_, body) = ask("/", &cookies).await;
            assert_eq!(body, "HTTP/2.0 Some(7)", "{position} of {count}");
        }
    }
}
