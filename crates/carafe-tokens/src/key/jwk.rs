//! JWK (RFC 7517), its members for P-256, Ed25519 and HMAC, and the thumbprint (RFC 7638).

use ed25519_dalek::{SigningKey as Ed25519Private, VerifyingKey as Ed25519Public};
use p256::ecdsa::{SigningKey as EcdsaPrivate, VerifyingKey as EcdsaPublic};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

use super::{Algorithm, KeyError, SigningKey, VerifyingKey, verifying::Public};
use crate::{base64, json, json::Object};

/// Reads a public JWK.
pub(super) fn read_public(json: &[u8]) -> Result<VerifyingKey, KeyError> {
    let jwk = json::object(json).map_err(|_| KeyError::Malformed)?;
    public_of(&jwk)
}

/// Reads a public JWK that has been parsed.
pub(super) fn public_of(jwk: &Object) -> Result<VerifyingKey, KeyError> {
    match text(jwk, "kty")? {
        // A set with a symmetric key has published a secret.
        "oct" => return Err(KeyError::Private),
        "EC" | "OKP" => {}
        _ => return Err(KeyError::Unsupported),
    }
    if jwk.contains_key("d") {
        return Err(KeyError::Private);
    }
    let key = public_part(jwk)?;
    check_purpose(jwk, key.algorithm(), "verify")?;
    named(key, jwk, VerifyingKey::with_id)
}

/// Reads a private JWK.
pub(super) fn read_private(json: &[u8]) -> Result<SigningKey, KeyError> {
    let jwk = json::object(json).map_err(|_| KeyError::Malformed)?;
    let key = match (text(&jwk, "kty")?, jwk.get("crv").and_then(Value::as_str)) {
        ("EC", Some("P-256")) => {
            let scalar = Zeroizing::new(bytes::<32>(&jwk, "d")?);
            let key = EcdsaPrivate::from_slice(&*scalar);
            SigningKey::of_es256(key.map_err(|_| KeyError::Malformed)?)
        }
        ("OKP", Some("Ed25519")) => {
            let seed = Zeroizing::new(bytes::<32>(&jwk, "d")?);
            SigningKey::of_ed25519(Ed25519Private::from_bytes(&seed))
        }
        ("oct", _) => {
            let key = base64::decode(text(&jwk, "k")?.as_bytes()).map(Zeroizing::new);
            SigningKey::hs256(&key.ok_or(KeyError::Malformed)?)?
        }
        _ => return Err(KeyError::Unsupported),
    };
    if jwk.contains_key("x") && public_part(&jwk)?.thumbprint() != key.verifying_key().thumbprint()
    {
        return Err(KeyError::Mismatch);
    }
    check_purpose(&jwk, key.algorithm(), "sign")?;
    named(key, &jwk, SigningKey::with_id)
}

pub(super) fn write_public(key: &VerifyingKey) -> Option<String> {
    match key.algorithm() {
        Algorithm::Hs256 => None,
        Algorithm::Es256 | Algorithm::EdDsa => {
            let members = members(&key.public);
            Some(object(borrowed(&members).chain(metadata(key))))
        }
    }
}

pub(super) fn write_private(key: &SigningKey) -> Zeroizing<String> {
    let verifying = key.verifying_key();
    let private = Zeroizing::new(base64::encode(&key.private_bytes()));
    let (members, name) = match key.algorithm() {
        Algorithm::Hs256 => (vec![("kty", "oct".to_owned())], "k"),
        Algorithm::Es256 | Algorithm::EdDsa => (members(&verifying.public), "d"),
    };
    let private = std::iter::once((name, private.as_str()));
    let all = borrowed(&members).chain(private).chain(metadata(verifying));
    Zeroizing::new(object(all))
}

/// Returns the required members in the order of RFC 7638 §3.2, as JSON text without spaces.
pub(super) fn thumbprint_input(public: &Public) -> Zeroizing<String> {
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

fn metadata(key: &VerifyingKey) -> impl Iterator<Item = (&str, &str)> + Clone {
    let members = [
        ("kid", key.id()),
        ("alg", key.algorithm().name()),
        ("use", "sig"),
    ];
    members.into_iter()
}

/// Writes an object of visible ASCII texts, in one allocation, so that no copy of a key is left.
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

/// Reads the public part of a key of P-256 or Ed25519.
fn public_part(jwk: &Object) -> Result<VerifyingKey, KeyError> {
    match (text(jwk, "kty")?, text(jwk, "crv")?) {
        ("EC", "P-256") => {
            let mut point = [4; 65];
            point[1..33].copy_from_slice(&bytes::<32>(jwk, "x")?);
            point[33..].copy_from_slice(&bytes::<32>(jwk, "y")?);
            // Checks that the point is on the curve.
            let key = EcdsaPublic::from_sec1_bytes(&point).map_err(|_| KeyError::Malformed)?;
            Ok(VerifyingKey::named_by_thumbprint(Public::Es256(key)))
        }
        ("OKP", "Ed25519") => {
            let key = Ed25519Public::from_bytes(&bytes(jwk, "x")?);
            VerifyingKey::of_ed25519(key.map_err(|_| KeyError::Malformed)?)
        }
        _ => Err(KeyError::Unsupported),
    }
}

/// Checks `alg`, `use` and `key_ops`, where the JWK has them (RFC 7517 §4).
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

/// Names a key by `kid`, and otherwise leaves its thumbprint as its name.
fn named<K>(
    key: K,
    jwk: &Object,
    with_id: impl FnOnce(K, &str) -> Result<K, KeyError>,
) -> Result<K, KeyError> {
    match jwk.get("kid") {
        None => Ok(key),
        Some(id) => with_id(key, id.as_str().ok_or(KeyError::Id)?),
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
