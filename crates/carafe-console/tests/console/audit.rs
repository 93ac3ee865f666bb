//! The log events of revocations.

use std::{
    fmt::{Debug, Write as _},
    sync::{Mutex, OnceLock},
    thread::{self, ThreadId},
};

use carafe_console::ConsoleOptions;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

use crate::app::{App, MOUNT, SAME_SITE};

static EVENTS: Mutex<Vec<(ThreadId, String)>> = Mutex::new(Vec::new());

/// Keeps the audit events of all threads.
struct Recorder;

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "carafe_console::audit"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        EVENTS
            .lock()
            .unwrap()
            .push((thread::current().id(), fields.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Removes and returns the events of this thread.
fn take_events() -> Vec<String> {
    let mut events = EVENTS.lock().unwrap();
    let here = thread::current().id();
    let (own, others) = events.drain(..).partition(|(thread, _)| *thread == here);
    *events = others;
    let own: Vec<_> = own;
    own.into_iter().map(|(_, text)| text).collect()
}

#[tokio::test]
async fn revocations_are_logged_with_the_operator() {
    static SUBSCRIBER: OnceLock<()> = OnceLock::new();
    SUBSCRIBER.get_or_init(|| tracing::subscriber::set_global_default(Recorder).unwrap());
    let mut app = App::new(ConsoleOptions::new());
    let id = app.session("grace").await;
    let end_all = format!("{MOUNT}/end-all");
    let token = app.token(&end_all).await;
    app.look(MOUNT).await;
    assert!(take_events().is_empty(), "pages are no events");

    let revoke = format!("{MOUNT}/sessions/{id}/revoke");
    app.send("POST", &revoke, &[SAME_SITE], "csrf=x").await;
    assert!(take_events().is_empty(), "a refused form is no revocation");
    let csrf = format!("csrf={token}");
    app.send("POST", &revoke, &[SAME_SITE], &csrf).await;
    let [event] = &take_events()[..] else {
        panic!("one event");
    };
    assert!(event.contains("session revoked"), "{event}");
    assert!(event.contains("operator=\"ada\""), "{event}");
    assert!(
        event.contains(&format!("session.public_id={id}")),
        "{event}"
    );
    app.send("POST", &revoke, &[SAME_SITE], &csrf).await;
    assert!(take_events().is_empty(), "the session is gone");

    app.session("grace").await;
    app.session("grace").await;
    let body = format!("{csrf}&name=grace");
    app.send("POST", &format!("{MOUNT}/revoke-user"), &[SAME_SITE], &body)
        .await;
    let [event] = &take_events()[..] else {
        panic!("one event");
    };
    for field in [
        "operator=\"ada\"",
        "session.user=\"grace\"",
        "session.count=2",
    ] {
        assert!(event.contains(field), "{field} in {event}");
    }

    app.session("edsger").await;
    let body = format!("{csrf}&typed=revoke+all+sessions");
    app.send("POST", &end_all, &[SAME_SITE], &body).await;
    let [started, done] = &take_events()[..] else {
        panic!("two events");
    };
    assert!(
        started.contains("revocation of sessions started"),
        "{started}"
    );
    for field in ["operator=\"ada\"", "session.count=1"] {
        assert!(done.contains(field), "{field} in {done}");
    }
    assert!(!done.contains("session.user"), "{done}");
}
