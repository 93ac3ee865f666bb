//! TOK: attacks that a token must resist.

use futures_executor::block_on;
use std::time::Duration;

use carafe_core::{
    clock::Timestamp,
    json::{JsonDialect, ScanError},
    key::{Digest, KeyDerivation},
    session::{ClientSide, Rejection, SessionConfig, SessionData},
    token::{
        Compression, Opened, PayloadError, TokenError,
        encrypted::{EncryptedSessions, OVERHEAD},
        signed::{
            SignedFormat, SignedSessions, Signer, SignerSettings, TimestampSigner,
            UrlSafeSerializer, UrlSafeTimedSerializer,
        },
    },
};

use super::browser::{
    NOON, OTHER_KEY, all_managers, answered, cookie_of, key, manager, pair, request, ring, user_of,
};

const DAY: i64 = 86_400;
const PAYLOAD: &str = r#"{"user":"marker"}"#;

type Seal = Box<dyn Fn(&str) -> String>;
type Open = Box<dyn Fn(&[u8]) -> Result<Opened, TokenError>>;

/// One format of a session in a cookie.
struct Format {
    name: &'static str,
    /// Number of tokens in which every bit is changed: fewer if only a setting differs.
    flipped: u32,
    seal: Seal,
    open: Open,
}

fn signed(name: &'static str, format: &SignedFormat) -> Format {
    let format = format.clone().with_compression(Compression::Above(64));
    let sessions = SignedSessions::new(&ring(), &format);
    let opener = sessions.clone();
    Format {
        name,
        flipped: if matches!(name, "flask" | "starlette") {
            300
        } else {
            30
        },
        seal: Box::new(move |payload| sessions.seal(payload, NOON)),
        open: Box::new(move |cookie| opener.open(cookie, None, NOON)),
    }
}

fn encrypted(name: &'static str, application: &str, cookie: &str) -> Format {
    let sessions = EncryptedSessions::new(&ring(), application, cookie);
    let opener = sessions.clone();
    Format {
        name,
        flipped: 300,
        seal: Box::new(move |payload| {
            sessions
                .seal(payload, NOON, NOON.saturating_add(DAY))
                .unwrap()
        }),
        open: Box::new(move |cookie| opener.open(cookie, None, NOON)),
    }
}

/// Returns all formats of a session, with one key for all. Quart's is Flask's on the wire.
fn formats() -> Vec<Format> {
    vec![
        signed("flask", &SignedFormat::flask()),
        signed("starlette", &SignedFormat::starlette()),
        signed(
            "flask sha256",
            &SignedFormat::flask().with_digest(Digest::Sha256),
        ),
        signed(
            "flask sha512",
            &SignedFormat::flask().with_digest(Digest::Sha512),
        ),
        signed(
            "flask concat",
            &SignedFormat::flask().with_key_derivation(KeyDerivation::Concat),
        ),
        signed(
            "flask, another salt",
            &SignedFormat::flask().with_salt("other"),
        ),
        encrypted("encrypted", "shop", "session"),
    ]
}

