use redis::{ErrorKind, Value, parse_redis_value};

use super::{DEEPEST, LONGEST, LONGEST_LINE, MOST_VALUES, Replies};

/// What is read of `bytes` that come in pieces of such a size.
fn read(bytes: &[u8], piece: usize) -> Result<Vec<Value>, ErrorKind> {
    let (mut replies, mut found) = (Replies::default(), Vec::new());
    for piece in bytes.chunks(piece) {
        let mut piece = piece;
        while !piece.is_empty() {
            let room = replies.room();
            let taken = piece.len().min(room.len());
            room[..taken].copy_from_slice(&piece[..taken]);
            replies.came(taken);
            piece = &piece[taken..];
            while let Some(reply) = replies.next().map_err(|error| error.kind())? {
                found.push(reply);
            }
        }
    }
    Ok(found)
}

const GOOD: &[&[u8]] = &[
    b"+OK\r\n",
    b"+\r\n",
    b"+PONG here\r\n",
    b"-ERR no\r\n",
    b"-NOSCRIPT No matching script.\r\n",
    b"-MOVED 3999 127.0.0.1:6381\r\n",
    b"-\r\n",
    b":0\r\n",
    b":-9223372036854775808\r\n",
    b":9223372036854775807\r\n",
    b"$0\r\n\r\n",
    b"$-1\r\n",
    b"$5\r\nab\r\nc\r\n",
    b"$3\r\n\xff\x00\n\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*2\r\n$2\r\nok\r\n$4\r\n$3\r\n\r\n",
    b"*3\r\n:1\r\n$-1\r\n*-1\r\n",
    b"*2\r\n$1\r\n0\r\n*3\r\n$1\r\na\r\n*0\r\n*1\r\n:7\r\n",
    b"*2\r\n*1\r\n*1\r\n+deep\r\n-ERR inside\r\n",
];

#[test]
fn replies_are_those_that_the_driver_reads_whatever_the_pieces() {
    let expected: Vec<_> = GOOD
        .iter()
        .map(|reply| parse_redis_value(reply).expect("the driver reads it"))
        .collect();
    let bytes = GOOD.concat();
    for piece in (1..40).chain([bytes.len()]) {
        assert_eq!(read(&bytes, piece).as_ref(), Ok(&expected), "{piece}");
    }
}

#[test]
fn a_reply_that_is_cut_off_is_waited_for() {
    for reply in GOOD {
        for cut in 1..reply.len() {
            let found = read(&reply[..cut], cut);
            assert_eq!(found, Ok(vec![]), "{:?}", reply[..cut].escape_ascii());
        }
    }
}

#[test]
fn what_the_protocol_does_not_say_is_an_error() {
    let bad: &[&[u8]] = &[
        b"\r\n",
        b"\n",
        b"+OK\n",
        b"?\r\n",
        b"#t\r\n",
        b"%1\r\n",
        b"_\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"+\xff\r\n",
        b":\r\n",
        b":-\r\n",
        b":+1\r\n",
        b": 1\r\n",
        b":1 \r\n",
        b":1.5\r\n",
        b":9223372036854775808\r\n",
        b"$\r\n",
        b"$-2\r\n",
        b"$+5\r\nabcde\r\n",
        b"$5x\r\nabcde\r\n",
        b"$3\r\nabcde\r\n",
        b"$3\r\nabc\n\r\n",
        b"*-2\r\n",
        b"*x\r\n",
        b"*2\r\n:1\r\n?\r\n",
    ];
    for reply in bad {
        let shown = reply.escape_ascii();
        assert_eq!(read(reply, 1), Err(ErrorKind::Parse), "{shown}");
        assert_eq!(read(reply, reply.len()), Err(ErrorKind::Parse), "{shown}");
    }
}

#[test]
fn what_is_too_much_is_an_error_before_it_is_kept() {
    let announced = [
        format!("${}\r\n", LONGEST + 1),
        format!("${}\r\n", i64::MAX),
        format!("*{}\r\n", MOST_VALUES + 1),
        format!("*{MOST_VALUES}\r\n*1\r\n"),
        "*1\r\n".repeat(DEEPEST + 1),
        format!("+{}", "a".repeat(LONGEST_LINE)),
        format!(":{}", "1".repeat(LONGEST_LINE)),
    ];
    for text in announced {
        assert_eq!(read(text.as_bytes(), 4_096), Err(ErrorKind::Parse));
    }
    // A list may be within its bounds and its texts not.
    let text = format!("${}\r\n{}\r\n", LONGEST / 4, "a".repeat(LONGEST / 4));
    let list = format!("*5\r\n{}", text.repeat(4));
    assert_eq!(read(list.as_bytes(), 1 << 20), Err(ErrorKind::Parse));
    assert_eq!(read("*1\r\n".repeat(DEEPEST).as_bytes(), 7), Ok(vec![]));
}

#[test]
fn a_long_reply_is_read_and_its_room_given_back() {
    let long = "x".repeat(1 << 20);
    let text = format!("${}\r\n{long}\r\n+OK\r\n", long.len());
    let expected = [Value::BulkString(long.into_bytes()), Value::Okay];
    assert_eq!(read(text.as_bytes(), 10_000), Ok(expected.to_vec()));

    let mut replies = Replies::default();
    let room = replies.room().len();
    for byte in text.bytes() {
        replies.room()[0] = byte;
        replies.came(1);
        replies.next().expect("it is good");
    }
    assert_eq!(replies.room().len(), room);
}

#[test]
fn whatever_comes_is_read_alike_in_whatever_pieces() {
    let words: &[&[u8]] = &[
        b"\r\n",
        b"\n",
        b"\r",
        b"+",
        b"-",
        b":",
        b"$",
        b"*",
        b"0",
        b"1",
        b"2",
        b"3",
        b"-1",
        b"OK",
        b"a",
        b"\xff",
        b"+OK\r\n",
        b":1\r\n",
        b"$-1\r\n",
        b"$1\r\na\r\n",
        b"*1\r\n",
        b"*2\r\n",
    ];
    // A generator of Marsaglia's: the same bytes in every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let (mut good, mut bad) = (0, 0);
    for _ in 0..100_000 {
        let count = 1 + next(8);
        let bytes: Vec<_> = (0..count).flat_map(|_| words[next(words.len())]).collect();
        let bytes: Vec<u8> = bytes.into_iter().copied().collect();
        let whole = read(&bytes, bytes.len());
        for piece in [1, 2, 5] {
            assert_eq!(read(&bytes, piece), whole, "{}", bytes.escape_ascii());
        }
        match whole {
            Ok(replies) => good += replies.len(),
            Err(_) => bad += 1,
        }
    }
    assert!(good > 10_000 && bad > 10_000, "{good} {bad}");
}
