//! Log-outs as lines of a file, so that a process which is killed before the store was told finds them again.
//!
//! The first line is [`HEADER`]. Each other one is an order, and begins with a part of its own hash: a line that was
//! cut off by a crash, or damaged, says nothing. Keys of sessions stand there as stores have them, names of users
//! as they are. The format is in `docs/wire-format.md`; `carafe::Guarded` keeps the file.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{LogOut, Whose};
use crate::{
    base64,
    clock::Timestamp,
    store::{Handle, StoreKey, Which},
};

/// The first line of a journal: what it is, and its version.
pub const HEADER: &str = "carafe-log-outs 1\n";

/// What a journal holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The orders, in the order in which they were written. One may be there more than once.
    pub orders: Vec<LogOut>,
    /// How many lines in its midst say nothing. A last one that was cut off is not counted.
    pub damaged: usize,
}

/// A file that is no journal, or of a version that is not known: not to be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoJournal;

impl Journal {
    /// Reads what a file holds; an empty one has no orders.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, store::{StoreKey, guard::{LogOut, Whose, journal::{HEADER, Journal, line}}}};
    ///
    /// let order = LogOut { whose: Whose::Key(StoreKey::of_id("1")), at: Timestamp::from_unix(1_700_000_000) };
    /// let text = format!("{HEADER}{}", line(&order));
    /// assert_eq!(Journal::read(text.as_bytes())?.orders, [order]);
    /// assert!(Journal::read(b"something else\n").is_err());
    /// # Ok::<(), carafe_core::store::guard::journal::NoJournal>(())
    /// ```
    ///
    /// # Errors
    /// [`NoJournal`].
    pub fn read(bytes: &[u8]) -> Result<Self, NoJournal> {
        let header = HEADER.as_bytes();
        let Some(lines) = bytes.strip_prefix(header) else {
            // Cut off while it was made.
            return match header.starts_with(bytes) {
                true => Ok(Self::default()),
                false => Err(NoJournal),
            };
        };
        let mut journal = Self::default();
        for line in lines.split_inclusive(|&byte| byte == b'\n') {
            match line.strip_suffix(b"\n") {
                Some(b"") | None => {}
                Some(line) => match parse(line) {
                    Some(order) => journal.orders.push(order),
                    None => journal.damaged += 1,
                },
            }
        }
        Ok(journal)
    }
}

/// An order as a line, its end included.
#[must_use]
pub fn line(order: &LogOut) -> String {
    let at = order.at.unix();
    let text = match &order.whose {
        Whose::Key(key) => format!("key {} {at}", base64::encode_url(key.as_bytes())),
        Whose::Handle(handle) => format!("handle {handle} {at}"),
        Whose::User(user, which) => {
            let user = base64::encode_url(user.as_bytes());
            match which {
                Which::All => format!("user {user} all {at}"),
                Which::Only(handle) => format!("user {user} only {handle} {at}"),
                Which::AllBut(handle) => format!("user {user} all-but {handle} {at}"),
            }
        }
        Whose::Everyone => format!("everyone {at}"),
    };
    format!("{} {text}\n", check(text.as_bytes()))
}

/// Twelve characters of the line's hash: against crashes and bad disks, not against who can write the file.
fn check(text: &[u8]) -> String {
    let hash = Sha256::digest(text);
    base64::encode_url(&hash[..9])
}

fn parse(line: &[u8]) -> Option<LogOut> {
    let (sum, text) = str::from_utf8(line).ok()?.split_once(' ')?;
    if sum != check(text.as_bytes()) {
        return None;
    }
    let words: Vec<_> = text.split(' ').collect();
    let (at, words) = words.split_last()?;
    let whose = match words {
        ["key", key] => {
            let mut bytes = [0; 32];
            let read = base64::decode_url_exact(key.as_bytes(), &mut bytes);
            Whose::Key(read.then(|| StoreKey::from_bytes(bytes))?)
        }
        ["handle", handle] => Whose::Handle(Handle::parse(handle)?),
        ["user", user, "all"] => Whose::User(name(user)?, Which::All),
        ["user", user, "only", handle] => {
            Whose::User(name(user)?, Which::Only(Handle::parse(handle)?))
        }
        ["user", user, "all-but", handle] => {
            Whose::User(name(user)?, Which::AllBut(Handle::parse(handle)?))
        }
        ["everyone"] => Whose::Everyone,
        _ => return None,
    };
    let at = Timestamp::from_unix(at.parse().ok()?);
    Some(LogOut { whose, at })
}

fn name(text: &str) -> Option<Arc<str>> {
    let bytes = base64::decode_url(text.as_bytes())?;
    Some(String::from_utf8(bytes).ok()?.into())
}

impl std::fmt::Display for NoJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this file is no journal of log-outs, or of a version that is not known")
    }
}

impl std::error::Error for NoJournal {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn orders() -> Vec<LogOut> {
        let handle = Handle::from_bytes([7; 12]);
        let user = |name: &str, which| Whose::User(name.into(), which);
        [
            Whose::Key(StoreKey::of_id("1")),
            Whose::Handle(handle),
            user("ann", Which::All),
            user("", Which::Only(handle)),
            user("Zoë \n 42", Which::AllBut(handle)),
            Whose::Everyone,
        ]
        .into_iter()
        .zip(-1..)
        .map(|(whose, at)| LogOut {
            whose,
            at: Timestamp::from_unix(at),
        })
        .collect()
    }

    fn text() -> String {
        let lines = orders();
        HEADER.to_owned() + &lines.iter().map(line).collect::<String>()
    }

    #[test]
    fn the_format_is_the_one_that_is_documented() {
        let order = LogOut {
            whose: Whose::User("ann".into(), Which::All),
            at: Timestamp::from_unix(1_700_000_000),
        };
        assert_eq!(line(&order), "-x2IIUJSnFaT user YW5u all 1700000000\n");
        assert_eq!(HEADER, "carafe-log-outs 1\n");
    }

    #[test]
    fn what_is_written_is_read_and_what_is_none_of_ours_is_refused() {
        let read = Journal::read(text().as_bytes()).expect("it is ours");
        assert_eq!((read.orders, read.damaged), (orders(), 0));
        for none in ["{}", "carafe-log-outs 2\n", "carafe-log-outs 10\n", "\n"] {
            assert_eq!(Journal::read(none.as_bytes()), Err(NoJournal), "{none:?}");
        }
    }

    #[test]
    fn a_crash_at_any_byte_costs_the_last_line_at_most() {
        let text = text();
        for end in 0..text.len() {
            let read = Journal::read(&text.as_bytes()[..end]).expect("it is ours");
            let whole = text[..end].matches('\n').count().saturating_sub(1);
            assert_eq!(read.orders, orders()[..whole], "{end}");
            assert_eq!(read.damaged, 0, "{end}");
        }
    }

    proptest! {
        #[test]
        fn a_flipped_bit_makes_no_other_order(at in HEADER.len()..text().len(), bit in 0..8) {
            let mut bytes = text().into_bytes();
            bytes[at] ^= 1_u8 << bit;
            let read = Journal::read(&bytes).expect("the first line is whole");
            let known = orders();
            prop_assert!(read.orders.iter().all(|order| known.contains(order)));
            prop_assert!(read.orders.len() >= known.len() - 2, "a line, or two that became one");
            prop_assert!(read.orders.len() < known.len());
        }

        #[test]
        fn nothing_panics(bytes: Vec<u8>) {
            let text = [HEADER.as_bytes(), &bytes].concat();
            let read = Journal::read(&text).expect("the first line is whole");
            prop_assert!(read.orders.is_empty());
        }
    }
}
