//! JWK (RFC 7517) with the members for P-256, Ed25519 and HMAC, and thumbprints (RFC 7638).

use ed25519_dalek::{SigningKey as Ed25519Private, VerifyingKey as Ed25519Public};
use p256::ecdsa::{SigningKey as EcdsaPrivate, VerifyingKey as EcdsaPublic};
use serde_json::Value;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::{
    Algorithm, KeyError,
    hmac_key::HmacKey,
    material::{Private, Public},
};
use crate::{base64, json::Object};

/// Reads a public JWK, with its key ID.
pub(super) fn public_of(jwk: &Object) -> Result<(Public, Option<&str>), KeyError> {
    match text(jwk, "kty")? {
        // A symmetric key in a JWK set is a published secret.
        "oct" => return Err(KeyError::Private),
        "EC" | "OKP" => {}
        _ => return Err(KeyError::Unsupported),
    }
    if jwk.contains_key("d") {
        return Err(KeyError::Private);
    }
    let key = public_part(jwk)?;
    check_purpose(jwk, key.algorithm(), "verify")?;
    Ok((key, id(jwk)?))
}

/// Reads a private JWK, with its key ID.
pub(super) fn private_of(jwk: &Object) -> Result<(Private, Option<&str>), KeyError> {
    let key = match (text(jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
        ("EC", Some("P-256")) => {
            let scalar = Zeroizing::new(bytes::<32>(jwk, "d")?);
            let key = EcdsaPrivate::from_slice(&*scalar);
            Private::es256(key.map_err(|_| KeyError::Malformed)?)
        }
        ("OKP", Some("Ed25519")) => {
            let seed = Zeroizing::new(bytes::<32>(jwk, "d")?);
            Private::ed25519(Ed25519Private::from_bytes(&seed))
        }
        ("oct", _) => {
            let key = base64::decode(text(jwk, "k")?.as_bytes()).map(Zeroizing::new);
            Private::Hs256(HmacKey::new(&key.ok_or(KeyError::Malformed)?)?)
        }
        _ => return Err(KeyError::Unsupported),
    };
    if jwk.contains_key("x") && thumbprint(&public_part(jwk)?) != thumbprint(&key.public()) {
        return Err(KeyError::Mismatch);
    }
    check_purpose(jwk, key.public().algorithm(), "sign")?;
    Ok((key, id(jwk)?))
}

/// Writes a public JWK. `None` for HS256, because its key is secret.
pub(super) fn write_public(id: &str, key: &Public) -> Option<String> {
    match key.algorithm() {
        Algorithm::Hs256 => None,
        Algorithm::Es256 | Algorithm::EdDsa => {
            let members = members(key);
            let metadata = metadata(id, key.algorithm());
            Some(object(borrowed(&members).chain(metadata)))
        }
    }
}

pub(super) fn write_private(id: &str, key: &Private) -> Zeroizing<String> {
    let public = key.public();
    let private = Zeroizing::new(base64::encode(&key.bytes()));
    let (members, name) = match public.algorithm() {
        Algorithm::Hs256 => (vec![("kty", "oct".to_owned())], "k"),
        Algorithm::Es256 | Algorithm::EdDsa => (members(&public), "d"),
    };
    let private = std::iter::once((name, private.as_str()));
    let metadata = metadata(id, public.algorithm());
    let all = borrowed(&members).chain(private).chain(metadata);
    Zeroizing::new(object(all))
}

/// Returns the thumbprint of RFC 7638 with SHA-256.
pub(super) fn thumbprint(public: &Public) -> String {
    base64::encode(&Sha256::digest(thumbprint_input(public)))
}

/// Returns the required members in the order of RFC 7638 §3.2, as JSON text without spaces.
fn thumbprint_input(public: &Public) -> Zeroizing<String> {
    let mut members = members(public);
    members.sort_unstable_by_key(|(name, _)| *name);
    let text = Zeroizing::new(object(borrowed(&members)));
    members.iter_mut().for_each(|(_, value)| value.zeroize());
    text
}

/// Returns the members that define a key.
fn members(public: &Public) -> Vec<(&'static str, String)> {
    match public {
        Public::Es256(key) => {
            let point = key.to_sec1_point(false);
            // An uncompressed point: a tag and two coordinates of 32 bytes.
            let (x, y) = point.as_bytes()[1..].split_at(32);
            vec![
                ("kty", "EC".to_owned()),
                ("crv", "P-256".to_owned()),
                ("x", base64::encode(x)),
                ("y", base64::encode(y)),
            ]
        }
        Public::EdDsa(key) => vec![
            ("kty", "OKP".to_owned()),
            ("crv", "Ed25519".to_owned()),
            ("x", base64::encode(key.as_bytes())),
        ],
        Public::Hs256(key) => vec![
            ("kty", "oct".to_owned()),
            ("k", base64::encode(key.bytes())),
        ],
    }
}

fn borrowed<'m>(
    members: &'m [(&'static str, String)],
) -> impl Iterator<Item = (&'m str, &'m str)> + Clone {
    members.iter().map(|(name, value)| (*name, value.as_str()))
}

