//! A node in a process of its own, which can be killed.
//!
//! The process is this test binary; it reads orders from stdin and prints their results, one per
//! line.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
};

use carafe::{ErasedStore, GuardOptions, StoreError};
use carafe_core::store::conformance::Spy;

use crate::{
    browser::Browser,
    node::{CALM, Gate, app},
    server::{MariaDb, Postgres, Redis, Server},
};

const SERVER: &str = "CARAFE_TEST_SERVER";
const PORT: &str = "CARAFE_TEST_PORT";
const JOURNAL: &str = "CARAFE_TEST_JOURNAL";
const AWAY: &str = "CARAFE_TEST_AWAY";
/// The prefix of the node's lines, because the test harness prints lines too.
const SAYS: &str = "node: ";

pub(crate) struct Process {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a node with a server at `port`. If `away`, its store fails until the order `back`.
    pub(crate) fn start<S: Server>(port: u16, journal: &Path, away: bool) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "process::node_that_is_killed", "--nocapture"])
            .env(SERVER, S::NAME)
            .env(PORT, port.to_string())
            .env(JOURNAL, journal)
            .env(AWAY, away.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self {
            child,
            orders,
            answers,
        };
        assert_eq!(process.answer(), "up");
        process
    }

    pub(crate) fn tell(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    pub(crate) fn ask(&mut self, order: &str) -> String {
        self.tell(order);
        self.answer()
    }

    pub(crate) fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "it lives");
            if let Some(answer) = line.strip_prefix(SAYS) {
                return answer.trim_end().to_owned();
            }
        }
    }

    /// Sends `SIGKILL`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The child process; does nothing when it runs as a test.
#[test]
fn node_that_is_killed() {
    match env::var(SERVER).as_deref() {
        Ok(Redis::NAME) => crate::run(serve::<Redis>()),
        Ok(Postgres::NAME) => crate::run(serve::<Postgres>()),
        Ok(MariaDb::NAME) => crate::run(serve::<MariaDb>()),
        _ => {}
    }
}

fn say(answer: impl std::fmt::Display) {
    println!("{SAYS}{answer}");
}

async fn order() -> Option<String> {
    let line = tokio::task::spawn_blocking(|| io::stdin().lines().next());
    line.await.unwrap().map(Result::unwrap)
}

async fn serve<S: Server>() {
    let port = env::var(PORT).unwrap().parse().unwrap();
    let store = Arc::new(Spy::<dyn ErasedStore>::shared(S::store(port, CALM).await));
    if env::var(AWAY).unwrap() == "true" {
        store.before(|_| Box::pin(async { Err(StoreError::unavailable("it is away")) }));
    }
    let options = GuardOptions::default().with_deadlines(CALM);
    let journal = env::var(JOURNAL).unwrap();
    let guarded = Arc::new(options.guard_with_journal(store.clone(), journal).unwrap());
    let gate = Arc::new(Gate::default());
    let mut browser = Browser::of(&app(guarded.clone(), &gate));
    say("up");
    while let Some(line) = order().await {
        let (word, jar) = line.split_once(' ').unwrap_or((&line, ""));
        browser.cookie = (!jar.is_empty()).then(|| jar.to_owned());
        match word {
            // Waits at the gate until the next order, which has no cookie.
            "logout" => {
                let log_out = tokio::spawn(browser.ask("/gated/logout"));
                gate.reached().await;
                say("reached");
                order().await;
                gate.open();
                say(log_out.await.unwrap().status.as_u16());
            }
            "mine" => {
                let answer = browser.ask("/mine").await;
                say(format_args!("{} {}", answer.status.as_u16(), answer.body));
            }
            "back" => {
                store.works();
                say("ok");
            }
            _ => panic!("{line} is no order"),
        }
    }
}
