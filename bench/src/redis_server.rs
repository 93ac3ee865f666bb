//! A private `redis-server`, which stops with this process however it exits.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::harness::Outcome;

/// Stops the server as soon as the other end of its input is closed.
const NURSE: &str = r#"redis-server "$@" >/dev/null 2>&1 & read -r _; kill -KILL $!"#;

pub(crate) struct RedisServer {
    nurse: Child,
    port: u16,
    _folder: TempDir,
}

impl RedisServer {
    /// Starts a server without persistence on a free port.
    pub(crate) fn start() -> Outcome<Self> {
        if Command::new("redis-server")
            .arg("--version")
            .output()
            .is_err()
        {
            return Err("redis-server is not installed: apt-get install redis-server".into());
        }
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let nurse = Command::new("sh")
            .args(["-c", NURSE, "nurse", "--save", "", "--appendonly", "no"])
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .spawn()?;
        let server = Self {
            nurse,
            port,
            _folder: folder,
        };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    fn wait_until_it_answers(&self) -> Outcome {
        let begin = Instant::now();
        while self.ask("PING").is_err() {
            if begin.elapsed() > Duration::from_secs(20) {
                return Err("redis-server does not answer".into());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn version(&self) -> Outcome<String> {
        self.field("server", "redis_version")
    }

    /// Returns the CPU time of the server, in nanoseconds.
    pub(crate) fn cpu_nanoseconds(&self) -> Outcome<f64> {
        let (user, system) = (
            self.field("cpu", "used_cpu_user")?.parse::<f64>()?,
            self.field("cpu", "used_cpu_sys")?.parse::<f64>()?,
        );
        Ok((user + system) * 1e9)
    }

    fn field(&self, section: &str, name: &str) -> Outcome<String> {
        let text = self.ask(&format!("INFO {section}"))?;
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Ok(value.ok_or("redis-server's INFO lacks a field")?.to_owned())
    }

    /// Returns the reply to a command with a reply of one line or one text.
    fn ask(&self, command: &str) -> Outcome<String> {
        let mut lines = self.speak(command)?;
        let first = read_line(&mut lines)?;
        let Some(length) = first.strip_prefix('$') else {
            return Ok(first);
        };
        let mut text = vec![0; length.parse()?];
        std::io::Read::read_exact(&mut lines, &mut text)?;
        Ok(String::from_utf8(text)?)
    }

    /// Records the commands that clients and their scripts run until [`Watch::commands`] is called.
    pub(crate) fn watch(&self) -> Outcome<Watch<'_>> {
        let mut lines = self.speak("MONITOR")?;
        match read_line(&mut lines)?.as_str() {
            "+OK" => Ok(Watch {
                server: self,
                lines,
            }),
            other => Err(other.into()),
        }
    }

    fn speak(&self, command: &str) -> Outcome<BufReader<TcpStream>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(format!("{command}\r\n").as_bytes())?;
        Ok(BufReader::new(stream))
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Closes its input, upon which the nurse stops the server.
        drop(self.nurse.stdin.take());
        let _ = self.nurse.wait();
    }
}

/// The commands that the server receives, by `MONITOR`.
///
/// No other command of Redis distinguishes a client's commands from those of a script.
pub(crate) struct Watch<'s> {
    server: &'s RedisServer,
    lines: BufReader<TcpStream>,
}

/// Names of commands, in order.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    pub(crate) of_clients: Vec<String>,
    pub(crate) of_scripts: Vec<String>,
}

impl Watch<'_> {
    pub(crate) fn commands(mut self) -> Outcome<Commands> {
        const END: &str = "the-watch-ends-here";
        self.server.ask(&format!("ECHO {END}"))?;
        let mut commands = Commands::default();
        loop {
            // `+1700000000.123456 [0 127.0.0.1:5000] "GET" "key"`, with `lua` instead of an
            // address.
            let line = read_line(&mut self.lines)?;
            if line.contains(END) {
                return Ok(commands);
            }
            let (head, rest) = line
                .split_once("] \"")
                .ok_or("MONITOR says something else")?;
            let name = rest.split('"').next().unwrap_or_default().to_uppercase();
            match head.ends_with("lua") {
                true => commands.of_scripts.push(name),
                false => commands.of_clients.push(name),
            }
        }
    }
}

fn read_line(lines: &mut BufReader<TcpStream>) -> Outcome<String> {
    let mut line = String::new();
    if lines.read_line(&mut line)? == 0 {
        return Err("redis-server has hung up".into());
    }
    Ok(line.trim_end().to_owned())
}
