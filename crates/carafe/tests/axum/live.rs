//! Tests of `examples/live.rs` with WebSockets over real sockets.

#[allow(dead_code, reason = "the example's own main")]
#[path = "../../../../examples/live.rs"]
mod example;

use std::{net::TcpStream, time::Duration};

use carafe_test_adapters::{client::Answer, site::At};
use tokio::{net::TcpListener, runtime::Runtime};
use tungstenite::{Error, Message, WebSocket, client::IntoClientRequest};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

struct Example {
    at: At,
    _runtime: Runtime,
}

impl Example {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let at = At::new(listener.local_addr().unwrap());
        let app = example::app().unwrap();
        runtime.spawn(async { axum::serve(listener, app).await });
        Self {
            at,
            _runtime: runtime,
        }
    }

    fn post(&self, path: &str, jar: &str, body: &str) -> Answer {
        let headers = [FORM, ("Cookie", jar)];
        self.at.ask_with(&format!("POST {path}"), &headers, body)
    }

    fn log_in(&self) -> String {
        let answer = self.post("/login", "", "name=bob");
        assert_eq!(answer.status, 303);
        answer.pair().unwrap().to_owned()
    }

    /// Opens a socket from a page of `origin`, or returns the status of the rejection.
    fn open(&self, jar: &str, origin: &str) -> Result<WebSocket<TcpStream>, u16> {
        let address = self.at.address;
        let mut request = format!("ws://{address}/live")
            .into_client_request()
            .unwrap();
        let headers = request.headers_mut();
        headers.insert("Cookie", jar.parse().unwrap());
        headers.insert("Origin", origin.parse().unwrap());
        let stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::HandshakeError::Failure(Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn refused(&self, jar: &str) -> Option<u16> {
        let origin = format!("http://{}", self.at.address);
        self.open(jar, &origin).err()
    }

    fn open_own(&self, jar: &str) -> WebSocket<TcpStream> {
        let origin = format!("http://{}", self.at.address);
        self.open(jar, &origin).unwrap()
    }
}

/// Reads until the socket shows `clicks`.
fn wait_for(socket: &mut WebSocket<TcpStream>, clicks: &str) {
    while socket.read().unwrap().to_text().unwrap() != clicks {}
}

/// Returns the code with which the server closes the socket.
fn closed(socket: &mut WebSocket<TcpStream>) -> u16 {
    loop {
        if let Message::Close(frame) = socket.read().unwrap() {
            return frame.unwrap().code.into();
        }
    }
}

#[test]
fn clicks_are_counted_in_the_session_and_seen_by_its_other_sockets() {
    let example = Example::start();
    let jar = example.log_in();
    let (mut one, mut other) = (example.open_own(&jar), example.open_own(&jar));
    wait_for(&mut one, "0");
    one.send(Message::text("click")).unwrap();
    wait_for(&mut one, "1");
    wait_for(&mut other, "1");
    other.send(Message::text("active")).unwrap();
    other.send(Message::text("click")).unwrap();
    wait_for(&mut other, "2");
    wait_for(&mut one, "2");
    let mut stranger = example.open_own(&example.log_in());
    wait_for(&mut stranger, "0");
}

#[test]
fn a_log_out_or_a_new_log_in_closes_all_sockets_of_the_session() {
    let example = Example::start();
    for (path, body) in [("/logout", ""), ("/login", "name=ada")] {
        let jar = example.log_in();
        let mut sockets = [example.open_own(&jar), example.open_own(&jar)];
        wait_for(&mut sockets[0], "0");
        assert_eq!(example.post(path, &jar, body).status, 303);
        // The first socket notices because it writes, the second because it polls.
        sockets[0].send(Message::text("click")).unwrap();
        for socket in &mut sockets {
            assert_eq!(closed(socket), 1008, "{path}");
        }
        assert_eq!(example.refused(&jar), Some(401));
    }
}

#[test]
fn a_page_of_another_origin_and_a_visitor_without_a_session_get_no_socket() {
    let example = Example::start();
    let jar = example.log_in();
    for origin in ["http://evil.example", "null"] {
        assert_eq!(example.open(&jar, origin).err(), Some(403));
    }
    assert_eq!(example.refused("session=unknown"), Some(401));
    assert!(example.at.get("/", &jar).body.contains("new WebSocket"));
    assert!(example.at.get("/", "").body.contains("Log in"));
}
