//! Servers that send invalid replies, and the memory that an operation then takes.
//!
//! Allocations are counted per thread.
//!
//! The store's memory use is bounded. The drivers of both databases allocate before the store sees
//! a reply, without a bound: these tests record how much, so that a change is noticed and
//! documented in `docs/stores.md`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use allocation_counter::measure;
use carafe_core::{
    clock::Timestamp,
    store::{SessionStore, StoreError, StoreKey},
};
use carafe_sqlx::{Deadlines, MySqlStore, PostgresStore};
use sqlx::pool::PoolOptions;

const MEBIBYTE: u64 = 1 << 20;
/// The announced length of a message that is never sent in full.
const CLAIMED: u32 = 64 << 20;
/// The number of repetitions of an endless server.
const MANY: usize = 100_000;

/// Deadlines for operations that terminate by themselves.
const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(20),
    read: Duration::from_secs(20),
    write: Duration::from_secs(20),
};

/// The script of a server: a greeting, a reply to each message, then the end of the connection.
struct Script {
    /// MySQL servers send the first message.
    greeting: Vec<u8>,
    replies: Vec<Vec<u8>>,
}

impl Script {
    /// Starts the server and returns its port. The server runs until the process exits.
    fn serve(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for client in listener.incoming() {
                // The client may close the connection early.
                let _ = self.speak(client.unwrap());
            }
        });
        port
    }

    fn speak(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut heard = [0; 4096];
        client.write_all(&self.greeting)?;
        for reply in &self.replies {
            if client.read(&mut heard)? == 0 {
                return Ok(());
            }
            client.write_all(reply)?;
        }
        // Waits for the client to close: a reset would discard data that the client has not yet
        // read.
        client.shutdown(std::net::Shutdown::Write)?;
        while client.read(&mut heard)? > 0 {}
        Ok(())
    }
}

/// Loads a session; returns the error and the peak memory use.
fn load<S: SessionStore>(store: impl FnOnce() -> S) -> (StoreError, u64) {
    // If `RUST_BACKTRACE` is set, the backtrace of a panic in a driver would take 47 MB.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut error = None;
    let most = measure(|| {
        runtime.block_on(async {
            let key = StoreKey::of_id("somebody");
            let loaded = store().load(&key, Timestamp::from_unix(1)).await;
            error = loaded.err();
        });
    });
    (error.expect("rubbish is an error"), most.bytes_max)
}

fn holds_little((error, most): (StoreError, u64), what: &str) {
    println!("{what}: {most} bytes, {error}");
    assert!(most <= MEBIBYTE, "{what}: {most}");
    assert!(
        !matches!(error, StoreError::Conflict | StoreError::TooLarge { .. }),
        "{what}: {error}"
    );
}

/// Asserts that the driver allocates the announced length.
fn holds_what_is_claimed((error, most): (StoreError, u64), what: &str, claimed: u64) {
    println!("{what}: {most} bytes, {error}");
    assert!(most >= claimed, "{what}: {most}, update docs/stores.md");
    assert!(most <= 3 * claimed + MEBIBYTE, "{what}: {most}");
}

mod postgres {
    use super::*;