#[test]
fn every_format_opens_its_own() {
    for format in formats() {
        for payload in [
            "{}",
            PAYLOAD,
            &format!(r#"{{"long":"{}"}}"#, "a".repeat(3000)),
        ] {
            let opened = (format.open)((format.seal)(payload).as_bytes()).unwrap();
            assert_eq!(opened.payload, payload, "{}", format.name);
            assert_eq!(opened.issued, NOON, "{}", format.name);
        }
    }
}

/// Every single bit, at every position.
#[test]
fn no_token_with_one_changed_bit_opens() {
    for format in formats() {
        for number in 0..format.flipped {
            let token = (format.seal)(&format!(r#"{{"n":{number}}}"#)).into_bytes();
            for bit in 0..token.len() * 8 {
                let mut changed = token.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                let opened = (format.open)(&changed);
                assert!(opened.is_err(), "{}: bit {bit} of {number}", format.name);
            }
        }
    }
}

#[test]
fn no_token_that_is_cut_or_longer_opens() {
    for format in formats() {
        for number in 0..format.flipped {
            let token = (format.seal)(&format!(r#"{{"n":{number}}}"#));
            for length in 0..token.len() {
                assert!((format.open)(&token.as_bytes()[..length]).is_err());
                assert!((format.open)(&token.as_bytes()[token.len() - length..]).is_err());
            }
            for more in ["=", "A", ".", " ", "\0", "AAAA", ".AAAA"] {
                assert!((format.open)(format!("{token}{more}").as_bytes()).is_err());
                assert!((format.open)(format!("{more}{token}").as_bytes()).is_err());
            }
        }
    }
}

/// Version and algorithm: only Carafe's own values of the first byte are accepted.
#[test]
fn no_other_version_of_an_encrypted_token_opens() {
    let format = encrypted("encrypted", "shop", "session");
    let token = decoded(&(format.seal)(PAYLOAD));
    for version in 0..=u8::MAX {
        let changed = encoded(&[&[version], &token[1..]].concat());
        let opened = (format.open)(changed.as_bytes());
        if version == 1 {
            assert!(opened.is_ok());
        } else {
            assert_eq!(opened, Err(TokenError::Malformed("its version is unknown")));
        }
    }
}

#[test]
fn no_format_opens_the_tokens_of_another() {
    let formats = formats();
    for ours in &formats {
        for theirs in formats.iter().filter(|format| format.name != ours.name) {
            let token = (theirs.seal)(PAYLOAD);
            let opened = (ours.open)(token.as_bytes());
            assert!(opened.is_err(), "{} opens {}", ours.name, theirs.name);
        }
    }
}

#[test]
fn nothing_unsigned_opens() {
    let body = encoded(PAYLOAD.as_bytes());
    let none = encoded(br#"{"alg":"none"}"#);
    let flask = SignedSessions::new(&ring(), &SignedFormat::flask()).seal(PAYLOAD, NOON);
    let (value, _) = flask.rsplit_once('.').unwrap();
    let unsigned = [
        PAYLOAD.to_owned(),
        body.clone(),
        format!("{body}."),
        format!("{body}.."),
        format!("{body}.ZVPxAA"),
        format!("{body}.ZVPxAA."),
        format!("{none}.{body}."),
        format!("{none}.{body}.ZVPxAA"),
        value.to_owned(),
        format!("{value}."),
        format!("{value}.{}", "A".repeat(27)),
        encoded(&[&[1; 77], PAYLOAD.as_bytes()].concat()),
        encoded(&[&[0; 93], PAYLOAD.as_bytes()].concat()),
        String::new(),
        "null".to_owned(),
        "e30".to_owned(),
    ];
    for format in formats() {
        for token in &unsigned {
            assert!(
                (format.open)(token.as_bytes()).is_err(),
                "{}: {token}",
                format.name
            );
        }
    }
}

/// Signers for other uses of the same key.
#[test]
fn no_purpose_opens_the_tokens_of_another() {
    let salts = [
        "cookie-session",
        "itsdangerous.Signer",
        "itsdangerous",
        "password-reset",
        "",
    ];
    let minute = Some(Duration::from_secs(60));
    for ours in salts {
        for theirs in salts.into_iter().filter(|salt| *salt != ours) {
            let ours = || SignerSettings::with_salt(ours);
            let theirs = || SignerSettings::with_salt(theirs);
            let token = Signer::new(&ring(), theirs()).sign("42");
            assert!(Signer::new(&ring(), ours()).unsign(&token, NOON).is_err());
            let token = TimestampSigner::new(&ring(), theirs()).sign("42", NOON);
            assert!(
                TimestampSigner::new(&ring(), ours())
                    .unsign(&token, minute, NOON)
                    .is_err()
            );
            let token = UrlSafeSerializer::new(&ring(), theirs())
                .dumps("42")
                .unwrap();
            let links = UrlSafeSerializer::new(&ring(), ours());
            assert!(links.loads::<String>(&token, NOON).is_err());
            let token = UrlSafeTimedSerializer::new(&ring(), theirs())
                .dumps("42", NOON)
                .unwrap();
            let links = UrlSafeTimedSerializer::new(&ring(), ours());
            assert!(links.loads::<String>(&token, minute, NOON).is_err());
        }
    }
}

/// A link is not a session, even under the session's own salt, because its derivation differs.
#[test]
fn a_signed_link_is_no_session() {
    let links = UrlSafeTimedSerializer::new(&ring(), SignerSettings::with_salt("cookie-session"));
    let token = links.dumps(&("user", "admin"), NOON).unwrap();
    for format in formats() {
        assert!((format.open)(token.as_bytes()).is_err(), "{}", format.name);
    }
}

/// Two cookies, two applications, and names with letters moved from one to the other.
#[test]
fn no_encrypted_value_opens_in_another_cookie_or_application() {
    let places = [
        ("shop", "session"),
        ("shop", "theme"),
        ("admin", "session"),
        ("ab", "c"),
        ("a", "bc"),
        ("", "abc"),
        ("abc", ""),
        ("shop", "Session"),
        ("shop\0", "session"),
    ];
    for (application, cookie) in places {
        let token = (encrypted("theirs", application, cookie).seal)(PAYLOAD);
        for (other_application, other_cookie) in places {
            let opened =
                (encrypted("ours", other_application, other_cookie).open)(token.as_bytes());
            let same = (application, cookie) == (other_application, other_cookie);
            assert_eq!(
                opened.is_ok(),
                same,
                "{application}/{cookie} in {other_application}/{other_cookie}"
            );
        }
    }
}

/// Through managers: the cookie must have the configured name, so a renamed cookie is invalid.
#[test]
fn a_renamed_cookie_is_rejected() {
    use carafe_core::cookie::CookiePolicy;
    let named = |name: &str| {
        let config = SessionConfig::default().with_cookie(CookiePolicy::builder(name));
        manager(ClientSide::encrypted(ring(), "shop"), config)
    };
    let (one, other) = (named("__Host-one"), named("__Host-two"));
    let cookie = cookie_of(&one, NOON, |session| session.insert("user", "a").unwrap());
    assert_eq!(user_of(&one, &cookie, NOON).as_deref(), Some("a"));
    let renamed = cookie.replace("__Host-one=", "__Host-two=");
    assert_eq!(user_of(&other, &renamed, NOON), None);
}

/// The embedded times are checked to the second at both bounds, regardless of the expiry in the
/// browser.
#[test]
fn times_are_inside_the_token_and_checked_on_the_server() {
    let sessions = EncryptedSessions::new(&ring(), "shop", "session");
    let token = sessions
        .seal(PAYLOAD, NOON, NOON.saturating_add(60))
        .unwrap();
    let age = |seconds| Some(Duration::from_secs(seconds));
    for (offset, max_age, opens) in [
        (0, None, true),
        (60, None, true),
        (61, None, false),
        (60, age(60), true),
        (31, age(30), false),
        (30, age(30), true),
        (61, age(1000), false),
        (-5, None, true),
        (-6, None, false),
        (0, age(0), true),
        (1, age(0), false),
        (i64::MAX, None, false),
        (i64::MIN, None, false),
    ] {
        let opened = sessions.open(token.as_bytes(), max_age, NOON.saturating_add(offset));
        assert_eq!(opened.is_ok(), opens, "{offset} {max_age:?}");
    }
    let strict = sessions.clone().with_clock_skew(Duration::ZERO);
    assert!(
        strict
            .open(token.as_bytes(), None, NOON.saturating_add(-1))
            .is_err()
    );
}

#[test]
fn no_timestamp_panics() {
    let sessions =
        EncryptedSessions::new(&ring(), "shop", "session").with_clock_skew(Duration::MAX);
    let flask = SignedSessions::new(&ring(), &SignedFormat::flask()).with_clock_skew(Duration::MAX);
    let times = [i64::MIN, -1, 0, 1, 1_700_000_000, i64::MAX].map(Timestamp::from_unix);
    for issued in times {
        for expires in times {
            let token = sessions.seal(PAYLOAD, issued, expires).unwrap();
            let cookie = flask.seal(PAYLOAD, issued);
            for now in times {
                for age in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
                    let _ = sessions.open(token.as_bytes(), age, now);
                    let _ = flask.open(cookie.as_bytes(), age, now);
                }
            }
        }
    }
}

#[test]
fn a_cookie_that_the_browser_kept_too_long_is_rejected() {
    for manager in all_managers() {
        let cookie = cookie_of(&manager, NOON, |session| {
            session.insert("user", "a").unwrap();
        });
        let last = NOON + manager.lifetime();
        assert_eq!(user_of(&manager, &cookie, last).as_deref(), Some("a"));
        assert_eq!(user_of(&manager, &cookie, last.saturating_add(1)), None);
    }
}

#[test]
fn an_encrypted_cookie_shows_nothing_and_a_signed_one_is_readable() {
    let contains = |token: &str, text: &str| {
        let bytes = decoded(token.split('.').next().unwrap());
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    let hidden = encrypted("encrypted", "shop", "session");
    let readable = signed("flask", &SignedFormat::flask());
    for text in ["marker", "user", "shop", "session"] {
        assert!(!contains(&(hidden.seal)(PAYLOAD), text), "{text}");
    }
    assert!(contains(&(readable.seal)(PAYLOAD), "marker"));
}

/// A compressed length would reveal how much of a secret was guessed correctly.
#[test]
fn the_length_of_an_encrypted_cookie_depends_on_the_length_of_its_payload_only() {
    let format = encrypted("encrypted", "shop", "session");
    let length = |payload: &str| decoded(&(format.seal)(payload)).len();
    for size in [0, 1, 100, 3000] {
        let same = "a".repeat(size);
        let mixed: String = ('!'..='~').cycle().take(size).collect();
        assert_eq!(length(&same), OVERHEAD + size);
        assert_eq!(length(&mixed), OVERHEAD + size);
    }
}

/// Only data, and never deeper than the stack allows.
#[test]
fn hostile_payloads_are_errors_and_not_crashes() {
    let deep = |open: &str, close: &str, depth| {
        format!(r#"{{"a":{}1{}}}"#, open.repeat(depth), close.repeat(depth))
    };
    for depth in [201, 1_000, 100_000] {
        for (open, close) in [
            ("[", "]"),
            (r#"{"a":"#, "}"),
            (r#"{" t":["#, "]}"),
            (r#"{" di":{" t__":"#, "}}"),
        ] {
            let payload = deep(open, close, depth);
            let parsed = SessionData::parse(payload, JsonDialect::FLASK);
            assert_eq!(parsed.err(), Some(ScanError::TooDeep), "{open} {depth}");
        }
    }
    for payload in [
        "",
        "1",
        "[1]",
        "tru",
        "\u{feff}{}",
        r#"{"a":1"#,
        r#"{"a":{" u":"x"}}"#,
        "(dp0\nI1\ns.",
    ] {
        assert!(
            SessionData::parse(payload.to_owned(), JsonDialect::FLASK).is_err(),
            "{payload:?}"
        );
    }
}

/// A pickle, a gzip stream and a YAML tag are invalid JSON; other libraries execute or unpack them.
#[test]
fn other_serializers_are_rejected() {
    let manager = manager(ClientSide::signed(ring()), SessionConfig::flask());
    let flask = SignedSessions::new(&ring(), &SignedFormat::flask());
    for payload in [
        "cos\nsystem\n(S'true'\ntR.",
        "!!python/object/apply:os.system ['true']",
        "\u{1f}\u{8b}\u{8}",
        "a:1:{s:1:\"a\";i:1;}",
    ] {
        let line = format!("session={}", flask.seal(payload, NOON));
        let slot = manager.begin();
        let session = block_on(manager.open(&slot, [line.as_bytes()], NOON)).unwrap();
        assert!(matches!(
            session.rejection(),
            Some(Rejection::Token(TokenError::Payload(PayloadError::Json(_))))
        ));
        assert!(session.is_empty());
    }
}

/// The response does not depend on the defect of a cookie, so it is not an oracle.
#[test]
fn all_bad_cookies_get_the_same_response() {
    for manager in all_managers() {
        let good = cookie_of(&manager, NOON, |session| {
            session.insert("user", "a").unwrap();
        });
        let (name, value) = good.split_once('=').unwrap();
        let later = NOON.saturating_add(40 * DAY);
        let foreign = SignedSessions::new(&key(OTHER_KEY).into(), &SignedFormat::flask());
        let ours = SignedSessions::new(&ring(), &SignedFormat::flask());
        let fresh = cookie_of(&manager, later, |session| {
            session.insert("user", "a").unwrap();
        });
        let fresh = fresh.split_once('=').unwrap().1.as_bytes();
        let flipped = |position: usize| {
            let mut changed = fresh.to_vec();
            changed[position] ^= 1;
            changed
        };
        let bad = [
            ("expired", value.as_bytes().to_vec()),
            ("first byte", flipped(0)),
            ("last byte", flipped(fresh.len() - 1)),
            ("cut", fresh[..fresh.len() / 2].into()),
            ("foreign key", foreign.seal("{}", later).into_bytes()),
            (
                "from the future",
                ours.seal("{}", later.saturating_add(DAY)).into_bytes(),
            ),
            ("signed rubbish", ours.seal("rubbish", later).into_bytes()),
            ("not UTF-8", b"\xff\xfe".to_vec()),
            ("junk", b"junk".to_vec()),
            ("dots", b"....".to_vec()),
            ("long", vec![b'A'; 4000]),
        ];
        let answer = |value: &[u8], status| {
            let line = [name.as_bytes(), b"=", value].concat();
            let read = |session: &carafe_core::session::Session| {
                assert!(session.is_empty());
            };
            answered(&manager, &[&line], later, status, read).unwrap()
        };
        for status in [200, 404, 500] {
            let expected = answer(b"junk", status);
            for (what, value) in &bad {
                assert_eq!(answer(value, status), expected, "{what} {status}");
            }
        }
    }
}

/// An old copy of a cookie is valid exactly until its lifetime is over.
///
/// Sessions in cookies have this limitation; the documentation of `ClientSide` and `log_out` states
/// it.
#[test]
fn a_replayed_cookie_expires_with_its_own_lifetime() {
    for manager in all_managers() {
        let old = cookie_of(&manager, NOON, |session| {
            session.insert("user", "a").unwrap();
        });
        let later = NOON.saturating_add(10 * DAY);
        let effects = request(&manager, &[old.as_bytes()], later, |session| {
            session.insert("more", &1).unwrap();
        });
        let new = pair(&effects.unwrap());
        let at_end = NOON + manager.lifetime();
        for (now, replayed, renewed) in [
            (later, true, true),
            (at_end, true, true),
            (at_end.saturating_add(1), false, true),
            (at_end.saturating_add(10 * DAY), false, true),
            (at_end.saturating_add(10 * DAY + 1), false, false),
        ] {
            assert_eq!(user_of(&manager, &old, now).is_some(), replayed);
            assert_eq!(user_of(&manager, &new, now).is_some(), renewed);
        }
    }
}

/// The key ID only selects among configured keys: no ID makes a token valid under another key.
#[test]
fn a_key_id_only_selects_a_key() {
    let ours = encrypted("ours", "shop", "session");
    let theirs = EncryptedSessions::new(&key(OTHER_KEY).into(), "shop", "session");
    let sealed = |sessions: &EncryptedSessions| {
        decoded(
            &sessions
                .seal(PAYLOAD, NOON, NOON.saturating_add(DAY))
                .unwrap(),
        )
    };
    let our_id = decoded(&(ours.seal)(PAYLOAD))[1..5].to_vec();
    let mut foreign = sealed(&theirs);
    assert_ne!(foreign[1..5], our_id);
    foreign[1..5].copy_from_slice(&our_id);
    assert_eq!(
        (ours.open)(encoded(&foreign).as_bytes()),
        Err(TokenError::BadSignature)
    );
    let good = decoded(&(ours.seal)(PAYLOAD));
    for id in 0..10_000_u32 {
        let mut token = good.clone();
        token[1..5].copy_from_slice(&id.wrapping_mul(429_497).to_be_bytes());
        assert_eq!(
            (ours.open)(encoded(&token).as_bytes()),
            Err(TokenError::BadSignature)
        );
    }
}

fn decoded(text: &str) -> Vec<u8> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
}

fn encoded(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}
