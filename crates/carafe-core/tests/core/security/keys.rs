//! CRY: keys, ciphers, rotation, and secrets that must never be shown.

use futures_executor::block_on;
use std::{collections::HashSet, fmt::Debug, fs, path::Path, sync::Arc};

use carafe_core::{
    cookie::{Candidates, Grammar, RequestCookies, SetCookie, pairs, values_of},
    json::JsonDialect,
    key::{Digest, KeyRing, KeyUse, SecretKey},
    session::{
        ClientSide, CommitError, HeaderChanges, Patch, SessionConfig, SessionData, SessionManager,
    },
    token::{
        Opened, Verified,
        encrypted::EncryptedSessions,
        signed::{
            SignedFormat, SignedSessions, Signer, SignerSettings, TimestampSigner,
            UrlSafeSerializer, UrlSafeTimedSerializer,
        },
    },
};
use carafe_test_fixtures::logs;

use super::browser::{
    KEY, NOON, OTHER_KEY, all_managers, answered, cookie_of, key, manager, pair, request, ring,
    user_of,
};

const DAY: i64 = 86_400;

#[test]
fn no_nonce_repeats_in_100_000_tokens() {
    let sessions = EncryptedSessions::new(&ring(), "shop", "session");
    let nonces: HashSet<Vec<u8>> = (0..100_000)
        .map(|_| {
            let token = sessions.seal("{}", NOON, NOON).unwrap();
            base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).unwrap()[5..29].to_vec()
        })
        .collect();
    assert_eq!(nonces.len(), 100_000);
}

/// Detects a nonce that counts or repeats a byte.
#[test]
fn every_byte_of_a_nonce_takes_many_values() {
    let sessions = EncryptedSessions::new(&ring(), "shop", "session");
    let nonces: Vec<_> = (0..2_000)
        .map(|_| {
            let token = sessions.seal("{}", NOON, NOON).unwrap();
            base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).unwrap()[5..29].to_vec()
        })
        .collect();
    for byte in 0..24 {
        let values: HashSet<u8> = nonces.iter().map(|nonce| nonce[byte]).collect();
        assert!(
            values.len() > 240,
            "byte {byte} has {} values",
            values.len()
        );
    }
}

/// Two tokens of one session have no block in common, which excludes both ECB and a fixed key
/// stream.
#[test]
fn equal_sessions_give_unequal_tokens() {
    let sessions = EncryptedSessions::new(&ring(), "shop", "session");
    let payload = format!(r#"{{"a":"{}"}}"#, "A".repeat(960));
    let bytes = || {
        let token = sessions.seal(&payload, NOON, NOON).unwrap();
        base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).unwrap()[61..].to_vec()
    };
    let (one, other) = (bytes(), bytes());
    let blocks: HashSet<&[u8]> = one.chunks(16).chain(other.chunks(16)).collect();
    assert_eq!(blocks.len(), one.chunks(16).len() + other.chunks(16).len());
}

type Side = fn(KeyRing) -> ClientSide;

const SIDES: [(&str, Side); 2] = [
    ("signed", |ring| ClientSide::signed(ring)),
    ("encrypted", |ring| ClientSide::encrypted(ring, "shop")),
];

fn old() -> SecretKey {
    key(KEY)
}

fn new() -> SecretKey {
    key(OTHER_KEY)
}

/// Returns the rings of a rotation.
///
/// The phases are: before; the new key everywhere as a fallback; the new key current; the old key
/// removed.
fn phases() -> [KeyRing; 4] {
    [
        KeyRing::new(old()),
        KeyRing::new(old()).with_fallback(new()).unwrap(),
        KeyRing::new(new()).with_fallback(old()).unwrap(),
        KeyRing::new(new()),
    ]
}