    /// Returns a server message with a correct length.
    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        claiming(kind, u32::try_from(body.len()).unwrap() + 4, body)
    }

    fn claiming(kind: u8, length: u32, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &length.to_be_bytes(), body].concat()
    }

    fn ready() -> Vec<u8> {
        message(b'Z', b"I")
    }

    fn welcome() -> Vec<u8> {
        [message(b'R', &[0; 4]), ready()].concat()
    }

    /// A server's description of the load statement: four parameters and fourteen columns.
    fn prepared() -> Vec<u8> {
        let oids = [20_u32, 17, 20, 20].map(u32::to_be_bytes).concat();
        let columns = [20_u32, 17, 17, 25, 25, 17, 25, 20, 20, 20, 20, 20, 25, 20];
        let column = |oid: &u32| {
            let rest = [&[0; 8][..], &[255; 2], &[255; 4], &[0, 1]].concat();
            [&b"c\0"[..], &rest[..6], &oid.to_be_bytes(), &rest[8..]].concat()
        };
        let columns: Vec<_> = columns.iter().map(column).collect();
        [
            message(b'1', b""),
            message(b't', &[&4_u16.to_be_bytes()[..], &oids].concat()),
            message(
                b'T',
                &[&14_u16.to_be_bytes()[..], &columns.concat()].concat(),
            ),
            ready(),
        ]
        .concat()
    }

    fn told(replies: &[Vec<u8>], deadlines: Deadlines) -> (StoreError, u64) {
        let script = Script {
            greeting: Vec::new(),
            replies: replies.to_vec(),
        };
        let port = script.serve();
        load(|| {
            let url = format!("postgres://a:b@127.0.0.1:{port}/c?sslmode=disable");
            let pool = PoolOptions::new()
                .max_connections(1)
                .test_before_acquire(false);
            PostgresStore::new(pool.connect_lazy(&url).unwrap()).deadlines(deadlines)
        })
    }

    #[test]
    fn short_and_wrong_replies_are_errors() {
        for (what, rubbish) in [
            ("a number that is not ours", row(14, 20)),
            ("a row without columns", row(0, 0)),
            ("a short row", row(1, 20)),
            ("65,535 columns", message(b'D', &[255; 2])),
            (
                "a column of 2 GiB",
                message(b'D', &[0, 14, 127, 255, 255, 255]),
            ),
            ("a length of 0", claiming(b'D', 0, &[0; 64])),
            ("a kind that there is not", message(0xff, &[0; 64])),
            ("an error without fields", message(b'E', b"")),
            ("nothing", Vec::new()),
        ] {
            let rubbish = [
                message(b'2', b""),
                rubbish,
                message(b'C', b"SELECT 1\0"),
                ready(),
            ];
            let replies = [welcome(), prepared(), rubbish.concat()];
            holds_little(told(&replies, PATIENT), what);
        }
        let parameters = [message(b'1', b""), message(b't', &[255; 2])].concat();
        let replies = [welcome(), parameters];
        holds_little(told(&replies, PATIENT), "65,535 described parameters");
    }

    /// Returns a row of this many columns of this many zero bytes.
    fn row(columns: u16, zeros: u32) -> Vec<u8> {
        let column = [&zeros.to_be_bytes()[..], &vec![0; zeros as usize]].concat();
        let columns = [&columns.to_be_bytes()[..], &column.repeat(columns.into())];
        message(b'D', &columns.concat())
    }

    /// A load expects one row: a second row is an error, and further rows are not read.
    #[test]
    fn endless_rows_are_not_collected() {
        let replies = [
            welcome(),
            prepared(),
            [message(b'2', b""), row(13, 8).repeat(MANY)].concat(),
        ];
        holds_little(told(&replies, PATIENT), "endless rows");
    }

    /// The deadline for connecting interrupts 4 billion iterations.
    ///
    /// Endless rounds fail at the second round.
    #[test]
    fn endless_scram_ends() {
        let offer = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
        let continued = |iterations: &str| {
            let text = format!("\0\0\0\x0br=abc,s=c2FsdA==,i={iterations}");
            message(b'R', text.as_bytes())
        };
        let long = [offer.clone(), continued("4294967295")];
        let (error, most) = told(&long, Deadlines::default());
        assert!(matches!(error, StoreError::Timeout(_)), "{error}");
        holds_little((error, most), "iterations");
        let rounds = [vec![offer], vec![continued("1"); 100]].concat();
        holds_little(told(&rounds, PATIENT), "rounds");
        let empty = [
            message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"),
            message(b'R', b"\0\0\0\x0b,,"),
        ];
        holds_little(told(&empty, PATIENT), "a round without words");
    }

    #[test]
    fn the_driver_makes_room_for_what_is_announced() {
        let claimed = CLAIMED.into();
        let greeting = [claiming(b'R', CLAIMED, b"")];
        holds_what_is_claimed(told(&greeting, PATIENT), "a greeting", claimed);
        let replies = [welcome(), claiming(b'1', CLAIMED, b"")];
        holds_what_is_claimed(told(&replies, PATIENT), "a reply", claimed);
        // The maximum number of columns that a message of eight bytes can announce, with more than
        // 48 bytes each.
        let nothing = message(b't', &[0; 2]);
        let columns = [message(b'1', b""), nothing, message(b'T', &[255; 2])].concat();
        let replies = [welcome(), columns];
        holds_what_is_claimed(told(&replies, PATIENT), "65,535 columns", 65_535 * 48);
    }

    #[test]
    fn the_driver_remembers_every_parameter() {
        let one = |n: usize| message(b'S', format!("p{n:0>40}\0value\0").as_bytes());
        let many: Vec<_> = (0..MANY).map(one).collect();
        let replies = [[message(b'R', &[0; 4]), many.concat()].concat()];
        let claimed = (MANY * 40) as u64;
        let (error, most) = told(&replies, PATIENT);
        println!("parameters: {most} bytes, {error}");
        assert!(most >= claimed, "{most}, update docs/stores.md");
    }
}

