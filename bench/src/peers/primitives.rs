//! The primitive of each algorithm alone, in the crates and with the calls of carafe-tokens.
//!
//! Signs and verifies the text that a token's signature covers. Nothing is encoded, decoded or
//! checked but the signature.

use base64_simd::URL_SAFE_NO_PAD;
use carafe_tokens::{Algorithm, SigningKey};
use ed25519_dalek::{Signature as Ed25519Signature, pkcs8::DecodePrivateKey};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::{
    Signature as EcdsaSignature,
    signature::{Signer, Verifier},
};
use sha2::Sha256;

use crate::{
    content::SECRET,
    harness::{Candidate, Candidates},
};

/// Returns the candidates for a token of `key`. `columns` are those of signing and verifying.
pub(crate) fn candidates(
    row: &str,
    columns: [&str; 2],
    key: &SigningKey,
    token: &str,
) -> Candidates {
    let (text, signature) = token.rsplit_once('.').expect("it is signed");
    let (text, covered) = (text.to_owned(), text.to_owned());
    let signature = URL_SAFE_NO_PAD
        .decode_to_vec(signature)
        .expect("it is base64");
    match key.algorithm() {
        Algorithm::Es256 => {
            let private = p256::ecdsa::SigningKey::from_pkcs8_pem(&pem(key)).expect("it is a key");
            let public = *private.verifying_key();
            [
                Candidate::new(row, columns[0], move |_| -> EcdsaSignature {
                    private.sign(text.as_bytes())
                }),
                verifying(row, columns[1], move || {
                    let signature = EcdsaSignature::from_slice(&signature);
                    signature.is_ok_and(|signature| {
                        public.verify(covered.as_bytes(), &signature).is_ok()
                    })
                }),
            ]
        }
        Algorithm::EdDsa => {
            let private =
                ed25519_dalek::SigningKey::from_pkcs8_pem(&pem(key)).expect("it is a key");
            let public = private.verifying_key();
            [
                Candidate::new(row, columns[0], move |_| private.sign(text.as_bytes())),
                verifying(row, columns[1], move || {
                    let signature = Ed25519Signature::from_slice(&signature);
                    signature.is_ok_and(|signature| {
                        let verified = public.verify_strict(covered.as_bytes(), &signature);
                        verified.is_ok()
                    })
                }),
            ]
        }
        Algorithm::Hs256 => {
            let keyed = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes());
            let keyed = keyed.expect("any key will do");
            let again = keyed.clone();
            [
                Candidate::new(row, columns[0], move |_| {
                    keyed.clone().chain_update(&text).finalize().into_bytes()
                }),
                verifying(row, columns[1], move || {
                    let computed = again.clone().chain_update(&covered);
                    computed.verify_slice(&signature).is_ok()
                }),
            ]
        }
    }
    .into()
}

fn pem(key: &SigningKey) -> String {
    key.to_pkcs8_pem().expect("it is a key pair").to_string()
}

fn verifying(row: &str, column: &str, verifies: impl Fn() -> bool + 'static) -> Candidate {
    assert!(verifies(), "{column}: the signature is good");
    Candidate::new(row, column, move |_| verifies())
}