fn metadata(id: &str, algorithm: Algorithm) -> impl Iterator<Item = (&str, &str)> + Clone {
    let members = [("kid", id), ("alg", algorithm.name()), ("use", "sig")];
    members.into_iter()
}

/// Writes an object of visible ASCII strings in one allocation, so that no copy of a key remains in
/// memory.
fn object<'m>(members: impl Iterator<Item = (&'m str, &'m str)> + Clone) -> String {
    let room = members
        .clone()
        .map(|(name, value)| name.len() + 2 * value.len() + 6);
    let mut out = String::with_capacity(2 + room.sum::<usize>());
    for (name, value) in members {
        out.push(if out.is_empty() { '{' } else { ',' });
        for (text, end) in [(name, "\":"), (value, "\"")] {
            out.push('"');
            for char in text.chars() {
                if matches!(char, '"' | '\\') {
                    out.push('\\');
                }
                out.push(char);
            }
            out.push_str(end);
        }
    }
    out.push('}');
    out
}

/// Parses the public part of a P-256 or Ed25519 key.
fn public_part(jwk: &Object) -> Result<Public, KeyError> {
    match (text(jwk, "kty")?, text(jwk, "crv")?) {
        ("EC", "P-256") => {
            let mut point = [4; 65];
            point[1..33].copy_from_slice(&bytes::<32>(jwk, "x")?);
            point[33..].copy_from_slice(&bytes::<32>(jwk, "y")?);
            // Checks that the point is on the curve.
            let key = EcdsaPublic::from_sec1_bytes(&point).map_err(|_| KeyError::Malformed)?;
            Ok(Public::Es256(key))
        }
        ("OKP", "Ed25519") => {
            let key = Ed25519Public::from_bytes(&bytes(jwk, "x")?);
            Public::ed25519(key.map_err(|_| KeyError::Malformed)?)
        }
        _ => Err(KeyError::Unsupported),
    }
}

/// Checks `alg`, `use` and `key_ops`, if the JWK has them (RFC 7517 §4).
fn check_purpose(jwk: &Object, algorithm: Algorithm, operation: &str) -> Result<(), KeyError> {
    if let Some(name) = jwk.get("alg") {
        let named = name.as_str().and_then(Algorithm::from_name);
        if named != Some(algorithm) {
            return Err(KeyError::Unsupported);
        }
    }
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err(KeyError::Purpose);
    }
    match jwk.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(list)) if list.iter().any(|item| item == operation) => Ok(()),
        Some(_) => Err(KeyError::Purpose),
    }
}

/// Returns the key ID, if the JWK has one.
fn id(jwk: &Object) -> Result<Option<&str>, KeyError> {
    match jwk.get("kid") {
        None => Ok(None),
        Some(id) => id.as_str().map(Some).ok_or(KeyError::Id),
    }
}

fn text<'j>(jwk: &'j Object, member: &'static str) -> Result<&'j str, KeyError> {
    let value = jwk.get(member).and_then(Value::as_str);
    value.ok_or(KeyError::Missing { member })
}

fn bytes<const N: usize>(jwk: &Object, member: &'static str) -> Result<[u8; N], KeyError> {
    let decoded = base64::decode_array(text(jwk, member)?.as_bytes());
    decoded.ok_or(KeyError::Missing { member })
}
