//! One `redis-server` of a test's own, gone with it.
//!
//! A shell between the test and the server waits for the test's end of a pipe to close, which happens
//! however the test ends, and then kills the server and removes its directory.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

const NURSE: &str = r#"
dir=$1; shift
"$@" >"$dir/log" 2>&1 &
server=$!
echo $server
read -r wish
[ "$wish" = keep ] || rm -rf "$dir"
kill -KILL $server 2>/dev/null
"#;

pub(crate) struct Server {
    nurse: Child,
    pid: u32,
    dir: PathBuf,
    port: u16,
    arguments: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With further arguments.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        let (dir, port) = (Self::new_dir(), free_port());
        let mut all: Vec<String> = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"]
            .map(str::to_owned)
            .into();
        all.extend(["--port".to_owned(), port.to_string()]);
        all.extend(["--dir".to_owned(), dir.display().to_string()]);
        all.extend([
            "--unixsocket".to_owned(),
            dir.join("s").display().to_string(),
        ]);
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        Self::run(dir, port, all)
    }

    /// A sentinel that watches a primary under the name `carafe`, and decides alone and soon.
    pub(crate) fn sentinel(primary: u16) -> Self {
        let (dir, port) = (Self::new_dir(), free_port());
        let config = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor carafe 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds carafe 500\n\
             sentinel failover-timeout carafe 5000\n",
            dir.display()
        );
        let file = dir.join("sentinel.conf");
        std::fs::write(&file, config).expect("a file");
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        Self::run(dir, port, arguments)
    }

    fn new_dir() -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("carafe-redis-{}-{count}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&dir).expect("a temporary directory");
        dir
    }

    fn run(dir: PathBuf, port: u16, arguments: Vec<String>) -> Self {
        let installed = Command::new("redis-server").arg("--version").output();
        assert!(
            installed.is_ok(),
            "redis-server is not installed: apt-get install redis-server"
        );
        let mut nurse = Command::new("sh")
            .args(["-c", NURSE, "nurse"])
            .arg(&dir)
            .arg("redis-server")
            .args(&arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut pid = String::new();
        let output = nurse.stdout.as_mut().expect("it is piped");
        BufReader::new(output)
            .read_line(&mut pid)
            .expect("the shell names the server");
        let pid = pid.trim().parse().expect("a process id");
        let server = Self {
            nurse,
            pid,
            dir,
            port,
            arguments,
        };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&self) {
        let began = Instant::now();
        while self.try_cli(&["PING"]).as_deref() != Some("PONG") {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "redis-server does not answer: {}",
                std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// By its Unix socket.
    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.dir.join("s").display())
    }

    pub(crate) fn tcp_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What `redis-cli` says.
    pub(crate) fn cli(&self, command: &[&str]) -> String {
        self.try_cli(command).expect("redis-cli works")
    }

    fn try_cli(&self, command: &[&str]) -> Option<String> {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string()])
            .args(command)
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.pid.to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Killed, and started again at the same place, empty.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        let _ = std::fs::remove_file(self.dir.join("s"));
    }

    pub(crate) fn start_again(&mut self) {
        use std::io::Write as _;
        if let Some(mut pipe) = self.nurse.stdin.take() {
            let _ = pipe.write_all(b"keep\n");
        }
        let _ = self.nurse.wait();
        *self = Self::run(self.dir.clone(), self.port, self.arguments.clone());
    }

    /// How often each command ran, by `INFO commandstats`.
    pub(crate) fn calls(&self) -> Vec<(String, u64)> {
        let stats = self.cli(&["INFO", "commandstats"]);
        let lines = stats.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = rest.strip_prefix("calls=")?.split(',').next()?;
            Some((name.to_owned(), calls.parse().ok()?))
        });
        lines.collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closes the pipe.
        drop(self.nurse.stdin.take());
        let _ = self.nurse.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
