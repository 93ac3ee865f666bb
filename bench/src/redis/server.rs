//! axum behind one session layer, in a separate process: this program, started again.
//!
//! One runtime thread does all the work. Each line on standard input requests the CPU time of the
//! process, which exits at the end of its input.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, runtime::Builder};

use crate::{
    harness::{Outcome, cpu},
    peers::{axum_alone, carafe, redis_driver, tower_sessions},
};

/// The argument that selects the inner process.
///
/// The next arguments are the layer, the URL of Redis and the core.
pub(crate) const SERVER: &str = "--server";

/// Connections in the example of the store's documentation.
const DOCUMENTED: usize = 6;

/// The layer around the routes.
pub(super) struct Layer {
    pub(super) name: &'static str,
    kind: Kind,
}

enum Kind {
    None,
    DriverAlone,
    Carafe,
    TowerSessions { connections: usize },
}

pub(super) const FLOOR: &str = "axum without a layer";
pub(super) const OURS: &str = "**Carafe**";

pub(super) const DRIVER: &str = "`redis` alone: `GET`, `SET`";
pub(super) const LAYERS: [Layer; 5] = [
    Layer {
        name: FLOOR,
        kind: Kind::None,
    },
    Layer {
        name: DRIVER,
        kind: Kind::DriverAlone,
    },
    Layer {
        name: OURS,
        kind: Kind::Carafe,
    },
    Layer {
        name: "tower-sessions, 1 connection",
        kind: Kind::TowerSessions { connections: 1 },
    },
    Layer {
        name: "tower-sessions, 6 connections",
        kind: Kind::TowerSessions {
            connections: DOCUMENTED,
        },
    },
];

/// A running server.
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
    questions: RefCell<ChildStdin>,
    answers: RefCell<BufReader<ChildStdout>>,
}

impl Server {
    pub(super) fn start(layer: &str, redis: &str, core: usize) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args([SERVER, layer, redis, &core.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take().ok_or("the server has no input")?;
        let answers = child.stdout.take().ok_or("the server has no output")?;
        let mut server = Self {
            child,
            port: 0,
            questions: RefCell::new(questions),
            answers: RefCell::new(BufReader::new(answers)),
        };
        server.port = server.answer()?.parse()?;
        Ok(server)
    }

    /// Returns the CPU time of the process, in nanoseconds.
    pub(super) fn cpu_nanoseconds(&self) -> Outcome<f64> {
        writeln!(self.questions.borrow_mut())?;
        Ok(self.answer()?.parse()?)
    }

    fn answer(&self) -> Outcome<String> {
        let mut answer = String::new();
        if self.answers.borrow_mut().read_line(&mut answer)? == 0 {
            return Err("the server ended; what it said stands above".into());
        }
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both calls fail only if the process has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the inner process.
pub(crate) fn serve(arguments: &[String]) -> Outcome {
    let [layer, redis, core] = arguments else {
        return Err("a server needs a layer, the URL of Redis and a core".into());
    };
    let known = LAYERS.iter().find(|known| known.name == layer);
    let kind = &known.ok_or("there is no such layer")?.kind;
    cpu::stay_on(core.parse()?)?;
    thread::spawn(answer_questions);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let router = kind.router(redis).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        let listener = listener.tap_io(|stream| {
            // Without `TCP_NODELAY`, the kernel waits for more data. The call fails only on a
            // closed connection.
            let _ = stream.set_nodelay(true);
        });
        Ok(axum::serve(listener, router).await?)
    })
}

fn answer_questions() {
    for question in std::io::stdin().lock().lines() {
        if question.is_err() {
            break;
        }
        println!("{}", cpu::of_process());
    }
    std::process::exit(0);
}

impl Kind {
    async fn router(&self, redis: &str) -> Outcome<Router> {
        match self {
            Self::None => Ok(axum_alone::bare()),
            Self::DriverAlone => redis_driver::alone(redis).await,
            Self::Carafe => Ok(carafe::stored(carafe::redis(redis).await?)),
            Self::TowerSessions { connections } => {
                tower_sessions::in_redis(redis, *connections).await
            }
        }
    }
}