/// CVE-2025-47278: the current key signs, regardless of the other keys of the ring and their order.
#[test]
fn what_is_written_opens_under_the_current_key_alone() {
    let third = || key("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    let rings = [
        KeyRing::new(new()),
        KeyRing::new(new()).with_fallback(old()).unwrap(),
        KeyRing::new(new())
            .with_fallback(old())
            .unwrap()
            .with_fallback(third())
            .unwrap(),
        KeyRing::new(new())
            .with_fallback(third())
            .unwrap()
            .with_fallback(old())
            .unwrap(),
    ];
    for (name, side) in SIDES {
        let alone = manager(side(KeyRing::new(new())), SessionConfig::flask());
        for ring in &rings {
            let wide = manager(side(ring.clone()), SessionConfig::flask());
            let cookie = cookie_of(&wide, NOON, |session| session.insert("user", "a").unwrap());
            assert_eq!(
                user_of(&alone, &cookie, NOON).as_deref(),
                Some("a"),
                "{name}"
            );
        }
    }
}

/// No user is logged out by a rolling key rotation.
///
/// A deployment reaches one of two nodes before the other, and a user's requests reach the nodes in
/// every possible order.
#[test]
fn a_rolling_key_rotation_keeps_all_sessions() {
    const STATES: [(usize, usize); 7] = [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3)];
    for (name, side) in SIDES {
        for preset in [SessionConfig::flask(), SessionConfig::default()] {
            let nodes = phases().map(|ring| manager(side(ring), preset.clone()));
            // Two requests in each state: 2^14 routes.
            for route in 0..1_u32 << (2 * STATES.len()) {
                if route % 61 != 0 {
                    continue; // the sample covers each pair of steps in all four ways
                }
                let mut cookie = cookie_of(&nodes[0], NOON, |s| s.insert("user", "a").unwrap());
                for step in 0..2 * STATES.len() {
                    let (one, other) = STATES[step / 2];
                    let node = &nodes[if route >> step & 1 == 0 { one } else { other }];
                    // The old key is removed once every cookie under it has expired, one lifetime
                    // after the change.
                    let now = NOON.saturating_add(i64::try_from(step).unwrap());
                    let line = cookie.clone();
                    let effects = request(node, &[line.as_bytes()], now, |session| {
                        let user: Option<String> = session.get("user").unwrap();
                        assert_eq!(
                            user.as_deref(),
                            Some("a"),
                            "{name}: route {route:b}, step {step}"
                        );
                    });
                    let effects = effects.unwrap();
                    if effects.set_cookie.is_some() {
                        cookie = pair(&effects);
                    }
                }
            }
        }
    }
}

#[test]
fn a_reissue_changes_the_key_and_keeps_the_time() {
    for (name, side) in SIDES {
        let [before, _, after, gone] = phases().map(|ring| {
            let config = SessionConfig::flask();
            manager(side(ring), config)
        });
        let cookie = cookie_of(&before, NOON, |session| {
            session.insert("user", "a").unwrap();
        });
        let later = NOON.saturating_add(20 * DAY);
        let effects = request(&after, &[cookie.as_bytes()], later, |session| {
            _ = session.user();
        });
        let reissued = pair(&effects.unwrap());
        assert_ne!(reissued, cookie);
        let end = NOON.saturating_add(31 * DAY);
        assert_eq!(
            user_of(&gone, &reissued, end).as_deref(),
            Some("a"),
            "{name}"
        );
        assert_eq!(
            user_of(&gone, &reissued, end.saturating_add(1)),
            None,
            "{name}"
        );
        // A cookie under the current key is not sent again.
        let again = request(&after, &[reissued.as_bytes()], later, |session| {
            _ = session.user();
        });
        assert_eq!(again.unwrap().set_cookie, None, "{name}");
    }
}

