//! Signed tokens: arbitrary cookies, arbitrary signed bodies, and the plain signers.

use std::{collections::BTreeMap, time::Duration};

use carafe_core::{
    clock::Timestamp,
    json::{JsonDialect, scan_root},
    key::{Digest, KeyDerivation},
    session::SessionData,
    token::{
        INFLATED_LIMIT, TokenError,
        signed::{
            SignedFormat, SignedSessions, Signer, SignerSettings, TimestampSigner,
            UrlSafeSerializer, UrlSafeTimedSerializer,
        },
    },
};
use serde::de::DeserializeOwned;

use super::input::{Input, NOW, base64url, keys};

const MONTH: Option<Duration> = Some(Duration::from_secs(31 * 86_400));

fn formats() -> [SignedFormat; 3] {
    [
        SignedFormat::flask(),
        SignedFormat::quart(),
        SignedFormat::starlette(),
    ]
}

fn as_flask() -> SignerSettings {
    SignerSettings {
        salt: "cookie-session".into(),
        key_derivation: KeyDerivation::Hmac,
        digest: Digest::Sha1,
    }
}

/// Checks arbitrary cookie values and arbitrary payloads.
///
/// A cookie value that opens is a session within the size limit and survives a round trip. A
/// payload opens as it was sealed, unless its inflated form exceeds the limit.
pub fn signed_open(data: &[u8]) {
    let payload = String::from_utf8_lossy(data);
    for format in formats() {
        let sessions = SignedSessions::new(&keys(), &format);
        if let Ok(opened) = sessions.open(data, MONTH, NOW) {
            assert!(!opened.compressed || opened.payload.len() <= INFLATED_LIMIT);
            let again = sessions.seal(&opened.payload, opened.issued);
            let again = sessions
                .open(again.as_bytes(), MONTH, NOW)
                .map(|again| again.payload);
            assert_eq!(again.as_ref(), Ok(&opened.payload));
        }
        let sealed = sessions.seal(&payload, NOW);
        let opened = sessions.open(sealed.as_bytes(), MONTH, NOW);
        assert!(
            opened.is_ok_and(|opened| opened.payload == payload) || payload.len() > INFLATED_LIMIT
        );
        one_change_is_refused(&sessions, &sealed, data);
    }
}

fn one_change_is_refused(sessions: &SignedSessions, sealed: &str, data: &[u8]) {
    let mut changed = sealed.as_bytes().to_vec();
    let at = data
        .first()
        .map_or(0, |&byte| usize::from(byte) * changed.len() / 256);
    changed[at] ^= data.last().map_or(1, |&byte| byte | 1);
    assert!(matches!(
        sessions.open(&changed, MONTH, NOW),
        Err(TokenError::BadSignature | TokenError::Malformed(_))
    ));
}

/// Checks bodies with a valid signature: raw, as Base64 and as a deflated stream.
///
/// Every body is a session or an error of the payload, never a panic and never an error of the
/// signature.
pub fn signed_body(data: &[u8]) {
    let signer = TimestampSigner::new(&keys(), as_flask());
    let sessions = SignedSessions::new(&keys(), &SignedFormat::flask());
    let encoded = base64url(data);
    for body in [
        String::from_utf8_lossy(data).into_owned(),
        format!(".{encoded}"),
        encoded,
    ] {
        let token = signer.sign(&body, NOW);
        match sessions.open(token.as_bytes(), MONTH, NOW) {
            Ok(opened) => {
                assert_eq!(opened.issued, NOW);
                is_scanned_alike(opened.payload);
            }
            Err(error) => assert!(matches!(error, TokenError::Payload(_)), "{error}"),
        }
    }
    let undated = Signer::new(&keys(), as_flask()).sign(&String::from_utf8_lossy(data));
    let error = sessions.open(undated.as_bytes(), MONTH, NOW).err();
    assert!(!matches!(
        error,
        Some(TokenError::BadSignature | TokenError::Malformed(_))
    ));
}

fn is_scanned_alike(payload: String) {
    let scanned = scan_root(&payload, true).map(|root| root.members.len());
    let session = SessionData::parse(payload, JsonDialect::FLASK).map(|session| session.len());
    assert_eq!(scanned, session);
}

/// Checks that itsdangerous' four classes verify what they sign.
pub fn signer(data: &[u8]) {
    let mut input = Input(data);
    let (choice, at) = (input.byte(), Timestamp::from_unix(input.i64()));
    let text = String::from_utf8_lossy(input.0);
    let settings = settings(choice);
    signs(&Signer::new(&keys(), settings.clone()), &text);
    dates(&TimestampSigner::new(&keys(), settings.clone()), &text, at);
    serializes(&settings, &text, at);
}

fn settings(choice: u8) -> SignerSettings {
    let derivations = [
        KeyDerivation::DjangoConcat,
        KeyDerivation::Concat,
        KeyDerivation::Hmac,
        KeyDerivation::None,
    ];
    let digests = [Digest::Sha1, Digest::Sha256, Digest::Sha384, Digest::Sha512];
    SignerSettings {
        salt: if choice & 16 == 0 {
            "".into()
        } else {
            "salt".into()
        },
        key_derivation: derivations[usize::from(choice & 3)],
        digest: digests[usize::from(choice >> 2 & 3)],
    }
}

fn signs(signer: &Signer, text: &str) {
    assert_eq!(signer.unsign(&signer.sign(text), NOW), Ok(text));
    if let Ok(value) = signer.unsign(text, NOW) {
        assert!(text.starts_with(value) && text.len() > value.len() + 1);
    }
}

fn dates(signer: &TimestampSigner, text: &str, at: Timestamp) {
    let signed = signer.sign(text, at);
    let issued = Timestamp::from_unix(at.unix().max(0));
    let read = signer.unsign(&signed, Some(Duration::ZERO), issued);
    assert_eq!(
        read.map(|read| (read.value, read.issued)),
        Ok((text, issued))
    );
    let late = signer.unsign(&signed, Some(Duration::ZERO), issued.saturating_add(1));
    assert!(late.is_err() || issued.unix() == i64::MAX);
    let _ = signer.unsign(text, MONTH, NOW);
}

fn serializes(settings: &SignerSettings, text: &str, at: Timestamp) {
    let plain = UrlSafeSerializer::new(&keys(), settings.clone());
    let timed = UrlSafeTimedSerializer::new(&keys(), settings.clone());
    let (signed, dated) = (plain.dumps(text), timed.dumps(text, at));
    let (signed, dated) = (signed.expect("text is JSON"), dated.expect("text is JSON"));
    let fits = text.len() < INFLATED_LIMIT / 6;
    assert!(!fits || plain.loads::<String>(&signed, NOW).as_deref() == Ok(text));
    assert!(!fits || timed.loads::<String>(&dated, None, NOW).as_deref() == Ok(text));
    // The same body as another type, and arbitrary text.
    loads::<i64>(&plain, &signed, text);
    loads::<Vec<String>>(&plain, &signed, text);
    loads::<BTreeMap<String, f64>>(&plain, &signed, text);
    let _ = timed.loads::<String>(text, MONTH, NOW);
}

fn loads<T: DeserializeOwned>(serializer: &UrlSafeSerializer, signed: &str, text: &str) {
    assert!(
        serializer.loads::<T>(signed, NOW).is_err(),
        "text is no other type"
    );
    let _ = serializer.loads::<T>(text, NOW);
}
