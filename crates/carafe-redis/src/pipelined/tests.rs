use std::time::Duration;

use redis::{Cmd, ErrorKind, RedisResult, Value, cmd};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    runtime::{Builder, Runtime},
};

use super::{MOST, Pipelined};

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

/// A connection with so much room each way, and the other end of it.
fn pair(room: usize) -> (Pipelined, DuplexStream) {
    let (near, far) = tokio::io::duplex(room);
    (Pipelined::on(near), far)
}

fn get(name: &str) -> Cmd {
    let mut command = cmd("GET");
    command.arg(name);
    command
}

/// A server that answers `GET` with the name that was asked for.
async fn echo(mut far: DuplexStream) {
    let mut come = Vec::new();
    while far.read_buf(&mut come).await.is_ok_and(|bytes| bytes > 0) {
        while let Some((name, length)) = asked(&come) {
            let reply = format!("${}\r\n{name}\r\n", name.len());
            if far.write_all(reply.as_bytes()).await.is_err() {
                return;
            }
            come.drain(..length);
        }
    }
}

/// The name in the `GET` that `come` begins with, and how long that is.
fn asked(come: &[u8]) -> Option<(String, usize)> {
    let text = std::str::from_utf8(come).ok()?;
    let behind = text.strip_prefix("*2\r\n$3\r\nGET\r\n$")?;
    let (digits, behind) = behind.split_once("\r\n")?;
    let length: usize = digits.parse().ok()?;
    let name = behind.get(..length)?;
    behind.get(length..length + 2)?;
    let before = text.len() - behind.len();
    Some((name.to_owned(), before + length + 2))
}

fn bytes(text: &str) -> RedisResult<Value> {
    Ok(Value::BulkString(text.into()))
}

fn is_closed(reply: &RedisResult<Value>) -> bool {
    matches!(reply, Err(error) if error.is_connection_dropped())
}

#[test]
fn each_gets_the_reply_to_its_own_command() {
    runtime().block_on(async {
        // So little room that both sides wait for the other in the middle of things.
        for room in [7, 64, 1 << 20] {
            let (connection, far) = pair(room);
            tokio::spawn(echo(far));
            let names: Vec<_> = (0..500).map(|n| format!("{n}").repeat(n % 50)).collect();
            let commands: Vec<_> = names.iter().map(|name| get(name)).collect();
            let asking = commands.iter().map(|command| connection.send(command));
            let replies = futures_util::future::join_all(asking).await;
            for (name, reply) in names.iter().zip(replies) {
                assert_eq!(reply, bytes(name));
            }
        }
    });
}

#[test]
fn a_reply_that_nobody_waits_for_any_more_is_nobody_elses() {
    runtime().block_on(async {
        let (connection, far) = pair(1 << 20);
        {
            let gone = get("gone");
            let asking = connection.send(&gone);
            let soon = Duration::from_millis(10);
            tokio::time::timeout(soon, asking)
                .await
                .expect_err("nobody answers");
        }
        tokio::spawn(echo(far));
        assert_eq!(connection.send(&get("here")).await, bytes("here"));
    });
}

#[test]
fn whoever_waits_hears_that_the_connection_has_ended_and_so_does_whoever_comes_later() {
    runtime().block_on(async {
        let (connection, far) = pair(1 << 20);
        let (one, two) = (get("1"), get("2"));
        let hang_up = async {
            tokio::task::yield_now().await;
            drop(far);
        };
        let (first, second, ()) =
            tokio::join!(connection.send(&one), connection.send(&two), hang_up);
        assert!(is_closed(&first) && is_closed(&second));
        assert!(!connection.is_open());
        assert!(is_closed(&connection.send(&one).await));
    });
}

#[test]
fn a_server_that_is_out_of_step_loses_the_connection() {
    runtime().block_on(async {
        for (replies, good) in [("+OK\r\n+OK\r\n", 1), ("?\r\n", 0), ("+OK\r\n$-2\r\n", 1)] {
            let (connection, mut far) = pair(1 << 20);
            let (one, two) = (get("1"), get("2"));
            let first = async {
                match good {
                    0 => None,
                    _ => Some(connection.send(&one).await),
                }
            };
            let say = async {
                tokio::task::yield_now().await;
                far.write_all(replies.as_bytes())
                    .await
                    .expect("there is room");
            };
            let (first, ()) = tokio::join!(first, say);
            assert_eq!(first, (good == 1).then_some(Ok(Value::Okay)));
            let second = connection.send(&two).await.expect_err("it is out of step");
            assert!(matches!(second.kind(), ErrorKind::Io | ErrorKind::Parse));
            assert!(!connection.is_open(), "{replies:?}");
        }
    });
}

#[test]
fn the_first_who_waits_hears_why() {
    runtime().block_on(async {
        let (connection, mut far) = pair(1 << 20);
        let (one, two) = (get("1"), get("2"));
        let say = async {
            tokio::task::yield_now().await;
            far.write_all(b"rubbish\r\n").await.expect("there is room");
        };
        let (first, second, ()) = tokio::join!(connection.send(&one), connection.send(&two), say);
        assert_eq!(first.expect_err("no reply").kind(), ErrorKind::Parse);
        assert!(is_closed(&second));
    });
}

#[test]
fn what_a_server_does_not_take_is_bounded() {
    runtime().block_on(async {
        let (connection, _far) = pair(64);
        let command = get(&"x".repeat(MOST / 4));
        let mut asking = Vec::new();
        let mut refused = None;
        while refused.is_none() && asking.len() < 10 {
            match connection.shared.ask(&command) {
                Ok(reply) => asking.push(reply),
                Err(error) => refused = Some(error.kind()),
            }
        }
        assert_eq!(refused, Some(ErrorKind::Client));
        assert_eq!(asking.len(), 4, "each is a little more than a quarter");
        assert!(connection.is_open(), "it may recover");
    });
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    let (connection, _far) = runtime().block_on(async { pair(1 << 20) });
    runtime().block_on(async {
        assert!(!connection.is_open());
        assert!(is_closed(&connection.send(&get("1")).await));
    });
}