mod mysql {
    use super::*;

    /// Returns a server packet with a correct length.
    fn packet(number: u8, body: &[u8]) -> Vec<u8> {
        claiming(number, u32::try_from(body.len()).unwrap(), body)
    }

    fn claiming(number: u8, length: u32, body: &[u8]) -> Vec<u8> {
        [&length.to_le_bytes()[..3], &[number], body].concat()
    }

    fn greeting() -> Vec<u8> {
        let text = b"\n8.0.18\0\x19\0\0\0\x114aB0c\x06g\0\xff\xf7\xff\x02\0\xff\xc7\x15\0\0\0\0\0\0\0\0\0\0\
            tL\x03s\x0f[4\rl4. \0mysql_native_password\0";
        packet(0, text)
    }

    fn ok(number: u8) -> Vec<u8> {
        packet(number, &[0, 0, 0, 2, 0, 0, 0])
    }

    /// A reply with four parameters and without column descriptions.
    fn prepared() -> Vec<u8> {
        let head = packet(1, &[0, 1, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
        let parameters = (2..6).map(|number| packet(number, &column(0xfd)));
        [head, parameters.collect::<Vec<_>>().concat()].concat()
    }

    fn column(kind: u8) -> Vec<u8> {
        let names = b"\x03def\0\0\0\x01c\0\x0c";
        [&names[..], &[63, 0, 8, 0, 0, 0, kind, 0, 0, 0, 0, 0]].concat()
    }

    fn told(replies: &[Vec<u8>]) -> (StoreError, u64) {
        told_after(greeting(), replies)
    }

    fn told_after(greeting: Vec<u8>, replies: &[Vec<u8>]) -> (StoreError, u64) {
        let script = Script {
            greeting,
            replies: replies.to_vec(),
        };
        let port = script.serve();
        load(|| {
            let url = format!("mysql://a:b@127.0.0.1:{port}/c?ssl-mode=disabled");
            let pool = PoolOptions::new()
                .max_connections(1)
                .test_before_acquire(false);
            MySqlStore::new(pool.connect_lazy(&url).unwrap()).deadlines(PATIENT)
        })
    }

    /// Replies to the log-in, the connection settings, the preparation and the load.
    fn answered(rubbish: Vec<u8>) -> (StoreError, u64) {
        told(&[ok(2), ok(1), prepared(), rubbish])
    }

    #[test]
    fn short_and_wrong_replies_are_errors() {
        for (what, rubbish) in [
            ("a count and no rows", ok(1)),
            ("an empty packet", packet(1, b"")),
            ("a short count", packet(1, &[0])),
            ("a row without its number", answer(&[0, 0, 1])),
            ("an error without a text", packet(1, &[0xff, 0, 0])),
            ("a row of another form", answer(&[1; 9])),
            ("a number that is not ours", answer(&[0; 10])),
            ("nothing", Vec::new()),
        ] {
            holds_little(answered(rubbish), what);
        }
    }

    /// A result with one numeric column and a row of these bytes.
    fn answer(row: &[u8]) -> Vec<u8> {
        [
            packet(1, &[1]),
            packet(2, &column(8)),
            packet(3, row),
            packet(4, &[0xfe, 0, 0, 2, 0, 0, 0]),
        ]
        .concat()
    }

    #[test]
    fn endless_rows_are_not_collected() {
        let head = [packet(1, &[1]), packet(2, &column(8))].concat();
        let rows = packet(3, &[0; 10]).repeat(MANY);
        holds_little(answered([head, rows].concat()), "endless rows");
    }

    #[test]
    fn the_driver_makes_room_for_what_is_announced() {
        // The maximum length of a packet.
        let most = (1 << 24) - 1;
        let claimed = u64::from(most);
        let greeting = claiming(0, most, b"");
        holds_what_is_claimed(told_after(greeting, &[]), "a greeting", claimed);
        holds_what_is_claimed(answered(claiming(1, most, b"")), "a reply", claimed);
    }

    /// The packet has nine bytes.
    ///
    /// A few columns more exceed the system's memory, which aborts the process.
    #[test]
    fn the_driver_makes_room_for_a_million_columns() {
        let columns = [&[0xfe][..], &(1_u64 << 20).to_le_bytes()].concat();
        let (error, most) = answered(packet(1, &columns));
        println!("a million columns: {most} bytes, {error}");
        assert!(most >= 100 * MEBIBYTE, "{most}, update docs/stores.md");
    }
}