#[test]
fn a_fallback_key_expires_to_the_second() {
    let ring = KeyRing::new(new())
        .with_fallback_until(old(), NOON.saturating_add(60))
        .unwrap();
    for (name, side) in SIDES {
        let cookie = cookie_of(
            &manager(side(old().into()), SessionConfig::flask()),
            NOON,
            |session| {
                session.insert("user", "a").unwrap();
            },
        );
        let node = manager(side(ring.clone()), SessionConfig::flask());
        assert!(
            user_of(&node, &cookie, NOON.saturating_add(60)).is_some(),
            "{name}"
        );
        assert!(
            user_of(&node, &cookie, NOON.saturating_add(61)).is_none(),
            "{name}"
        );
    }
}

#[test]
fn the_key_that_opened_a_token_is_reported() {
    let ring = KeyRing::new(new()).with_fallback(old()).unwrap();
    let token = SignedSessions::new(&old().into(), &SignedFormat::flask()).seal("{}", NOON);
    let opened =
        SignedSessions::new(&ring, &SignedFormat::flask()).open(token.as_bytes(), None, NOON);
    assert_eq!(opened.unwrap().key, KeyUse::Fallback(1));
}

/// Fails to compile if the type implements the trait, because `some` is then ambiguous.
macro_rules! assert_not {
    ($bound:path: $($type:ty),+ $(,)?) => {$(
        const _: fn() = || {
            trait Ambiguous<A> {
                fn some() {}
            }
            struct HasIt;
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $bound> Ambiguous<HasIt> for T {}
            let _ = <$type as Ambiguous<_>>::some;
        };
    )+};
}

// CRY-5: types that hold a key, or data verified by a key, cannot be compared with `==`.
assert_not!(PartialEq: SecretKey, KeyRing, Verified<'static>, Signer, TimestampSigner,
    SignedSessions, EncryptedSessions, UrlSafeSerializer, UrlSafeTimedSerializer, SessionManager);
// CRY-7: these types cannot be displayed, serialized or read as bytes.
assert_not!(std::fmt::Display: SecretKey, KeyRing, Signer, SignedSessions, EncryptedSessions, ClientSide);
assert_not!(serde::Serialize: SecretKey, KeyRing, SignedSessions, EncryptedSessions, ClientSide, Opened);
assert_not!(AsRef<[u8]>: SecretKey, KeyRing);
assert_not!(std::ops::Deref: SecretKey, KeyRing);
assert_not!(std::hash::Hash: SecretKey, KeyRing);

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            // The rest of the file is test code.
            let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
            found.push((path.to_string_lossy().replace('\\', "/"), code));
        }
    }
}

/// Returns the files of this crate with one of `words` in their code, without tests.
fn files_with(words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    sources(&root, &mut all);
    assert!(all.len() > 40);
    let mut files: Vec<_> = all
        .into_iter()
        .filter(|(_, code)| words.iter().any(|word| code.contains(word)))
        .map(|(path, _)| path.rsplit_once("/src/").unwrap().1.to_owned())
        .collect();
    files.sort();
    files
}

#[test]
fn randomness_has_one_source_and_its_failure_is_an_error() {
    assert_eq!(
        files_with(&["rand::", "thread_rng", "OsRng", "RandomState"]),
        [""; 0]
    );
    let users = files_with(&["getrandom::"]);
    assert!(users.contains(&"token/encrypted.rs".to_owned()));
    let mut all = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    for (path, code) in all {
        for call in code.lines().filter(|line| line.contains("getrandom::")) {
            let handled = call.contains("map_err") && call.trim_end().ends_with("?;");
            assert!(handled, "{path}: {call}");
        }
    }
}

#[test]
fn sha_1_is_used_for_hmac_in_one_file_only() {
    assert_eq!(files_with(&["sha1::"]), ["key/mac.rs"]);
}

#[test]
fn tags_are_compared_by_subtle_only() {
    assert_eq!(
        files_with(&["ct_eq"]),
        [
            "key/mac.rs",
            "key/secret.rs",
            "session/csrf_token.rs",
            "token/encrypted.rs"
        ]
    );
}

