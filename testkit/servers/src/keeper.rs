//! A server process and its directory, supervised by a shell.
//!
//! When the test process exits for any reason, the shell's stdin is closed, and the shell kills the
//! server and removes the directory.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use crate::shell::{run, words};

/// `$0` is the directory, the arguments are the server's command.
const SCRIPT: &str = r#"
"$@" >>"$0/log" 2>&1 </dev/null &
server=$!
echo $server
# When the test process exits, this process group becomes orphaned, and the kernel sends SIGHUP to
# an orphaned group with a stopped member.
trap '' HUP
while read -r _; do :; done
# Stop the server first, or it would fork more children. Postgres does not start while one is alive.
kill -STOP $server 2>/dev/null
# MariaDB sometimes does not stop; it is killed anyway after 500 tries.
tries=0
while [ $((tries += 1)) -le 500 ] && ps -o stat= -p $server | grep -q '^[^TtZ]'; do sleep 0.01; done
children=$(ps -o pid= --ppid $server)
kill -KILL $server $children 2>/dev/null
kill -CONT $server $children 2>/dev/null
# The children have received the signal but may still run: until they exit, they hold shared memory.
for child in $children; do
    while ps -o stat= -p $child | grep -q '^[^Z]'; do sleep 0.01; done
done
wait $server 2>/dev/null
if [ ! -e "$0/keep" ]; then rm -rf "$0"; fi
"#;

pub(crate) struct Keeper {
    dir: PathBuf,
    command: Vec<String>,
    // A synchronous mutex: tests kill and restart sequentially.
    running: Mutex<Running>,
}

struct Running {
    shell: Child,
    pid: String,
}

/// Creates a directory for a server of this name.
pub(crate) fn directory(name: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("carafe-{name}-{}-{count}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    fs::create_dir(&dir).expect("the directory is new");
    dir
}

impl Keeper {
    pub(crate) fn start(dir: PathBuf, command: Vec<String>) -> Self {
        let running = Mutex::new(Running::start(&dir, &command));
        Self {
            dir,
            command,
            running,
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Kills the server, like a power failure; returns after the process has exited.
    pub(crate) fn kill(&self) {
        let mut running = self.running();
        let keep = self.dir.join("keep");
        fs::write(&keep, "").expect("the directory is there");
        drop(running.shell.stdin.take());
        running.shell.wait().expect("the shell ends");
        fs::remove_file(keep).expect("the file is there");
    }

    /// Starts the server again after [`Keeper::kill`].
    pub(crate) fn restart(&self) {
        *self.running() = Running::start(&self.dir, &self.command);
    }

    /// Sends a signal, such as `STOP`, to the server and its processes.
    ///
    /// After `STOP`, returns once the processes have stopped.
    pub(crate) fn signal(&self, signal: &str) {
        let server = self.running().pid.clone();
        // The server first: a stopped server forks no process that the list would miss.
        self.send(signal, &[&server]);
        let (_, children) = run(&words(&["ps", "-o", "pid=", "--ppid", &server]));
        self.send(signal, &children.split_whitespace().collect::<Vec<_>>());
    }

    fn send(&self, signal: &str, processes: &[&str]) {
        if processes.is_empty() {
            return;
        }
        let mut command = words(&["kill", &format!("-{signal}")]);
        command.extend(words(processes));
        run(&command);
        if signal == "STOP" {
            self.wait_until(|| all_have_stopped(processes));
        }
    }

    /// Waits until `answers` returns no error.
    pub(crate) fn wait_until(&self, answers: impl Fn() -> Result<(), String>) {
        let start = Instant::now();
        while let Err(why) = answers() {
            let log = || fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "the server does not answer: {why}\n{}",
                log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().expect("no test has panicked in here")
    }
}

/// Each thread stops on its own, which may take time on a busy machine.
fn all_have_stopped(processes: &[&str]) -> Result<(), String> {
    let (_, states) = run(&words(&[
        "ps",
        "-L",
        "-o",
        "stat=",
        "-p",
        &processes.join(","),
    ]));
    match states
        .split_whitespace()
        .find(|state| !state.starts_with(['T', 't', 'Z']))
    {
        Some(state) => Err(format!("one of its threads is in state {state}")),
        None => Ok(()),
    }
}

impl Running {
    fn start(dir: &Path, command: &[String]) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(dir)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let mut pid = String::new();
        let output = shell.stdout.take().expect("it was asked for");
        BufReader::new(output)
            .read_line(&mut pid)
            .expect("the shell says the process");
        Self {
            shell,
            pid: pid.trim().to_owned(),
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Ok(running) = self.running.get_mut() {
            drop(running.shell.stdin.take());
            let _ = running.shell.wait();
        }
        // The directory still exists if the server was killed and not restarted.
        let _ = fs::remove_dir_all(&self.dir);
    }
}
