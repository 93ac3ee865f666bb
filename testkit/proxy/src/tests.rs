//! Tests of the proxy with a server that echoes each line.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use crate::{Fault, Proxy};

/// Replies to `line` with `(line)`.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            thread::spawn(move || answer(&client));
        }
    });
    port
}

fn answer(mut client: &TcpStream) {
    for line in BufReader::new(client).lines() {
        let Ok(line) = line else { return };
        if client.write_all(format!("({line})\n").as_bytes()).is_err() {
            return;
        }
    }
}

struct Client(BufReader<TcpStream>);

impl Client {
    fn of(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", proxy.port())).expect("it connects");
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("a socket can");
        Self(BufReader::new(stream))
    }

    fn send(&mut self, line: &str) {
        let line = format!("{line}\n");
        self.0.get_mut().write_all(line.as_bytes()).expect("sent");
    }

    fn hears(&mut self) -> Result<String, ErrorKind> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => Err(ErrorKind::UnexpectedEof),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(error.kind()),
        }
    }

    fn asks(&mut self, line: &str) -> Result<String, ErrorKind> {
        self.send(line);
        self.hears()
    }

    /// Returns whether no byte arrives for a while.
    fn waits(&mut self) -> bool {
        let set = |time| self.0.get_ref().set_read_timeout(Some(time));
        set(Duration::from_millis(200)).expect("a socket can");
        let waits = matches!(
            self.0.get_mut().peek(&mut [0]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        );
        let set = |time| self.0.get_ref().set_read_timeout(Some(time));
        set(Duration::from_secs(20)).expect("a socket can");
        waits
    }
}

#[test]
fn it_forwards_and_counts() {
    let proxy = Proxy::to(server());
    let mut client = Client::of(&proxy);
    assert_eq!(client.asks("a"), Ok("(a)".to_owned()));
    assert_eq!(client.asks("b"), Ok("(b)".to_owned()));
    assert_eq!((proxy.connections(), proxy.replies()), (1, 2));
}

#[test]
fn it_refuses_and_is_back_at_the_same_port() {
    let proxy = Proxy::to(server());
    let mut client = Client::of(&proxy);
    assert_eq!(client.asks("a"), Ok("(a)".to_owned()));
    proxy.set(Fault::Refuse);
    assert!(client.hears().is_err(), "what was connected is reset");
    let refused = || TcpStream::connect(("127.0.0.1", proxy.port())).is_err();
    while !refused() {
        thread::yield_now();
    }
    proxy.set(Fault::None);
    while refused() {
        thread::yield_now();
    }
    assert_eq!(Client::of(&proxy).asks("b"), Ok("(b)".to_owned()));
}

#[test]
fn a_black_hole_holds_what_it_gets() {
    let proxy = Proxy::to(server());
    let mut client = Client::of(&proxy);
    assert_eq!(client.asks("a"), Ok("(a)".to_owned()));
    proxy.set(Fault::Blackhole);
    client.send("b");
    let mut other = Client::of(&proxy);
    other.send("c");
    assert!(client.waits() && other.waits());
    proxy.set(Fault::None);
    assert_eq!(client.hears(), Ok("(b)".to_owned()));
    assert_eq!(other.hears(), Ok("(c)".to_owned()));
}

#[test]
fn it_cuts_what_is_connected_and_nothing_else() {
    let proxy = Proxy::to(server());
    let mut clients = [Client::of(&proxy), Client::of(&proxy)];
    for client in &mut clients {
        assert_eq!(client.asks("a"), Ok("(a)".to_owned()));
    }
    proxy.cut();
    for client in &mut clients {
        assert_eq!(client.hears(), Err(ErrorKind::ConnectionReset));
    }
    assert_eq!(Client::of(&proxy).asks("b"), Ok("(b)".to_owned()));
}

#[test]
fn one_reply_is_met_and_the_next_is_not() {
    let proxy = Proxy::to(server());
    let mut client = Client::of(&proxy);
    proxy.at_reply(2, Fault::Corrupt { at: 1, mask: 0x03 });
    let said: Vec<_> = ["a", "a", "a"].map(|line| client.asks(line)).into();
    let expected = ["(a)", "(b)", "(a)"].map(|line| Ok(line.to_owned()));
    assert_eq!(said, expected);
    proxy.at_reply(2, Fault::Drop);
    assert_eq!(client.asks("a"), Ok("(a)".to_owned()));
    assert_eq!(client.asks("a"), Err(ErrorKind::ConnectionReset));
}

#[test]
fn a_truncated_reply_ends_where_it_should() {
    let proxy = Proxy::to(server());
    for most in 0..9 {
        let mut client = Client::of(&proxy);
        proxy.at_reply(1, Fault::Truncate(most));
        client.send("abcdefghij");
        let mut said = String::new();
        client.0.read_to_string(&mut said).expect("it ends");
        assert_eq!(said, "(abcdefghij)\n"[..most]);
    }
}

#[test]
fn a_delayed_reply_comes() {
    let proxy = Proxy::to(server());
    let mut client = Client::of(&proxy);
    proxy.set(Fault::Delay(Duration::from_millis(400)));
    client.send("a");
    assert!(client.waits());
    assert_eq!(client.hears(), Ok("(a)".to_owned()));
}

#[test]
fn two_replies_are_swapped_and_a_single_one_is_not() {
    let proxy = Proxy::to(server());
    let (mut one, mut two) = (Client::of(&proxy), Client::of(&proxy));
    proxy.set(Fault::Swap);
    assert_eq!(one.asks("a"), Ok("(a)".to_owned()), "nobody to swap with");
    assert_eq!(proxy.swapped(), 0);
    // Both replies must arrive within the swap timeout; on a slow machine, the requests are
    // repeated.
    while proxy.swapped() == 0 {
        one.send("one");
        two.send("two");
        let said = (one.hears(), two.hears());
        let words = |a: &str, b: &str| (Ok(a.to_owned()), Ok(b.to_owned()));
        assert!(said == words("(two)", "(one)") || said == words("(one)", "(two)"));
        if proxy.swapped() > 0 {
            assert_eq!(said, words("(two)", "(one)"));
        }
    }
}