/// Crypto agility without negotiation.
///
/// Under one key, tokens of two settings are not interchangeable, and no token names its setting.
#[test]
fn a_change_of_algorithm_is_a_change_of_configuration() {
    let format = |digest| SignedFormat::flask().with_digest(digest);
    let open = |cookie: &str, digest| {
        SignedSessions::new(&ring(), &format(digest)).open(cookie.as_bytes(), None, NOON)
    };
    let digests = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];
    for ours in digests {
        let cookie = SignedSessions::new(&ring(), &format(ours)).seal("{}", NOON);
        for theirs in digests {
            assert_eq!(open(&cookie, theirs).is_ok(), ours == theirs);
        }
    }
}

const MARKER: &str = "marker-4111-1111";

/// Returns the marker within 8 KB of incompressible text.
fn noise() -> String {
    let mut state = 1_u64;
    let letters = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'a' + u8::try_from((state >> 40) % 26).unwrap())
    });
    letters.take(8_000).collect::<String>() + MARKER
}

/// Runs the whole lifecycle of a session, and returns everything that is logged.
fn scenario() -> Vec<String> {
    let mut seen = vec![KEY.to_owned(), OTHER_KEY.to_owned(), MARKER.to_owned()];
    for manager in all_managers() {
        let cookie = cookie_of(&manager, NOON, |session| {
            session.insert("card", MARKER).unwrap();
            session.flash("info", MARKER).unwrap();
            session.log_in(MARKER).unwrap();
            let _ = session
                .get::<u64>("card")
                .map_err(|error| tracing::error!("{error} {error:?}"));
            let _ = session
                .get::<bool>("_user_id")
                .map_err(|error| tracing::error!("{error} {error:?}"));
        });
        let value = cookie.split_once('=').unwrap().1.to_owned();
        let tampered = format!("{cookie}x");
        for line in [&cookie, &tampered, &format!("{cookie}; {tampered}")] {
            for now in [
                NOON,
                NOON.saturating_add(40 * DAY),
                NOON.saturating_add(-DAY),
            ] {
                let answer = answered(&manager, &[line.as_bytes()], now, 500, |session| {
                    let _ = session.take_flashes();
                    tracing::trace!(?session, rejection = ?session.rejection());
                });
                tracing::trace!(?answer, ?manager, slot = ?manager.begin());
            }
        }
        let too_large = request(&manager, &[], NOON, |session| {
            session.insert("big", &noise()).unwrap();
        });
        let error = too_large.unwrap_err();
        tracing::error!("{error} {error:?}");
        seen.push(value);
    }
    seen
}

#[test]
fn nothing_secret_is_logged_in_a_whole_scenario() {
    let mut secrets = Vec::new();
    let lines = logs::lines_of(|| secrets = scenario());
    assert!(lines.len() > 60, "only {} events", lines.len());
    for line in &lines {
        for secret in &secrets {
            assert!(
                !line.text.contains(secret.as_str()),
                "{secret} is in {}",
                line.text
            );
        }
    }
}

