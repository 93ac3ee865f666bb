//! The text format of the journal (`docs/wire-format.md` §9).
//!
//! The first line is [`HEADER`]. Each further line is a revocation, preceded by a checksum that
//! detects truncated or damaged lines. Session keys are written as in the store, user names in
//! base64url.

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;
use carafe_core::{
    clock::Timestamp,
    store::{KeyScheme, Selection, StoreKey},
    token::SessionId,
};
use sha2::{Digest, Sha256};

use crate::guarded::pending_revocation::{PendingRevocation, RevocationTarget};

/// The first line of a journal: the format's name and version.
pub(super) const HEADER: &str = "carafe-log-outs 1\n";

/// The content of a journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Entries {
    /// The revocations in the order in which they were written. May contain duplicates.
    pub(super) revocations: Vec<PendingRevocation>,
    /// The number of unreadable lines, not counting a truncated last line.
    pub(super) damaged: usize,
}

/// The error of a file that is not a journal or has an unknown version. Such a file is not
/// overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAJournal;

/// Parses the bytes of a journal. An empty file has no entries.
pub(super) fn parse(bytes: &[u8]) -> Result<Entries, NotAJournal> {
    let header = HEADER.as_bytes();
    let Some(lines) = bytes.strip_prefix(header) else {
        // A crash can truncate the header of a new file.
        return match header.starts_with(bytes) {
            true => Ok(Entries::default()),
            false => Err(NotAJournal),
        };
    };
    let mut entries = Entries::default();
    for line in lines.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(b"") | None => {}
            Some(line) => match parse_line(line) {
                Some(revocation) => entries.revocations.push(revocation),
                None => entries.damaged += 1,
            },
        }
    }
    Ok(entries)
}

/// Returns the line of a revocation, including its line feed.
pub(super) fn line(revocation: &PendingRevocation) -> String {
    let at = revocation.at.unix();
    let text = match &revocation.target {
        RevocationTarget::Key(key) => {
            let (id, encoded) = (key.plain_id(), encode(key.as_bytes()));
            // The two differ only for an ID that is not one of Carafe's: `KeyScheme::RawId`.
            match id == encoded {
                true => format!("key {encoded} {at}"),
                false => format!("id {id} {at}"),
            }
        }
        RevocationTarget::PublicId(public_id) => format!("handle {public_id} {at}"),
        RevocationTarget::User(user, selection) => {
            let user = encode(user.as_bytes());
            match selection {
                Selection::All => format!("user {user} all {at}"),
                Selection::Only(public_id) => format!("user {user} only {public_id} {at}"),
                Selection::AllBut(public_id) => format!("user {user} all-but {public_id} {at}"),
            }
        }
        RevocationTarget::All => format!("everyone {at}"),
    };
    format!("{} {text}\n", checksum(text.as_bytes()))
}

/// Returns twelve characters of the text's hash. The checksum detects crashes and disk errors, not
/// deliberate changes.
fn checksum(text: &[u8]) -> String {
    let hash = Sha256::digest(text);
    encode(&hash[..9])
}

fn parse_line(line: &[u8]) -> Option<PendingRevocation> {
    let (sum, text) = str::from_utf8(line).ok()?.split_once(' ')?;
    if sum != checksum(text.as_bytes()) {
        return None;
    }
    let words: Vec<_> = text.split(' ').collect();
    let (at, words) = words.split_last()?;
    let target = match words {
        ["key", key] => {
            let bytes = URL_SAFE_NO_PAD.decode_to_vec(key).ok()?;
            RevocationTarget::Key(StoreKey::from_bytes(bytes.try_into().ok()?))
        }
        ["id", id] => {
            let id = SessionId::parse_as(id.as_bytes(), KeyScheme::RawId)?;
            RevocationTarget::Key(id.store_key_as(KeyScheme::RawId))
        }
        ["handle", public_id] => RevocationTarget::PublicId(public_id.parse().ok()?),
        ["user", user, "all"] => RevocationTarget::User(name(user)?, Selection::All),
        ["user", user, "only", public_id] => {
            let selection = Selection::Only(public_id.parse().ok()?);
            RevocationTarget::User(name(user)?, selection)
        }
        ["user", user, "all-but", public_id] => {
            let selection = Selection::AllBut(public_id.parse().ok()?);
            RevocationTarget::User(name(user)?, selection)
        }
        ["everyone"] => RevocationTarget::All,
        _ => return None,
    };
    let at = Timestamp::from_unix(at.parse().ok()?);
    Some(PendingRevocation { target, at })
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

fn name(text: &str) -> Option<Arc<str>> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(text).ok()?;
    Some(String::from_utf8(bytes).ok()?.into())
}

