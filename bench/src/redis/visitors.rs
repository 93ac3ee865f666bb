//! Browsers with one persistent connection and one session each.

use std::str;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::harness::Outcome;

/// Number of concurrent visitors.
const VISITORS: u32 = 32;

pub(super) struct Visitors(Vec<Visitor>);

pub(super) struct Visitor {
    stream: TcpStream,
    cookie: Option<String>,
    /// Response bytes that have been read.
    read: Vec<u8>,
}

impl Visitors {
    /// Connects the visitors and starts their sessions.
    pub(super) async fn arrive(port: u16) -> Outcome<Self> {
        let mut visitors = Vec::new();
        for browser in 0..VISITORS {
            let mut visitor = Visitor::connected(port).await?;
            visitor.ask(&format!("/start/{browser}/40"), false).await?;
            visitors.push(visitor);
        }
        Ok(Self(visitors))
    }

    /// Sends the given number of requests, distributed over all visitors.
    pub(super) async fn ask(
        &mut self,
        path: &'static str,
        with_cookie: bool,
        requests: usize,
    ) -> Outcome {
        let each = requests / self.0.len();
        let mut tasks = JoinSet::new();
        for mut visitor in self.0.drain(..) {
            tasks.spawn(async move {
                for _ in 0..each {
                    visitor.ask(path, with_cookie).await?;
                }
                Ok::<_, String>(visitor)
            });
        }
        while let Some(visitor) = tasks.join_next().await {
            self.0.push(visitor??);
        }
        Ok(())
    }

    /// Returns one of the visitors.
    pub(super) fn one(&mut self) -> &mut Visitor {
        &mut self.0[0]
    }
}

impl Visitor {
    async fn connected(port: u16) -> Outcome<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            cookie: None,
            read: Vec::new(),
        })
    }

    /// Sends one request and expects 200; stores the cookie of the response.
    pub(super) async fn ask(&mut self, path: &str, with_cookie: bool) -> Result<(), String> {
        let mut request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n");
        if let Some(cookie) = self.cookie.as_ref().filter(|_| with_cookie) {
            request.push_str("Cookie: ");
            request.push_str(cookie);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        let written = self.stream.write_all(request.as_bytes()).await;
        written.map_err(|why| why.to_string())?;
        let head = self.answer().await?;
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(format!("{path} was answered with {head}"));
        }
        if let Some(set) = field(&head, "set-cookie") {
            self.cookie = set.split(';').next().map(str::to_owned);
        }
        Ok(())
    }

    /// Returns the head of the next response. The body is read and dropped.
    async fn answer(&mut self) -> Result<String, String> {
        loop {
            if let Some(at) = position(&self.read, b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.read[..at]).into_owned();
                let length = field(&head, "content-length").and_then(|text| text.parse().ok());
                let end = at + 4 + length.unwrap_or(0);
                if self.read.len() >= end {
                    self.read.drain(..end);
                    return Ok(head);
                }
            }
            match self.stream.read_buf(&mut self.read).await {
                Ok(0) => return Err("the server has hung up".to_owned()),
                Ok(_) => {}
                Err(why) => return Err(why.to_string()),
            }
        }
    }
}

/// Returns the value of a field; hyper writes names in lower case.
fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut lines = head.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}
