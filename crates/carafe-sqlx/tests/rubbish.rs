//! Servers that talk rubbish, and how much memory an operation takes that hears it. Alone in its binary, because it
//! counts the allocations of the process.
//!
//! What the store does with a reply is bounded. What the driver makes room for before the store sees anything is not, in
//! both databases: those cases say how much it is, so that `docs/stores.md` is told when it changes.

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
/// What a message claims to hold, and does not.
const CLAIMED: u32 = 64 << 20;
/// How often an endless server says the same.
const MANY: usize = 100_000;

/// For what ends by itself.
const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(20),
    read: Duration::from_secs(20),
    write: Duration::from_secs(20),
};

/// What a server says: when somebody connects, and then to each thing it is told; at last it hangs up.
struct Script {
    /// MySQL's servers speak first.
    greeting: Vec<u8>,
    replies: Vec<Vec<u8>>,
}

impl Script {
    /// Its port. Lives as long as the test does.
    fn serve(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for client in listener.incoming() {
                // A client that has hung up has heard enough.
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
        // Until the client goes: a reset would take back what it has not read.
        client.shutdown(std::net::Shutdown::Write)?;
        while client.read(&mut heard)? > 0 {}
        Ok(())
    }
}

/// How a load of a session goes, and the most memory that it held at once.
fn load<S: SessionStore>(store: impl FnOnce() -> S) -> (StoreError, u64) {
    // Where `RUST_BACKTRACE` is set, the backtrace of a driver's panic would take 47 MB.
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

/// The driver believes what it is told.
fn holds_what_is_claimed((error, most): (StoreError, u64), what: &str, claimed: u64) {
    println!("{what}: {most} bytes, {error}");
    assert!(most >= claimed, "{what}: {most}, update docs/stores.md");
    assert!(most <= 3 * claimed + MEBIBYTE, "{what}: {most}");
}

mod postgres {
    use super::*;

    /// A message of the server's, with the length that it should have.
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

    /// The load's statement, as a real server describes it: four parameters and thirteen columns.
    fn prepared() -> Vec<u8> {
        let oids = [20_u32, 17, 20, 20].map(u32::to_be_bytes).concat();
        let columns = [20_u32, 17, 17, 25, 25, 17, 25, 20, 20, 20, 20, 20, 20];
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
                &[&13_u16.to_be_bytes()[..], &columns.concat()].concat(),
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
            ("a number that is not ours", row(13, 20)),
            ("a row without columns", row(0, 0)),
            ("a short row", row(1, 20)),
            ("65,535 columns", message(b'D', &[255; 2])),
            (
                "a column of 2 GiB",
                message(b'D', &[0, 13, 127, 255, 255, 255]),
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

    /// So many columns, of so many zeros each.
    fn row(columns: u16, zeros: u32) -> Vec<u8> {
        let column = [&zeros.to_be_bytes()[..], &vec![0; zeros as usize]].concat();
        let columns = [&columns.to_be_bytes()[..], &column.repeat(columns.into())];
        message(b'D', &columns.concat())
    }

    /// One row answers a load: the second is one too many, and nobody collects the rest.
    #[test]
    fn endless_rows_are_not_collected() {
        let replies = [
            welcome(),
            prepared(),
            [message(b'2', b""), row(13, 8).repeat(MANY)].concat(),
        ];
        holds_little(told(&replies, PATIENT), "endless rows");
    }

    /// 4 milliards of iterations end with the deadline for connecting, endless rounds at the second.
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
        // All columns that a message of eight bytes can claim, of more than 48 bytes each.
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

    /// A packet of the server's, with the length that it should have.
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

    /// Four parameters, and columns without a description.
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

    /// To the log-in, to the settings of the connection, to the preparation, to the load.
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

    /// A result of one column, a number, and a row of these bytes.
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
        // All that a packet can claim.
        let most = (1 << 24) - 1;
        let claimed = u64::from(most);
        let greeting = claiming(0, most, b"");
        holds_what_is_claimed(told_after(greeting, &[]), "a greeting", claimed);
        holds_what_is_claimed(answered(claiming(1, most, b"")), "a reply", claimed);
    }

    /// A packet of nine bytes. With a few more columns the system has not that much, and ends the process.
    #[test]
    fn the_driver_makes_room_for_a_million_columns() {
        let columns = [&[0xfe][..], &(1_u64 << 20).to_le_bytes()].concat();
        let (error, most) = answered(packet(1, &columns));
        println!("a million columns: {most} bytes, {error}");
        assert!(most >= 100 * MEBIBYTE, "{most}, update docs/stores.md");
    }
}
