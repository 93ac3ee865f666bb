//! Memory costs of one Redis operation if the peer is not a Redis server.
//!
//! A server in this file responds with garbage to the command that loads a session.
//! `docs/stores.md` documents the limits that the driver lacks.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use carafe::{
    SessionStore, StoreError, Timestamp,
    store::{Deadlines, StoreKey},
};
use carafe_redis::{RedisOptions, RedisStore};

const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
const MIB: u64 = 1 << 20;
/// The defaults of the store, so that an endless reply is cut off early.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    read: Duration::from_millis(250),
    write: Duration::from_millis(500),
};

/// The server's reply to `GET`: `once`, then `forever` until the client disconnects.
///
/// If `forever` is empty, the server sends nothing more, or disconnects.
#[derive(Clone, Copy)]
struct Rubbish {
    once: &'static [u8],
    forever: &'static [u8],
    hangs_up: bool,
}

const fn once(once: &'static [u8]) -> Rubbish {
    Rubbish {
        once,
        forever: b"",
        hangs_up: false,
    }
}

const fn then(once: &'static [u8], forever: &'static [u8]) -> Rubbish {
    Rubbish {
        once,
        forever,
        hangs_up: false,
    }
}

const fn cut(once: &'static [u8]) -> Rubbish {
    Rubbish {
        once,
        forever: b"",
        hangs_up: true,
    }
}

/// Starts a server that answers every command but `GET` with `OK`, and returns its port.
fn server(rubbish: Rubbish) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming() {
            thread::spawn(move || drop(serve(connection.unwrap(), rubbish)));
        }
    });
    port
}

fn serve(mut connection: TcpStream, rubbish: Rubbish) -> std::io::Result<()> {
    let mut requests = BufReader::new(connection.try_clone()?);
    loop {
        let command = command(&mut requests)?;
        if command != b"GET" {
            connection.write_all(b"+OK\r\n")?;
            continue;
        }
        connection.write_all(rubbish.once)?;
        if rubbish.hangs_up {
            return connection.shutdown(std::net::Shutdown::Both);
        }
        if !rubbish.forever.is_empty() {
            let block = rubbish.forever.repeat(16_384 / rubbish.forever.len());
            // Until the client disconnects.
            while connection.write_all(&block).is_ok() {}
        }
    }
}

/// Reads the next command and returns its name.
fn command(requests: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut name = None;
    for _ in 0..number(requests)? {
        let mut word = vec![0; number(requests)? + 2];
        requests.read_exact(&mut word)?;
        word.truncate(word.len() - 2);
        name.get_or_insert(word);
    }
    Ok(name.unwrap_or_default())
}

