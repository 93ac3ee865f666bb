//! tower-sessions' SQLite store, in the program of `bench/sqlx`.
//!
//! A program can link only one version of SQLite.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
};

use crate::harness::Outcome;

/// The configuration of the pool.
#[derive(Clone, Copy)]
pub(crate) struct Pool {
    /// `default`: the pool's defaults. `wal`: SQLite's write-ahead log, `synchronous=FULL`.
    pub(crate) mode: &'static str,
    pub(crate) connections: usize,
}

/// A running store. Clones share the process.
#[derive(Clone)]
pub(crate) struct Sqlx(Rc<RefCell<Process>>);

struct Process {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Sqlx {
    /// Builds the program if necessary, starts it, and creates a file with sessions.
    pub(crate) fn start(file: &Path, pool: Pool, sessions: usize) -> Outcome<Self> {
        let mut child = Command::new(program()?)
            .arg(file)
            .args([
                pool.mode,
                &pool.connections.to_string(),
                &sessions.to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take().ok_or("the store has no input")?;
        let answers = child.stdout.take().ok_or("the store has no output")?;
        let mut process = Process {
            child,
            questions,
            answers: BufReader::new(answers),
        };
        match process.answer()?.as_str() {
            "ready" => Ok(Self(Rc::new(RefCell::new(process)))),
            other => Err(other.into()),
        }
    }

    /// Loads sessions one after another.
    ///
    /// Returns the nanoseconds of wall time and of the process's CPU time.
    pub(crate) fn load(&self, count: usize) -> Outcome<(f64, f64)> {
        self.0.borrow_mut().ask(&format!("load {count}"))
    }

    /// Saves from concurrent tasks, `count` times each.
    ///
    /// Returns the nanoseconds of wall time and the number of failed saves.
    pub(crate) fn save(&self, tasks: usize, count: usize) -> Outcome<(f64, f64)> {
        self.0.borrow_mut().ask(&format!("save {tasks} {count}"))
    }
}

impl Process {
    fn ask(&mut self, question: &str) -> Outcome<(f64, f64)> {
        writeln!(self.questions, "{question}")?;
        let answer = self.answer()?;
        let (one, two) = answer
            .split_once(' ')
            .ok_or("the store says something else")?;
        Ok((one.parse()?, two.parse()?))
    }

    fn answer(&mut self) -> Outcome<String> {
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err("the store's process ended; what it said stands above".into());
        }
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both calls fail only if the process has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> Outcome<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = folder.join("target");
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--manifest-path"])
        .arg(folder.join("sqlx/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    match status.success() {
        true => Ok(target.join("release/carafe-bench-sqlx")),
        false => Err("bench/sqlx cannot be built".into()),
    }
}
