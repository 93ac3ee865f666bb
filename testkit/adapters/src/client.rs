//! An HTTP/1.1 client over a socket, which shows the bytes on the wire.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{site::At, via::Translation};

/// A response. The status is 0 if the server closed the connection without one.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order of the wire.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    fn parse(bytes: &[u8], translation: Translation) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1));
        let headers = lines.filter_map(|line| line.split_once(':'));
        let mut headers: Vec<_> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        translation.response(&mut headers);
        Self {
            status: status.map_or(0, |status| status.parse().unwrap()),
            headers,
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

    /// Returns the value of the only `Set-Cookie` header.
    #[must_use]
    pub fn cookie(&self) -> &str {
        let pair = self.pair().unwrap();
        pair.split_once('=').unwrap().1
    }

    /// Returns `name=value` of the only `Set-Cookie` header; `None` without one.
    #[must_use]
    pub fn pair(&self) -> Option<&str> {
        match self.set_cookies()[..] {
            [] => None,
            [only] => only.split(';').next(),
            ref more => panic!("{more:?}"),
        }
    }

    /// Removes the differences between equivalent responses.
    ///
    /// These are the date, and the order of headers with different names, which some frameworks do
    /// not define.
    #[must_use]
    pub fn comparable(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "date");
        self.headers.sort_by(|(one, _), (other, _)| one.cmp(other));
        self
    }
}

impl At {
    /// Sends a request and reads until the server closes the connection.
    ///
    /// `line` is the request's method and path, such as `GET /`.
    #[must_use]
    pub fn ask(&self, line: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask_with(line, headers, "")
    }

    /// Like [`At::ask`], with a body.
    #[must_use]
    pub fn ask_with(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = connect(self.address);
        self.send(&mut stream, line, headers, body);
        let mut answer = Vec::new();
        // A reset also terminates a response.
        let _ = stream.read_to_end(&mut answer);
        Answer::parse(&answer, self.translation)
    }

    /// Sends a GET request with this `Cookie` header, unless it is empty.
    #[must_use]
    pub fn get(&self, path: &str, cookie: &str) -> Answer {
        let header = [("Cookie", cookie)];
        let headers = if cookie.is_empty() { &[] } else { &header[..] };
        self.ask(&format!("GET {path}"), headers)
    }

    /// Sends a GET request without waiting for the response; drop the connection to disconnect.
    #[must_use]
    pub fn begin(&self, path: &str, cookie: &str) -> TcpStream {
        let mut stream = connect(self.address);
        self.send(
            &mut stream,
            &format!("GET {path}"),
            &[("Cookie", cookie)],
            "",
        );
        stream
    }

    /// Sends a GET request and reads its body chunk by chunk, as the server sends it.
    #[must_use]
    pub fn follow(&self, path: &str, cookie: &str) -> Stream {
        let mut reader = BufReader::new(self.begin(path, cookie));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
        }
        let head = Answer::parse(head.as_bytes(), self.translation);
        assert_eq!(head.all("transfer-encoding"), ["chunked"], "{head:?}");
        Stream { head, reader }
    }
}

/// A response that the server has not completed.
pub struct Stream {
    /// The response without its body.
    pub head: Answer,
    reader: BufReader<TcpStream>,
}

impl Stream {
    /// Returns the next chunk (RFC 9112 §7.1); `None` after the last one.
    #[must_use]
    pub fn chunk(&mut self) -> Option<String> {
        let mut size = String::new();
        self.reader.read_line(&mut size).unwrap();
        let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
        let mut chunk = vec![0; size + "\r\n".len()];
        self.reader.read_exact(&mut chunk).unwrap();
        chunk.truncate(size);
        (size > 0).then(|| String::from_utf8(chunk).unwrap())
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

impl At {
    fn send(&self, stream: &mut TcpStream, line: &str, headers: &[(&str, &str)], body: &str) {
        let mut request = format!("{line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        for (name, value) in headers {
            for (name, value) in self.translation.request(name, value) {
                request.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(body);
        stream.write_all(request.as_bytes()).unwrap();
    }
}

/// A browser: it stores and sends cookies.
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
