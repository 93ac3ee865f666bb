//! The parts of a signed cookie, each with the fastest known crate.
//!
//! The sum is the cost of a library without overhead. No part allocates or checks more than
//! necessary.

use std::{cell::RefCell, rc::Rc, time::SystemTime};

use base64_simd::{AsOut, URL_SAFE_NO_PAD};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sonic_rs::JsonValueTrait;

use crate::{
    content::SECRET,
    harness::{Candidate, Candidates},
};

pub(crate) const MAC: &str = "HMAC-SHA1, keyed before";
pub(crate) const CLOCK: &str = "clock read";
pub(crate) const DECODE: &str = "base64 decoded (base64-simd)";
pub(crate) const INFLATE: &str = "inflated (zlib-rs, reused)";
pub(crate) const KEY: &str = "one key (sonic-rs `get`)";
pub(crate) const WRITE: &str = "JSON written (serde_json)";
pub(crate) const DEFLATE: &str = "deflated, level 6 (zlib-rs, reused)";
pub(crate) const ENCODE: &str = "base64 encoded (base64-simd)";

/// Returns the parts of an open and a read.
pub(crate) fn of_reading(deflated: bool) -> Vec<&'static str> {
    let inflate = deflated.then_some(INFLATE);
    [MAC, DECODE, CLOCK, KEY]
        .into_iter()
        .chain(inflate)
        .collect()
}

/// Returns the parts of an encoding.
pub(crate) fn of_writing(deflated: bool) -> Vec<&'static str> {
    let deflate = deflated.then_some(DEFLATE);
    [WRITE, ENCODE, CLOCK, MAC]
        .into_iter()
        .chain(deflate)
        .collect()
}

/// Returns the parts of this cookie with this dictionary inside.
pub(crate) fn candidates(column: &str, cookie: &str, dictionary: &serde_json::Value) -> Candidates {
    let (signed, signature) = cookie.rsplit_once('.').expect("it is signed");
    let (body, _) = signed.rsplit_once('.').expect("it is dated");
    let payload = dictionary.to_string();
    let dictionary = dictionary.clone();
    let mut parts = vec![
        mac(column, signed.to_owned()),
        Candidate::new(CLOCK, column, |_| {
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)
        }),
        Candidate::new(WRITE, column, move |_| serde_json::to_string(&dictionary)),
        key(column, payload.clone()),
    ];
    let deflated = body.strip_prefix('.');
    parts.extend(base64(
        column,
        deflated.unwrap_or(body).to_owned(),
        signature.to_owned(),
    ));
    if let Some(deflated) = deflated {
        let stream = URL_SAFE_NO_PAD
            .decode_to_vec(deflated)
            .expect("it is base64");
        parts.extend(zlib(column, stream, payload));
    }
    parts
}

fn mac(column: &str, signed: String) -> Candidate {
    let keyed = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any key will do");
    Candidate::new(MAC, column, move |_| {
        keyed.clone().chain_update(&signed).finalize().into_bytes()
    })
}

fn key(column: &str, payload: String) -> Candidate {
    Candidate::new(KEY, column, move |_| {
        let account = sonic_rs::get(payload.as_str(), ["account"]);
        account.ok().and_then(|account| account.as_u64())
    })
}

fn base64(column: &str, body: String, signature: String) -> [Candidate; 2] {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(&body).expect("it is base64");
    let tag = URL_SAFE_NO_PAD
        .decode_to_vec(&signature)
        .expect("it is base64");
    let (mut bytes_out, mut tag_out) = (bytes.clone(), tag.clone());
    let mut text_out = vec![0; body.len() + signature.len()];
    let decode = Candidate::new(DECODE, column, move |_| {
        let body = URL_SAFE_NO_PAD
            .decode(body.as_bytes(), bytes_out.as_out())
            .map(|out| out.len());
        let tag = URL_SAFE_NO_PAD
            .decode(signature.as_bytes(), tag_out.as_out())
            .map(|out| out.len());
        (body, tag)
    });
    let encode = Candidate::new(ENCODE, column, move |_| {
        let used = URL_SAFE_NO_PAD.encode(&bytes, text_out.as_out()).len();
        URL_SAFE_NO_PAD
            .encode(&tag, text_out[used..].as_out())
            .len()
    });
    [decode, encode]
}

fn zlib(column: &str, stream: Vec<u8>, payload: String) -> [Candidate; 2] {
    let out = Rc::new(RefCell::new(vec![0; payload.len()]));
    let mut inflate = Decompress::new(true);
    let inflated = Rc::clone(&out);
    let mut deflate = Compress::new(Compression::new(6), true);
    [
        Candidate::new(INFLATE, column, move |_| {
            inflate.reset(true);
            inflate.decompress(&stream, &mut inflated.borrow_mut(), FlushDecompress::Finish)
        }),
        Candidate::new(DEFLATE, column, move |_| {
            deflate.reset();
            deflate.compress(
                payload.as_bytes(),
                &mut out.borrow_mut(),
                FlushCompress::Finish,
            )
        }),
    ]
}
