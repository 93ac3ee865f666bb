//! One `redis-server`.

use std::{fs, path::PathBuf};

use crate::{
    free_port,
    keeper::{Keeper, directory},
    shell::{run, words},
};

/// A `redis-server` or a sentinel of a test's own, which keeps nothing on disk.
pub struct Redis {
    keeper: Keeper,
    port: u16,
}

impl Redis {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts one with further arguments, such as `["--cluster-enabled", "yes"]`.
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

    /// A sentinel that watches a primary under the name `carafe`, and decides alone and soon.
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

    /// Its Unix socket.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.keeper.dir().join("s").display())
    }

    /// Its port as a URL.
    #[must_use]
    pub fn tcp_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// What `redis-cli` says.
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

    /// Kills it; it is gone when this returns.
    pub fn kill(&self) {
        self.keeper.kill();
        let _ = fs::remove_file(self.keeper.dir().join("s"));
    }

    /// Starts it again after [`Redis::kill`], at the same place and empty.
    pub fn restart(&self) {
        self.keeper.restart();
        self.wait_until_it_answers();
    }

    /// How often each command ran, by `INFO commandstats`.
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

/// What runs as a server: `redis-server`, unless `CARAFE_REDIS_SERVER` names another one, such as a `valkey-server`.
fn program() -> String {
    std::env::var("CARAFE_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}