impl std::fmt::Display for NotAJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the file is not a journal of revocations, or its version is unknown")
    }
}

impl std::error::Error for NotAJournal {}

#[cfg(test)]
mod tests {
    use carafe_core::store::PublicId;
    use proptest::prelude::*;

    use super::*;

    fn revocations() -> Vec<PendingRevocation> {
        let public_id = PublicId::from_bytes([7; 12]);
        let user = |name: &str, selection| RevocationTarget::User(name.into(), selection);
        [
            RevocationTarget::Key(StoreKey::of_id("1")),
            RevocationTarget::PublicId(public_id),
            user("ann", Selection::All),
            user("", Selection::Only(public_id)),
            user("Zoë \n 42", Selection::AllBut(public_id)),
            RevocationTarget::All,
            RevocationTarget::Key(key_of_uuid()),
        ]
        .into_iter()
        .zip(-1..)
        .map(|(target, at)| PendingRevocation {
            target,
            at: Timestamp::from_unix(at),
        })
        .collect()
    }

    fn key_of_uuid() -> StoreKey {
        let id = SessionId::parse_as(b"0f8fad5b-d9cb-469f-a165-70867728950e", KeyScheme::RawId);
        id.expect("a UUID").store_key_as(KeyScheme::RawId)
    }

    fn text() -> String {
        HEADER.to_owned() + &revocations().iter().map(line).collect::<String>()
    }

    #[test]
    fn the_format_is_the_documented_one() {
        let revocation = PendingRevocation {
            target: RevocationTarget::User("ann".into(), Selection::All),
            at: Timestamp::from_unix(1_700_000_000),
        };
        assert_eq!(line(&revocation), "-x2IIUJSnFaT user YW5u all 1700000000\n");
        assert_eq!(HEADER, "carafe-log-outs 1\n");
        let by_id = PendingRevocation {
            target: RevocationTarget::Key(key_of_uuid()),
            ..revocation
        };
        let line = line(&by_id);
        let (_, line) = line.split_once(' ').expect("the checksum comes first");
        assert_eq!(line, "id 0f8fad5b-d9cb-469f-a165-70867728950e 1700000000\n");
    }

    #[test]
    fn a_written_journal_is_read_back_and_another_file_is_rejected() {
        let entries = parse(text().as_bytes()).expect("a journal");
        assert_eq!((entries.revocations, entries.damaged), (revocations(), 0));
        for other in ["{}", "carafe-log-outs 2\n", "carafe-log-outs 10\n", "\n"] {
            assert_eq!(parse(other.as_bytes()), Err(NotAJournal), "{other:?}");
        }
    }

    #[test]
    fn a_crash_at_any_byte_loses_at_most_the_last_line() {
        let text = text();
        for end in 0..text.len() {
            let entries = parse(&text.as_bytes()[..end]).expect("a journal");
            let whole = text[..end].matches('\n').count().saturating_sub(1);
            assert_eq!(entries.revocations, revocations()[..whole], "{end}");
            assert_eq!(entries.damaged, 0, "{end}");
        }
    }

    proptest! {
        #[test]
        fn a_flipped_bit_makes_no_other_revocation(
            at in HEADER.len()..text().len(), bit in 0..8,
        ) {
            let mut bytes = text().into_bytes();
            bytes[at] ^= 1_u8 << bit;
            let read = parse(&bytes).expect("the header is intact").revocations;
            let known = revocations();
            prop_assert!(read.iter().all(|revocation| known.contains(revocation)));
            prop_assert!(read.len() >= known.len() - 2, "one line, or two that became one");
            prop_assert!(read.len() < known.len());
        }

        #[test]
        fn no_input_panics(bytes: Vec<u8>) {
            let text = [HEADER.as_bytes(), &bytes].concat();
            let entries = parse(&text).expect("the header is intact");
            prop_assert!(entries.revocations.is_empty());
        }
    }
}
