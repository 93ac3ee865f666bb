//! Tests of `examples/actix_live.rs` over real sockets.

#[allow(dead_code, reason = "the example's own main")]
#[path = "../../../../examples/actix_live.rs"]
mod example;

use std::{net::TcpListener, sync::mpsc};

use actix_web::{App, HttpServer, dev::ServerHandle};
use carafe_test_adapters::{
    client::{Answer, Stream},
    site::At,
};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

struct Example {
    at: At,
    running: ServerHandle,
}

impl Example {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = At::new(listener.local_addr().unwrap());
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let sessions = example::sessions().unwrap();
                let app = move || App::new().wrap(sessions.clone()).configure(example::routes);
                let server = HttpServer::new(app).workers(1).disable_signals();
                let running = server.listen(listener).unwrap().run();
                tell.send(running.handle()).unwrap();
                running.await
            })
        });
        let running = told.recv().unwrap();
        Self { at, running }
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
}

impl Drop for Example {
    /// Stops the server without waiting for it.
    fn drop(&mut self) {
        drop(self.running.stop(false));
    }
}

/// Returns the number in the next event.
fn seconds(events: &mut Stream) -> u64 {
    let event = events.chunk().unwrap();
    let data = event.strip_prefix("data: ").unwrap();
    data.trim_end().parse().unwrap()
}

#[test]
fn all_streams_of_a_session_count_in_it() {
    let example = Example::start();
    let jar = example.log_in();
    let mut one = example.at.follow("/events", &jar);
    assert_eq!(one.head.all("content-type"), ["text/event-stream"]);
    assert_eq!(one.head.set_cookies(), [""; 0]);
    assert_eq!(seconds(&mut one), 1);
    assert_eq!(seconds(&mut one), 2);
    let mut other = example.at.follow("/events", &jar);
    // The numbers continue, because both streams count in the same session.
    assert!(seconds(&mut other) > 2);
    let last = seconds(&mut other);
    assert!((0..3).any(|_| seconds(&mut one) >= last));
}

#[test]
fn a_log_out_or_a_new_log_in_ends_all_streams_of_the_session() {
    let example = Example::start();
    for (path, body) in [("/logout", ""), ("/login", "name=ada")] {
        let jar = example.log_in();
        let mut streams = [(); 2].map(|()| example.at.follow("/events", &jar));
        assert!(seconds(&mut streams[0]) > 0);
        assert_eq!(example.post(path, &jar, body).status, 303);
        for events in &mut streams {
            let mut last = None;
            while let Some(event) = events.chunk() {
                last = Some(event);
            }
            assert_eq!(last.as_deref(), Some("event: ended\ndata\n\n"), "{path}");
        }
        assert_eq!(example.at.get("/events", &jar).status, 204, "{path}");
    }
}

#[test]
fn a_visitor_without_a_session_gets_the_form_and_no_events() {
    let example = Example::start();
    assert_eq!(example.at.get("/events", "").status, 204);
    assert!(example.at.get("/", "").body.contains("Log in"));
    let jar = example.log_in();
    assert!(example.at.get("/", &jar).body.contains("new EventSource"));
}