fn number(requests: &mut impl BufRead) -> std::io::Result<usize> {
    let mut line = String::new();
    requests.read_line(&mut line)?;
    let digits = line.trim().get(1..).and_then(|digits| digits.parse().ok());
    digits.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

struct Cost {
    answer: Result<bool, StoreError>,
    /// Peak of the bytes allocated.
    bytes: u64,
    took: Duration,
}

/// The protocols that a URL can name. The driver reads the replies of both with one parser.
const PROTOCOLS: [&str; 2] = ["", "?protocol=resp3"];

fn load(rubbish: Rubbish, protocol: &str) -> Cost {
    // One thread, because allocations are counted per thread.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let url = format!("redis://127.0.0.1:{}{protocol}", server(rubbish));
    let options = RedisOptions::new().deadlines(DEADLINES);
    let store: RedisStore = runtime.block_on(options.connect(url)).unwrap();
    let (key, began, mut answer) = (StoreKey::of_id("1"), Instant::now(), None);
    let info = allocation_counter::measure(|| {
        answer = Some(runtime.block_on(store.load(&key, NOW)));
    });
    Cost {
        answer: answer.unwrap().map(|found| found.record().is_some()),
        bytes: info.bytes_max,
        took: began.elapsed(),
    }
}

/// Lengths without content, wrong types and lengths, truncated replies.
const SMALL: &[Rubbish] = &[
    once(b"$2147483647\r\n"),
    once(b"$9223372036854775807\r\n"),
    once(b"$536870912\r\nabc"),
    once(b"$+5\r\nabcde\r\n"),
    once(b"$5x\r\nabcde\r\n"),
    once(b"$3\r\nabcde\r\n"),
    once(b"*1000\r\n"),
    once(b"*0\r\n"),
    once(b"*1\r\n:1\r\n"),
    once(b"*2\r\n$1\r\na\r\n"),
    once(b":5\r\n"),
    once(b":99999999999999999999\r\n"),
    once(b"+OK\r\n"),
    once(b"-ERR no\r\n"),
    once(b"-\r\n"),
    once(b"#t\r\n"),
    once(b"#x\r\n"),
    once(b",nan\r\n"),
    once(b"(99999999999999999999999999999999\r\n"),
    once(b"=15\r\ntxt:Some string\r\n"),
    once(b"=2\r\nab\r\n"),
    once(b"%1\r\n+a\r\n:1\r\n"),
    once(b"~1\r\n+a\r\n"),
    once(b">1\r\n+a\r\n"),
    once(b"\r\n\r\n\r\n"),
    once(b"\0\0\0\0\0\0\0\0"),
    once(b"\xff\xfe\xfd\xfc\r\n"),
    once(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    once(b"$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
    cut(b""),
    cut(b"$5\r\nab"),
    cut(b"*3\r\n$1\r\na\r\n"),
];

/// Endless replies that the driver rejects, or of which it keeps nothing.
const ENDLESS: &[Rubbish] = &[
    then(b"", b"*1\r\n"),
    then(b"", b"*1000\r\n"),
    then(b"", b">1\r\n+x\r\n"),
    then(b"", b"$1\r\na\r\n"),
    then(b"", b"\xff\xff\xff\xff"),
];

/// Endless replies that the driver buffers until the deadline.
const UNBOUNDED: &[Rubbish] = &[
    then(b"$2147483647\r\n", b"aaaaaaaa"),
    then(b"+", b"aaaaaaaa"),
    then(b"-ERR ", b"aaaaaaaa"),
    then(b":", b"11111111"),
    then(b"*2147483647\r\n", b":1\r\n"),
];

/// Replies that the driver reads as nil.
const NEGATIVE: &[Rubbish] = &[once(b"$-2\r\n"), once(b"*-2\r\n")];

/// Replies of at most about 32 MiB, followed by endless further bytes.
const LONG: &[Rubbish] = &[
    then(b"$33554432\r\n", b"aaaaaaaa"),
    then(b"*1048576\r\n", b":1\r\n"),
    then(b"*1048576\r\n", b"$24\r\naaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
    then(b"*262144\r\n", b":1\r\n"),
    then(b"*262144\r\n", b"$100\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
];

#[track_caller]
fn is_in_time(cost: &Cost) {
    // Allowance for a busy machine.
    let allowed = DEADLINES.connect + DEADLINES.read + Duration::from_secs(5);
    assert!(cost.took < allowed, "{:?}", cost.took);
}

#[test]
fn a_rubbish_reply_is_an_error_and_costs_less_than_a_mebibyte() {
    for rubbish in SMALL.iter().chain(ENDLESS) {
        for protocol in PROTOCOLS {
            let (cost, what) = (load(*rubbish, protocol), describe(rubbish));
            assert!(cost.answer.is_err(), "{what}: {:?}", cost.answer);
            assert!(cost.bytes <= MIB, "{what}: {} bytes", cost.bytes);
            is_in_time(&cost);
        }
    }
}

/// The driver has no limit for the size of a reply, but keeps only a few times what has arrived.
#[test]
fn a_long_reply_is_an_error_in_time_and_costs_a_few_times_its_length() {
    for rubbish in LONG {
        let (cost, what) = (load(*rubbish, PROTOCOLS[0]), describe(rubbish));
        assert!(cost.answer.is_err(), "{what}: {:?}", cost.answer);
        assert!(cost.bytes <= 8 * 32 * MIB, "{what}: {} bytes", cost.bytes);
        is_in_time(&cost);
        println!("{what}: {} KiB at most", cost.bytes >> 10);
    }
}

/// A limitation of the driver that `docs/stores.md` documents. The test fails when it is fixed.
#[test]
fn a_negative_length_reads_as_no_session() {
    for rubbish in NEGATIVE {
        for protocol in PROTOCOLS {
            let (cost, what) = (load(*rubbish, protocol), describe(rubbish));
            let answer = &cost.answer;
            assert!(matches!(answer, Ok(false)), "{what}: {answer:?}");
            assert!(cost.bytes <= MIB, "{what}: {} bytes", cost.bytes);
        }
    }
}

/// The memory is what the network delivers until the deadline, which no test can bound.
#[test]
fn a_reply_without_an_end_is_cut_off_at_the_deadline() {
    for rubbish in UNBOUNDED {
        for protocol in PROTOCOLS {
            let (cost, what) = (load(*rubbish, protocol), describe(rubbish));
            let answer = &cost.answer;
            assert!(
                matches!(answer, Err(StoreError::Timeout(_))),
                "{what}: {answer:?}"
            );
            is_in_time(&cost);
            println!(
                "{what}: {} KiB at most, in {:?}",
                cost.bytes >> 10,
                cost.took
            );
        }
    }
}

fn describe(rubbish: &Rubbish) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?}, then {:?}", text(rubbish.once), text(rubbish.forever))
}
