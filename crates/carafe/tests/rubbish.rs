//! GARBAGE-2: what one operation on Redis costs in memory when the other side is no Redis. A server of this file's own
//! answers the command that asks for a session with rubbish. Alone in its binary, because it counts allocations; what the
//! driver does not bound is in `docs/stores.md`.

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
/// The store's own deadlines, so that a server that sends for ever is cut off in good time.
const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(5),
    read: Duration::from_millis(250),
    write: Duration::from_millis(500),
};

/// What the server says to `GET`: some bytes once, then others for ever, if there are any. Then it hangs, or hangs up.
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

/// A port where every command but `GET` is answered as if all were well.
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
            // Until the other side has had enough.
            while connection.write_all(&block).is_ok() {}
        }
    }
}

/// The name of the next command.
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
    /// The most that was allocated at one time.
    bytes: u64,
    took: Duration,
}

/// Whose connection it is: ours, or the driver's, which is used for TLS, in a cluster, and, as here, with RESP3.
#[derive(Clone, Copy, PartialEq)]
enum Whose {
    Ours,
    Drivers,
}

fn load(rubbish: Rubbish, whose: Whose) -> Cost {
    // One thread, since allocations are counted for one.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut url = format!("redis://127.0.0.1:{}", server(rubbish));
    if whose == Whose::Drivers {
        url.push_str("?protocol=resp3");
    }
    let options = RedisOptions::new().deadlines(DEADLINES);
    let store: RedisStore = runtime.block_on(options.connect(url)).unwrap();
    let (key, began, mut answer) = (StoreKey::of_id("1"), Instant::now(), None);
    let info = allocation_counter::measure(|| {
        answer = Some(runtime.block_on(store.load(&key, NOW)));
    });
    Cost {
        answer: answer.unwrap().map(|found| found.is_some()),
        bytes: info.bytes_max,
        took: began.elapsed(),
    }
}

/// Announcements that nothing follows, wrong types and lengths, half replies.
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

/// What never ends, and is found out or stays small.
const ENDLESS: &[Rubbish] = &[
    then(b"", b"*1\r\n"),
    then(b"", b"*1000\r\n"),
    then(b"", b">1\r\n+x\r\n"),
    then(b"", b"$1\r\na\r\n"),
    then(b"", b"\xff\xff\xff\xff"),
];

/// What the driver takes for one reply until the deadline.
const ENDLESS_TO_THE_DRIVER: &[Rubbish] = &[
    then(b"$2147483647\r\n", b"aaaaaaaa"),
    then(b"+", b"aaaaaaaa"),
    then(b"-ERR ", b"aaaaaaaa"),
    then(b":", b"11111111"),
    then(b"*2147483647\r\n", b":1\r\n"),
];

/// What the driver reads as "nothing there".
const NOTHING_TO_THE_DRIVER: &[Rubbish] = &[once(b"$-2\r\n"), once(b"*-2\r\n")];

/// As much as there may be of one reply.
const LONG: &[Rubbish] = &[
    then(b"$33554432\r\n", b"aaaaaaaa"),
    then(b"*1048576\r\n", b":1\r\n"),
    then(b"*1048576\r\n", b"$24\r\naaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
];

#[track_caller]
fn is_in_time(cost: &Cost) {
    // What a busy machine may add.
    let allowed = DEADLINES.connect + DEADLINES.read + Duration::from_secs(5);
    assert!(cost.took < allowed, "{:?}", cost.took);
}

#[track_caller]
fn is_an_error_and_small(rubbish: &Rubbish, whose: Whose) {
    let (cost, what) = (load(*rubbish, whose), what(rubbish));
    assert!(cost.answer.is_err(), "{what}: {:?}", cost.answer);
    assert!(cost.bytes <= MIB, "{what}: {} bytes", cost.bytes);
    is_in_time(&cost);
}

#[test]
fn garbage_2_a_reply_is_an_error_and_costs_less_than_a_mebibyte() {
    for rubbish in SMALL.iter().chain(ENDLESS) {
        is_an_error_and_small(rubbish, Whose::Ours);
        is_an_error_and_small(rubbish, Whose::Drivers);
    }
    for rubbish in ENDLESS_TO_THE_DRIVER.iter().chain(NOTHING_TO_THE_DRIVER) {
        is_an_error_and_small(rubbish, Whose::Ours);
    }
}

#[test]
fn garbage_2_a_reply_has_an_end() {
    for rubbish in LONG {
        let (cost, what) = (load(*rubbish, Whose::Ours), what(rubbish));
        assert!(cost.answer.is_err(), "{what}: {:?}", cost.answer);
        assert!(cost.bytes <= 72 * MIB, "{what}: {} bytes", cost.bytes);
        is_in_time(&cost);
        println!("{what}: {} KiB at most", cost.bytes >> 10);
    }
}

#[test]
fn garbage_2_a_negative_length_is_no_session_to_the_driver() {
    for rubbish in NOTHING_TO_THE_DRIVER {
        let (cost, what) = (load(*rubbish, Whose::Drivers), what(rubbish));
        let answer = &cost.answer;
        assert!(matches!(answer, Ok(false)), "{what}: {answer:?}");
        assert!(cost.bytes <= MIB, "{what}: {} bytes", cost.bytes);
    }
}

/// Its memory is what the network carries until the deadline, which no test can bound.
#[test]
fn garbage_2_a_reply_without_an_end_is_cut_off_at_the_deadline_for_the_driver() {
    for rubbish in ENDLESS_TO_THE_DRIVER {
        let (cost, what) = (load(*rubbish, Whose::Drivers), what(rubbish));
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

fn what(rubbish: &Rubbish) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{:?}, then {:?}", text(rubbish.once), text(rubbish.forever))
}
