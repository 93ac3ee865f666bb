//! A `redis-server`.

use std::{fs, path::PathBuf};

use crate::{
    free_port,
    keeper::{Keeper, directory},
    shell::{run, words},
};

/// A private `redis-server` or sentinel without persistence.
pub struct Redis {
    keeper: Keeper,
    port: u16,
}

impl Redis {
    /// Starts a server.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts a server with further arguments, such as `["--cluster-enabled", "yes"]`.
    #[must_use]
    pub fn with(arguments: &[&str]) -> Self {
        let (dir, port) = (directory("redis"), free_port());
        let (place, number) = (dir.display().to_string(), port.to_string());
        let socket = dir.join("s").display().to_string();
        let mut command = words(&[&program(), "--save", "", "--appendonly", "no"]);
        command.extend(words(&["--bind", "127.0.0.1", "--port", &number]));
        command.extend(words(&["--dir", &place, "--unixsocket", &socket]));
        command.extend(words(arguments));
        Self::run(dir, port, command)
    }

    /// Starts a sentinel that monitors a primary as `carafe`.
    ///
    /// Its quorum is one, and its timeout is short.
    #[must_use]
    pub fn sentinel(primary: u16) -> Self {
        let (dir, port) = (directory("redis"), free_port());
        let config = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\n\
             sentinel monitor carafe 127.0.0.1 {primary} 1\n\
             sentinel down-after-milliseconds carafe 500\n\
             sentinel failover-timeout carafe 5000\n",
            dir.display()
        );
        let file = dir.join("sentinel.conf");
        fs::write(&file, config).expect("a file");
        let file = file.display().to_string();
        Self::run(dir, port, words(&[&program(), &file, "--sentinel"]))
    }

    fn run(dir: PathBuf, port: u16, command: Vec<String>) -> Self {
        let keeper = Keeper::start(dir, command);
        let server = Self { keeper, port };
        server.wait_until_it_answers();
        server
    }

    fn wait_until_it_answers(&self) {
        self.keeper.wait_until(|| match self.cli(&["PING"]) {
            said if said == "PONG" => Ok(()),
            said => Err(said),
        });
    }

    /// Returns the URL of the Unix socket.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.keeper.dir().join("s").display())
    }

    /// Returns the URL of the TCP port.
    #[must_use]
    pub fn tcp_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Returns the TCP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Runs a command with `redis-cli` and returns its output.
    #[allow(clippy::must_use_candidate, reason = "most callers want what it does")]
    pub fn cli(&self, command: &[&str]) -> String {
        let mut all = words(&["redis-cli", "-p", &self.port.to_string()]);
        all.extend(words(command));
        run(&all).1.trim().to_owned()
    }

    /// Sends a signal such as `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        self.keeper.signal(name);
    }

    /// Kills the server; returns after the process has exited.
    pub fn kill(&self) {
        self.keeper.kill();
        let _ = fs::remove_file(self.keeper.dir().join("s"));
    }

    /// Starts the server again after [`Redis::kill`], empty and on the same port.
    pub fn restart(&self) {
        self.keeper.restart();
        self.wait_until_it_answers();
    }

    /// Returns the number of calls of each command, from `INFO commandstats`.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, u64)> {
        let stats = self.cli(&["INFO", "commandstats"]);
        let lines = stats.lines().filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = rest.strip_prefix("calls=")?.split(',').next()?;
            Some((name.to_owned(), calls.parse().ok()?))
        });
        lines.collect()
    }
}

/// Returns the server program: `CARAFE_REDIS_SERVER`, such as `valkey-server`, or `redis-server`.
fn program() -> String {
    std::env::var("CARAFE_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}
