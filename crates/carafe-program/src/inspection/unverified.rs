//! Inspects a cookie without a key: the content is readable by any client and may be forged.
//!
//! The engine never decodes unverified bytes. Inspection does, so the decoders here are separate
//! and strict, and stop decompressing at the engine's limit.

use std::io::Read as _;

use carafe_core::{clock::Timestamp, token::INFLATED_LIMIT, token::encrypted::OVERHEAD};

use super::finding::{Inspection, Verdict};
use crate::format::{FormatName, TokenFormat};

pub(super) fn inspect(format: &TokenFormat, cookie: &str, now: Timestamp) -> Inspection {
    match format {
        TokenFormat::Signed { name, .. } => signed(*name, cookie, now),
        TokenFormat::Encrypted { .. } => encrypted(cookie),
    }
}

fn signed(name: FormatName, cookie: &str, now: Timestamp) -> Inspection {
    let mut from_the_end = cookie.rsplitn(3, '.');
    let _signature = from_the_end.next();
    let (Some(time), Some(body)) = (from_the_end.next(), from_the_end.next()) else {
        return malformed("not of the form payload.time.signature");
    };
    let (payload, compressed) = match name {
        FormatName::Starlette => (base64_simd::STANDARD.decode_to_vec(body).ok(), false),
        _ => match body.strip_prefix('.') {
            Some(deflated) => (decode(deflated).and_then(|stream| inflate(&stream)), true),
            None => (decode(body), false),
        },
    };
    let payload = payload.and_then(|bytes| String::from_utf8(bytes).ok());
    let found = unverified(payload, Some(compressed));
    match issued(time) {
        Some(issued) => found.issued(issued, now),
        None => found,
    }
}

fn encrypted(cookie: &str) -> Inspection {
    match decode(cookie) {
        Some(token) if token.len() >= OVERHEAD && token.first() == Some(&1) => {
            unverified(None, Some(false))
        }
        _ => malformed("not an encrypted cookie of a known version"),
    }
}

fn unverified(payload: Option<String>, compressed: Option<bool>) -> Inspection {
    let reason = "no key was given, so this may be forged";
    let bare = Inspection::bare(Verdict::Unverified, Some(reason.to_owned()));
    Inspection {
        payload,
        compressed,
        ..bare
    }
}

fn malformed(reason: &str) -> Inspection {
    Inspection::bare(Verdict::Malformed, Some(reason.to_owned()))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    base64_simd::URL_SAFE_NO_PAD.decode_to_vec(text).ok()
}

fn inflate(stream: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let limit = INFLATED_LIMIT as u64;
    flate2::read::ZlibDecoder::new(stream)
        .take(limit + 1)
        .read_to_end(&mut out)
        .ok()?;
    (out.len() <= INFLATED_LIMIT).then_some(out)
}

/// Parses big-endian seconds in at most 8 bytes.
fn issued(time: &str) -> Option<Timestamp> {
    let bytes = decode(time).filter(|bytes| bytes.len() <= 8)?;
    let seconds = bytes
        .iter()
        .fold(0_u64, |seconds, &byte| seconds << 8 | u64::from(byte));
    i64::try_from(seconds).ok().map(Timestamp::from_unix)
}
