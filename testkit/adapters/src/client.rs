//! HTTP/1.1 over a socket: what really went over the wire.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::site::At;

/// What came back. The status is 0 if nothing did.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// Names in small letters, in the order of the wire.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            status: status.map_or(0, |status| status.parse().unwrap()),
            headers: headers
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    #[must_use]
    pub fn all(&self, name: &str) -> Vec<&str> {
        let values = self.headers.iter().filter(|(known, _)| known == name);
        values.map(|(_, value)| value.as_str()).collect()
    }

    #[must_use]
    pub fn set_cookies(&self) -> Vec<&str> {
        self.all("set-cookie")
    }

    #[must_use]
    pub fn vary(&self) -> Vec<&str> {
        self.all("vary")
    }

    /// The value of the only `Set-Cookie` there is.
    #[must_use]
    pub fn cookie(&self) -> &str {
        let pair = self.pair().unwrap();
        pair.split_once('=').unwrap().1
    }

    /// `name=value` of the only `Set-Cookie` there is, if there is one.
    #[must_use]
    pub fn pair(&self) -> Option<&str> {
        match self.set_cookies()[..] {
            [] => None,
            [only] => only.split(';').next(),
            ref more => panic!("{more:?}"),
        }
    }

    /// What two answers of one meaning have in common: not the time, nor the order of headers of different names,
    /// which some frameworks leave to chance.
    #[must_use]
    pub fn comparable(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "date");
        self.headers.sort_by(|(one, _), (other, _)| one.cmp(other));
        self
    }
}

impl At {
    /// Sends `line`, such as `GET /`, with these header lines, and reads until the server closes.
    #[must_use]
    pub fn ask(&self, line: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask_with(line, headers, "")
    }

    /// The same with a body.
    #[must_use]
    pub fn ask_with(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = connect(self.0);
        send(&mut stream, line, headers, body);
        let mut answer = Vec::new();
        // A reset is the end of an answer, too.
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer)
    }

    /// A GET with this `Cookie` header; none if it is empty.
    #[must_use]
    pub fn get(&self, path: &str, cookie: &str) -> Answer {
        let header = [("Cookie", cookie)];
        let headers = if cookie.is_empty() { &[] } else { &header[..] };
        self.ask(&format!("GET {path}"), headers)
    }

    /// A GET whose client does not wait: the connection, to be dropped.
    #[must_use]
    pub fn begin(&self, path: &str, cookie: &str) -> TcpStream {
        let mut stream = connect(self.0);
        send(
            &mut stream,
            &format!("GET {path}"),
            &[("Cookie", cookie)],
            "",
        );
        stream
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

fn send(stream: &mut TcpStream, line: &str, headers: &[(&str, &str)], body: &str) {
    let mut request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).unwrap();
}

/// A browser: keeps cookies, sends them back, remembers nothing else.
#[derive(Default)]
pub struct Browser(Vec<(String, String)>);

impl Browser {
    pub fn get(&mut self, server: &At, path: &str) -> Answer {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = server.get(path, &pairs.join("; "));
        for cookie in answer.set_cookies() {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap().to_owned();
            self.0.retain(|(known, _)| known != name);
            if !cookie.contains("Max-Age=0") {
                self.0.push((name.to_owned(), value));
            }
        }
        answer
    }

    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }
}
