//! The protocol: JSON texts with a zero byte behind each, commands out, answers and events in.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{ChildStdin, ChildStdout},
    sync::mpsc::{self, Receiver},
    thread,
};

use serde_json::{Value, json};

use super::PATIENCE;

/// Both pipes.
pub(super) struct Wire {
    out: ChildStdin,
    // A thread reads, so that waiting for the browser can come to an end.
    arriving: Receiver<Value>,
    events: VecDeque<Value>,
    last: u64,
    log: PathBuf,
}

impl Wire {
    pub(super) fn new(out: ChildStdin, from: ChildStdout, log: PathBuf) -> Self {
        let (sender, arriving) = mpsc::channel();
        thread::spawn(move || {
            let texts = BufReader::new(from).split(0).map_while(Result::ok);
            for text in texts {
                let message = serde_json::from_slice(&text).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self {
            out,
            arriving,
            events: VecDeque::new(),
            last: 0,
            log,
        }
    }

    /// Gives a command, to one page or to the browser; its number. A browser that has gone is found out by whoever waits.
    pub(super) fn send(&mut self, session: Option<&str>, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let _ = self.out.write_all(format!("{message}\0").as_bytes());
        self.last
    }

    /// Gives a command and waits for its result.
    pub(super) fn call(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.ask(session, method, params)
            .unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// [`Wire::call`] for what the browser may refuse.
    pub(super) fn ask(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: &Value,
    ) -> Result<Value, Value> {
        let id = self.send(session, method, params);
        loop {
            let mut message = self.next(method);
            if message["id"] != id {
                self.events.push_back(message);
                continue;
            }
            return match message["error"].take() {
                Value::Null => Ok(message["result"].take()),
                error => Err(error),
            };
        }
    }

    /// Forgets what has happened so far on a page.
    pub(super) fn forget(&mut self, session: &str) {
        self.events.retain(|event| event["sessionId"] != session);
    }

    /// Waits for an event on a page.
    pub(super) fn wait(&mut self, session: &str, method: &str) {
        let is_it = |event: &Value| event["sessionId"] == session && event["method"] == method;
        if let Some(at) = self.events.iter().position(is_it) {
            self.events.drain(..=at);
            return;
        }
        loop {
            let event = self.next(method);
            if is_it(&event) {
                return;
            }
            self.events.push_back(event);
        }
    }

    fn next(&self, awaited: &str) -> Value {
        self.arriving.recv_timeout(PATIENCE).unwrap_or_else(|why| {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            panic!("Chromium, while {awaited} was awaited: {why}\n{log}")
        })
    }
}
