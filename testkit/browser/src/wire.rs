//! The protocol: commands, answers and events as JSON texts, each followed by a zero byte.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::PathBuf,
    process::{ChildStdin, ChildStdout},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// How long an answer may take before the test fails. Far above what it takes: no test is about
/// time.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The pipes to and from the browser.
pub(super) struct Wire {
    out: ChildStdin,
    // Filled by a thread, so that waiting for the browser can time out.
    arriving: Receiver<Value>,
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
            last: 0,
            log,
        }
    }

    /// Sends a command to a page or to the browser, and returns its number. If the browser has
    /// exited, the wait for the answer fails.
    pub(super) fn send(&mut self, session: Option<&str>, method: &str, params: &Value) -> u64 {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let _ = self.out.write_all(format!("{message}\0").as_bytes());
        self.last
    }

    /// Sends a command and waits for its result.
    pub(super) fn call(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.ask(session, method, params)
            .unwrap_or_else(|error| panic!("{method} {params}: {error}"))
    }

    /// Like [`Wire::call`], for commands that the browser may refuse.
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
                continue; // an event
            }
            return match message["error"].take() {
                Value::Null => Ok(message["result"].take()),
                error => Err(error),
            };
        }
    }

    fn next(&self, awaited: &str) -> Value {
        self.arriving.recv_timeout(PATIENCE).unwrap_or_else(|why| {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            panic!("Chromium, while {awaited} was awaited: {why}\n{log}")
        })
    }
}