/// Checks `Debug` of every public type that holds a key, a cookie or a session.
///
/// Types that represent a value, such as `json::Value` and `Flash`, show it, because the program
/// has requested the value.
#[test]
fn debug_of_public_types_shows_no_secret() {
    let settings = || SignerSettings::with_salt("salt");
    let ring = || KeyRing::new(new()).with_fallback(old()).unwrap();
    let token = SignedSessions::new(&ring(), &SignedFormat::flask());
    let sealed = token.seal(&format!(r#"{{"a":"{MARKER}"}}"#), NOON);
    let opened = token.open(sealed.as_bytes(), None, NOON).unwrap();
    let line = format!("session={sealed}; other={MARKER}");
    let lines = || [line.as_bytes()];
    let candidates: Candidates<'_> = values_of(lines(), "session", Grammar::Strict);
    let data = SessionData::parse(format!(r#"{{"a":"{MARKER}"}}"#), JsonDialect::FLASK).unwrap();
    let mut patch = Patch::default();
    patch.set("a", format!(r#""{MARKER}""#));
    let side = ClientSide::signed(ring());
    let manager = Arc::new(SessionManager::new(side.clone(), SessionConfig::flask()).unwrap());
    let slot = manager.begin();
    let session = block_on(manager.open(&slot, lines(), NOON)).unwrap();
    session.insert("b", MARKER).unwrap();
    let wrong_type = session.get::<u8>("b").unwrap_err();
    let wrong_number = session
        .insert("n", &411_111_111)
        .and_then(|()| session.get::<u8>("n"))
        .unwrap_err();
    let effects: HeaderChanges = block_on(manager.commit(&slot, [], 200, NOON)).unwrap();
    let sent = pair(&effects).split_once('=').unwrap().1.to_owned();
    let too_large: CommitError = request(&manager, &[], NOON, |session| {
        session.insert("b", &noise()).unwrap();
    })
    .unwrap_err();
    let bad_link = UrlSafeSerializer::new(&ring(), settings())
        .loads::<u8>(
            &UrlSafeSerializer::new(&ring(), settings())
                .dumps(MARKER)
                .unwrap(),
            NOON,
        )
        .unwrap_err();
    let shown: Vec<(&str, Box<dyn Debug>)> = vec![
        ("SecretKey", Box::new(new())),
        ("KeyError", Box::new(SecretKey::new(MARKER).err())),
        ("KeyRing", Box::new(ring())),
        ("ClientSide", Box::new(side)),
        (
            "ClientSide::encrypted",
            Box::new(ClientSide::encrypted(ring(), "shop")),
        ),
        ("Signer", Box::new(Signer::new(&ring(), settings()))),
        (
            "TimestampSigner",
            Box::new(TimestampSigner::new(&ring(), settings())),
        ),
        (
            "UrlSafeSerializer",
            Box::new(UrlSafeSerializer::new(&ring(), settings())),
        ),
        (
            "UrlSafeTimedSerializer",
            Box::new(UrlSafeTimedSerializer::new(&ring(), settings())),
        ),
        ("SignedSessions", Box::new(token.clone())),
        (
            "EncryptedSessions",
            Box::new(EncryptedSessions::new(&ring(), "shop", "session")),
        ),
        ("Opened", Box::new(opened)),
        ("SessionData", Box::new(data)),
        ("Patch", Box::new(patch)),
        ("SessionManager", Box::new(Arc::clone(&manager))),
        ("Slot", Box::new(slot)),
        ("Session", Box::new(session)),
        ("SessionError", Box::new(wrong_type)),
        ("SessionError of a number", Box::new(wrong_number)),
        ("TokenError", Box::new(bad_link)),
        ("Effects", Box::new(effects)),
        ("CommitError", Box::new(too_large)),
        ("SetCookie", Box::new(SetCookie::new("a", MARKER))),
        (
            "RequestCookies",
            Box::new(RequestCookies::parse(lines(), Grammar::Strict)),
        ),
    ];
    let borrowed = [
        format!("{candidates:?}"),
        format!(
            "{:?}",
            pairs(line.as_bytes(), Grammar::Strict).collect::<Vec<_>>()
        ),
        format!("{:?}", pairs(line.as_bytes(), Grammar::Strict)),
    ];
    let texts = shown
        .iter()
        .map(|(name, value)| (*name, format!("{value:?} {value:#?}")));
    for (name, text) in texts.chain(borrowed.map(|text| ("borrowed", text))) {
        for secret in [KEY, OTHER_KEY, MARKER, &sealed, &sent, "411111111"] {
            assert!(!text.contains(secret), "{name} shows {secret}: {text}");
        }
        // Keys as lists of bytes.
        for bytes in [KEY, OTHER_KEY].map(|key| format!("{:?}", &key.as_bytes()[..4])) {
            assert!(
                !text.contains(bytes.trim_matches(['[', ']'])),
                "{name}: {text}"
            );
        }
    }
}
