//! The real Flask, in a separate process that times itself: `flask.py`.

use std::{
    cell::RefCell,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
};

use crate::{
    content::SECRET,
    harness::{Candidate, Outcome},
};

const PROGRAM: &str = include_str!("flask.py");
const PACKAGES: [&str; 6] = [
    "flask==3.1.3",
    "flask-session==0.8.0",
    "itsdangerous==2.2.0",
    "msgspec==0.22.0",
    "redis==8.1.0",
    "werkzeug==3.1.9",
];

/// A running Flask. Clones share the process.
#[derive(Clone)]
pub(crate) struct Flask(Rc<RefCell<Process>>);

/// A Python program that answers one question per line.
pub(crate) struct Process {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Flask {
    /// Starts Flask, after installing it if necessary.
    pub(crate) fn start() -> Outcome<Self> {
        let mut process = Process::start(PROGRAM)?;
        println!("* Python: {}", process.ask(&format!("{SECRET:?}"))?);
        Ok(Self(Rc::new(RefCell::new(process))))
    }

    /// Returns the serializer's `loads` or `dumps` as a candidate.
    pub(crate) fn candidate(
        &self,
        row: &str,
        column: &str,
        verb: &'static str,
        text: String,
    ) -> Candidate {
        let process = Rc::clone(&self.0);
        Candidate::told(row, column, move |operations| {
            let answer = process
                .borrow_mut()
                .ask(&format!("{verb} {operations} {text}"))?;
            Ok(answer.parse()?)
        })
    }
}

impl Process {
    /// Starts a program from its source text.
    pub(crate) fn start(program: &str) -> Outcome<Self> {
        let mut child = Command::new(python()?)
            .args(["-c", program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = child.stdin.take().ok_or("Python has no input")?;
        let answers = child.stdout.take().ok_or("Python has no output")?;
        Ok(Self {
            child,
            questions,
            answers: BufReader::new(answers),
        })
    }

    pub(crate) fn ask(&mut self, question: &str) -> Outcome<String> {
        writeln!(self.questions, "{question}")?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err("Python ended; what it said stands above".into());
        }
        Ok(answer.trim_end().to_owned())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process exits at the end of its input; both calls fail only if it already has.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the Python of a private environment that contains the packages.
fn python() -> Outcome<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv");
    let python = folder.join("bin/python");
    let installed = folder.join(PACKAGES.join("_"));
    if !installed.exists() {
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder))?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        run(Command::new(&python).args(pip).args(PACKAGES))?;
        std::fs::write(installed, "")?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Outcome {
    let status = command
        .status()
        .map_err(|why| format!("{command:?}: {why}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{command:?} ended with {status}").into())
}
