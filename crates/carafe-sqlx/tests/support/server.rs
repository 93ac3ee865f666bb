//! A database server in a directory of its own, on a free port, as a user without rights.
//!
//! A shell watches over it: when the test program ends, however it ends, the shell's input does too, and it
//! kills the server and removes the directory.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

/// `$0` is the directory, the arguments are the server's command.
const KEEPER: &str = r#"
"$@" >>"$0/log" 2>&1 </dev/null &
server=$!
echo $server
while read -r _; do :; done
children=$(ps -o pid= --ppid $server)
kill -KILL $server $children 2>/dev/null
kill -CONT $server $children 2>/dev/null
wait $server 2>/dev/null
if [ ! -e "$0/keep" ]; then rm -rf "$0"; fi
"#;

/// The number of the user without rights.
const NOBODY: &str = "65534";

pub(crate) struct Server {
    pub(crate) dir: PathBuf,
    pub(crate) port: u16,
    command: Vec<String>,
    client: Vec<String>,
    running: Mutex<Running>,
}

struct Running {
    keeper: Child,
    pid: String,
}

impl Server {
    /// `init` fills the directory, `command` runs the server in it, `client` runs the SQL that follows. Each
    /// may say `{dir}` and `{port}`.
    pub(crate) fn start(init: &str, command: &str, client: &str) -> Self {
        let (dir, port) = (directory(), free_port());
        let fill = |command: &str| -> Vec<String> {
            let place = |word: &str| {
                word.replace("{dir}", &dir.to_string_lossy())
                    .replace("{port}", &port.to_string())
            };
            command.split_whitespace().map(place).collect()
        };
        let (made, said) = run(&unprivileged(&fill(init)));
        if !made {
            let _ = fs::remove_dir_all(&dir);
            panic!("{said}");
        }
        let (command, client) = (unprivileged(&fill(command)), fill(client));
        let running = Mutex::new(Running::start(&dir, &command));
        let server = Self {
            dir,
            port,
            command,
            client,
            running,
        };
        server.wait_until_ready();
        server
    }

    /// Runs SQL with the database's own client.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let (ok, text) = self.try_sql(sql);
        assert!(ok, "{sql}: {text}");
        text
    }

    fn try_sql(&self, sql: &str) -> (bool, String) {
        let mut words = self.client.clone();
        words.push(sql.to_owned());
        run(&words)
    }

    /// Kills the server as a power cut would.
    pub(crate) fn kill(&self) {
        self.signal("KILL");
        let mut running = self.running.lock().expect("no test has panicked in here");
        fs::write(self.dir.join("keep"), "").expect("the directory is there");
        drop(running.keeper.stdin.take());
        running.keeper.wait().expect("the keeper ends");
        fs::remove_file(self.dir.join("keep")).expect("the file is there");
    }

    /// Starts it again after [`Server::kill`].
    pub(crate) fn restart(&self) {
        *self.running.lock().expect("no test has panicked in here") =
            Running::start(&self.dir, &self.command);
        self.wait_until_ready();
    }

    /// Sends a signal to the server and its processes.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self
            .running
            .lock()
            .expect("no test has panicked in here")
            .pid
            .clone();
        let (_, children) = run(&words(&["ps", "-o", "pid=", "--ppid", &pid]));
        let mut command = words(&["kill", &format!("-{signal}"), &pid]);
        command.extend(children.split_whitespace().map(str::to_owned));
        run(&command);
    }

    fn wait_until_ready(&self) {
        let start = Instant::now();
        loop {
            let (ok, text) = self.try_sql("SELECT 1");
            if ok {
                return;
            }
            let log = || fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{text}\n{}",
                log()
            );
            sleep(Duration::from_millis(50));
        }
    }
}

impl Running {
    fn start(dir: &std::path::Path, command: &[String]) -> Self {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .arg(dir)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let mut pid = String::new();
        let output = keeper.stdout.take().expect("it was asked for");
        BufReader::new(output)
            .read_line(&mut pid)
            .expect("the keeper says the process");
        Self {
            keeper,
            pid: pid.trim().to_owned(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(running) = self.running.get_mut() {
            drop(running.keeper.stdin.take());
            let _ = running.keeper.wait();
        }
    }
}

fn directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("carafe-sqlx-{}-{count}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    fs::create_dir(&dir).expect("the directory is new");
    if is_root() {
        let dir = dir.to_string_lossy();
        assert!(run(&words(&["chown", NOBODY, &dir])).0);
    }
    dir
}

/// A server refuses to run as root, and should.
fn unprivileged(command: &[String]) -> Vec<String> {
    let prefix: &[&str] = if is_root() {
        &[
            "setpriv",
            "--reuid",
            NOBODY,
            "--regid",
            NOBODY,
            "--clear-groups",
            "--",
        ]
    } else {
        &[]
    };
    words(prefix)
        .into_iter()
        .chain(command.iter().cloned())
        .collect()
}

fn is_root() -> bool {
    run(&words(&["id", "-u"])).1.trim() == "0"
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Whether a command went well, and what it has said.
fn run(command: &[String]) -> (bool, String) {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", command[0]));
    let said = [
        output.stdout,
        if output.status.success() {
            Vec::new()
        } else {
            output.stderr
        },
    ];
    (
        output.status.success(),
        String::from_utf8_lossy(&said.concat()).into_owned(),
    )
}
