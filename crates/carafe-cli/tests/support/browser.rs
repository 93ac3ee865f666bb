//! A very small browser: one connection a request, a cookie jar, forms, no redirects of its own. It stands before
//! the demo, and before the console (`support::console`).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

/// A running demo, or another server of the program, and a browser in front of it. Ends the server when dropped.
pub(crate) struct Demo {
    child: Child,
    // Kept open, so that the demo can write.
    _out: BufReader<ChildStdout>,
    /// The demo's private directory is made in here: a process that is killed leaves it behind.
    temporary: TempDir,
    pub(crate) host: String,
    /// Its first line.
    pub(crate) greeting: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// A response.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Starts the demo on a free port.
pub(crate) fn start() -> Demo {
    start_with(&[])
}

/// Starts it with this environment.
pub(crate) fn start_with(env: &[(&str, &str)]) -> Demo {
    start_as(env, &[])
}

/// Starts it with this environment and these further arguments.
pub(crate) fn start_as(env: &[(&str, &str)], args: &[&str]) -> Demo {
    let temporary = TempDir::new().unwrap();
    let mut command = super::carafe();
    let command = command
        .env("TMPDIR", temporary.path())
        .envs(env.iter().copied())
        .args(["demo", "--listen", "127.0.0.1:0"])
        .args(args);
    serving(command, temporary)
}

/// Starts a server of the program, which says where it listens in its first line.
pub(crate) fn serving(command: &mut Command, temporary: TempDir) -> Demo {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let (_, rest) = line
        .split_once("http://")
        .unwrap_or_else(|| panic!("no address in {line:?}"));
    let host = rest.split([' ', '/']).next().unwrap().to_owned();
    Demo {
        child,
        _out: out,
        temporary,
        host,
        greeting: line,
        cookies: BTreeMap::new(),
    }
}

impl Demo {
    /// Changes over to another browser in front of the same demo; its cookies are in `other`, and then these are.
    pub(crate) fn switch(&mut self, other: &mut BTreeMap<String, String>) {
        std::mem::swap(&mut self.cookies, other);
    }

    /// Where the demo makes its private directory.
    pub(crate) fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Asks the demo to end, as Ctrl+C does, and waits until it has; its exit code.
    #[cfg(unix)]
    pub(crate) fn interrupt(&mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        // The shell's own `kill`: the program is not on every machine.
        let kill = Command::new("sh")
            .args(["-c", "kill -INT \"$1\"", "sh", &pid])
            .status();
        assert!(kill.unwrap().success());
        self.child.wait().unwrap().code()
    }

    pub(crate) fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "", &[])
    }

    /// The page, as it looks now.
    pub(crate) fn page(&mut self) -> String {
        let page = self.get("/");
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(path, fields, &[("Sec-Fetch-Site", "same-origin")])
    }

    pub(crate) fn post_with(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Page {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encoded(value)))
            .collect();
        self.send("POST", path, &fields.join("&"), headers)
    }

    /// A form that does what it should: a redirect to the page, which is the result.
    pub(crate) fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let page = self.post(path, fields);
        assert_eq!(page.status, 303, "{}", page.body);
        let way = path.split('/').nth(1).unwrap();
        assert_eq!(page.header("location"), Some(format!("/#{way}").as_str()));
        self.page()
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut text = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            write!(text, "Cookie: {}\r\n", cookies.join("; ")).unwrap();
        }
        if !headers.iter().any(|(name, _)| *name == "Host") {
            write!(text, "Host: {}\r\n", self.host).unwrap();
        }
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        let form = "Content-Type: application/x-www-form-urlencoded";
        write!(
            text,
            "{form}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut stream = TcpStream::connect(&self.host).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let page = Page::parse(&answer);
        page.headers("set-cookie").for_each(|line| self.keep(line));
        page
    }

    fn keep(&mut self, set_cookie: &str) {
        let (name, rest) = set_cookie.split_once('=').unwrap();
        let value = rest.split(';').next().unwrap();
        match value {
            "" => self.cookies.remove(name),
            _ => self.cookies.insert(name.to_owned(), value.to_owned()),
        };
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page {
    fn parse(answer: &str) -> Self {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }
}

pub(crate) fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
