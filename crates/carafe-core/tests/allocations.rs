//! What a request may cost in memory: nothing before a tag is verified, little for a bomb, nothing for a
//! session that nobody uses. Alone in its binary, because it counts the allocations of the process.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use futures_executor::block_on;
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use carafe_core::{
    clock::Timestamp,
    key::{KeyRing, SecretKey},
    session::{ClientSide, SessionConfig, SessionManager},
    token::{
        Compression, INFLATED_LIMIT, PayloadError, TokenError,
        encrypted::EncryptedSessions,
        signed::{SignedFormat, SignedSessions},
    },
};

const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

fn ring() -> KeyRing {
    let text = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";
    SecretKey::new(text).unwrap().into()
}

fn flask() -> SignedSessions {
    let format = SignedFormat::flask().with_compression(Compression::WhenShorter);
    SignedSessions::new(&ring(), &format)
}

/// A cookie of 4 KB that inflates to 3 MB.
fn bomb() -> String {
    let cookie = flask().seal(&"a".repeat(3 << 20), NOON);
    assert!(cookie.len() < 8 << 10, "{} bytes", cookie.len());
    cookie
}

/// The last letter of the signature is another one.
fn broken(cookie: &str) -> String {
    let mut broken = cookie.to_owned();
    let last = broken.pop().unwrap();
    broken.push(if last == 'A' { 'E' } else { 'A' });
    broken
}

/// What the second run of `work` allocates: the first may fill caches of the thread.
fn cost(work: impl Fn()) -> AllocationInfo {
    work();
    measure(work)
}

/// Decoding, inflating and parsing all allocate; refusing a signature does not.
#[test]
fn tok_1_a_bad_signature_costs_no_allocation() {
    let (sessions, bomb) = (flask(), bomb());
    let small = sessions.seal(r#"{"user":42}"#, NOON);
    for cookie in [
        broken(&bomb),
        broken(&small),
        "A".repeat(60_000),
        "a.b.c".to_owned(),
        ".".repeat(60_000),
    ] {
        let cost = cost(|| assert!(sessions.open(cookie.as_bytes(), None, NOON).is_err()));
        assert_eq!(cost.count_total, 0, "{cookie:.40}…");
    }
    // The counter counts: the good one allocates.
    let good = cost(|| assert!(sessions.open(small.as_bytes(), None, NOON).is_ok()));
    assert!(good.count_total > 0);
}

#[test]
fn tok_1_an_expired_cookie_is_not_decoded_either() {
    let (sessions, bomb) = (flask(), bomb());
    let (day, late) = (
        std::time::Duration::from_secs(86_400),
        NOON.saturating_add(86_401),
    );
    let cost = cost(|| {
        let opened = sessions.open(bomb.as_bytes(), Some(day), late);
        assert!(matches!(opened, Err(TokenError::Expired { .. })));
    });
    assert_eq!(cost.count_total, 0);
}

/// The token must be decoded to find its tag; that is one allocation, of its own size.
#[test]
fn tok_1_a_bad_encrypted_token_costs_its_own_bytes() {
    let sessions = EncryptedSessions::new(&ring(), "shop", "session");
    let token = sessions.seal(&"a".repeat(3_000), NOON, NOON).unwrap();
    let cost = cost(|| {
        let opened = sessions.open(broken(&token).as_bytes(), None, NOON);
        assert!(opened.is_err());
    });
    // `broken` makes one copy itself, and grows it by no letter.
    assert!(cost.count_total <= 2, "{} allocations", cost.count_total);
    assert!(cost.bytes_total <= 2 * u64::try_from(token.len()).unwrap());
}

/// A correctly signed bomb: its key was stolen, or the other program is careless.
#[test]
fn tok_9_a_bomb_never_holds_more_than_256_kib() {
    let (sessions, bomb) = (flask(), bomb());
    let cost = cost(|| {
        let opened = sessions.open(bomb.as_bytes(), None, NOON);
        assert_eq!(opened, Err(PayloadError::TooLarge.into()));
    });
    assert!(
        cost.bytes_max < 256 << 10,
        "{} bytes at once",
        cost.bytes_max
    );
    assert!(
        cost.bytes_total < 512 << 10,
        "{} bytes in all",
        cost.bytes_total
    );
    assert!(cost.bytes_max >= u64::try_from(INFLATED_LIMIT).unwrap() / 2);
}

/// CKR-6: cookies that are not ours cost nothing, however many there are.
#[test]
fn ckr_6_a_header_without_our_cookie_costs_a_constant() {
    let side = ClientSide::signed(ring());
    let manager = Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
    let open = |line: &str| {
        cost(|| {
            assert!(
                block_on(manager.open(&manager.begin(), [line.as_bytes()], NOON))
                    .unwrap()
                    .is_empty()
            );
        })
        .count_total
    };
    let one = open("a=b");
    assert_eq!(open(&"theme=dark; ".repeat(100)), one);
    assert_eq!(open(&"theme=dark; ".repeat(100_000)), one);
    assert_eq!(open(&";".repeat(1 << 20)), one);
    assert!(one <= 2, "{one} allocations");
}

#[test]
fn an_untouched_session_costs_one_allocation() {
    let side = ClientSide::encrypted(ring(), "shop");
    let manager = Arc::new(SessionManager::new(side, SessionConfig::default()).unwrap());
    let line = format!("{}=junk", manager.cookie().name());
    let cost = cost(|| {
        let slot = manager.begin();
        block_on(manager.commit(&slot, [line.as_bytes()], 200, NOON)).unwrap();
    });
    assert_eq!(cost.count_total, 1);
}
