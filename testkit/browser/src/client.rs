//! [`Client`]: an HTTP client that keeps cookies and sends forms. It opens one connection per
//! request and follows no redirects.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use tempfile::TempDir;

/// A client with a cookie jar. Kills the server that it started when dropped.
pub struct Client {
    server: Option<Server>,
    /// The address of the server, such as `127.0.0.1:5000`.
    pub host: String,
    /// The first line that the server printed.
    pub greeting: String,
    /// The cookies by name.
    pub cookies: BTreeMap<String, String>,
}

/// A server process.
struct Server {
    child: Child,
    // Kept open, so that the server can write.
    _out: BufReader<ChildStdout>,
    temporary: TempDir,
}

/// A response.
pub struct Page {
    /// The status code.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Client {
    /// Returns a client for a server that is already running.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            server: None,
            host: host.into(),
            greeting: String::new(),
            cookies: BTreeMap::new(),
        }
    }

    /// Starts a server that prints its address in its first line. `temporary` is removed after the
    /// server.
    pub fn serving(command: &mut Command, temporary: TempDir) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let (_, rest) = line
            .split_once("http://")
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        let host = rest.split([' ', '/']).next().unwrap().to_owned();
        let server = Server {
            child,
            _out: out,
            temporary,
        };
        Self {
            server: Some(server),
            greeting: line,
            ..Self::new(host)
        }
    }

    /// Swaps the cookies with those of another browser.
    pub fn switch(&mut self, other: &mut BTreeMap<String, String>) {
        std::mem::swap(&mut self.cookies, other);
    }

    /// Returns the temporary directory of the server.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        self.server.as_ref().unwrap().temporary.path()
    }

    /// Sends the server an interrupt, as Ctrl+C does, and waits for its exit code.
    #[cfg(unix)]
    pub fn interrupt(&mut self) -> Option<i32> {
        let child = &mut self.server.as_mut().unwrap().child;
        let pid = child.id().to_string();
        // The shell's built-in `kill`, because the program is not on every machine.
        let kill = Command::new("sh")
            .args(["-c", "kill -INT \"$1\"", "sh", &pid])
            .status();
        assert!(kill.unwrap().success());
        child.wait().unwrap().code()
    }

    /// Requests a page.
    pub fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "", &[])
    }

    /// Requests `/` and returns its HTML.
    pub fn page(&mut self) -> String {
        let page = self.get("/");
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
    }

    /// Sends a form as a page of the same site does.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.post_with(path, fields, &[("Sec-Fetch-Site", "same-origin")])
    }

    /// Sends a form with these headers.
    pub fn post_with(
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

    /// Sends a form that redirects to an anchor of `/`, and returns the page.
    pub fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let page = self.post(path, fields);
        assert_eq!(page.status, 303, "{}", page.body);
        let way = path.split('/').nth(1).unwrap();
        assert_eq!(page.header("location"), Some(format!("/#{way}").as_str()));
        self.page()
    }

    /// Sends a request.
    pub fn send(&mut self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Page {
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

impl Drop for Server {
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

    /// Returns the values of a header.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Returns the first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }
}

/// Percent-encodes each byte of a form's value.
#[must_use]
pub fn encoded(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
