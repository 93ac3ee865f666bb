//! `carafe key token` and `carafe key jwk-set`: keys of access tokens.

use std::{fs, io::Read as _, path::PathBuf};

use carafe_core::error::ErrorChain;
use carafe_tokens::{Algorithm, SigningKey, VerifyingKey, VerifyingKeys, key::KeyError};
use clap::ValueEnum;

use crate::{failure::Failure, output};

/// Print a new private key that signs access tokens
///
/// Its ID is the RFC 7638 thumbprint, unless --id gives another one.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe key token > token_key.json && chmod 600 token_key.json
  carafe key token --algorithm eddsa --form pem
  carafe key jwk-set token_key.json next_key.json > jwks.json")]
pub(super) struct TokenKey {
    /// The algorithm of the signatures
    #[arg(long, value_enum, default_value_t = AlgorithmName::Es256)]
    algorithm: AlgorithmName,

    /// The form of the key
    #[arg(long, value_enum, default_value_t = Form::Jwk)]
    form: Form,

    /// The ID of the key (kid); a PEM text has none
    #[arg(long, value_name = "ID")]
    id: Option<String>,
}

/// Print the JWK set with the public keys of private or public keys
///
/// Each file holds a JWK or a PEM text (PKCS #8, SPKI); - is standard input. Keys of HS256 are
/// secret and refused.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  carafe key jwk-set token_key.json > jwks.json
  openssl genpkey -algorithm ed25519 | carafe key jwk-set -")]
pub(super) struct JwkSet {
    /// The files with the keys
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AlgorithmName {
    /// ECDSA on P-256, which every library supports
    Es256,
    /// Ed25519
    Eddsa,
    /// HMAC, between services that share the key
    Hs256,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A private JWK
    Jwk,
    /// PEM text (PKCS #8)
    Pem,
}

impl TokenKey {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let key = SigningKey::generate(match self.algorithm {
            AlgorithmName::Es256 => Algorithm::Es256,
            AlgorithmName::Eddsa => Algorithm::EdDsa,
            AlgorithmName::Hs256 => Algorithm::Hs256,
        });
        let mut key = key.map_err(Failure::trouble)?;
        if let Some(id) = &self.id {
            if self.form == Form::Pem {
                return Err(Failure::usage("a PEM text has no ID: use --form jwk"));
            }
            key = key.with_id(id).map_err(Failure::usage)?;
        }
        match self.form {
            Form::Jwk => output::line(&key.to_jwk()),
            Form::Pem => {
                let pem = key.to_pkcs8_pem();
                let pem = pem.map_err(|_| Failure::usage("a key of HS256 has no PEM form"))?;
                output::line(pem.trim_end())
            }
        }
    }
}

impl JwkSet {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut keys = Vec::new();
        for file in &self.files {
            let name = file.display();
            let key = read(file)?;
            let key = public_key(&key).map_err(|error| {
                Failure::usage(format_args!("{name}: {}", ErrorChain::of(&error)))
            })?;
            if !key.algorithm().is_asymmetric() {
                return Err(Failure::usage(format_args!(
                    "{name}: a key of HS256 is secret, and a JWK set is public"
                )));
            }
            keys.push(key);
        }
        let set = VerifyingKeys::new(keys);
        if !set.skipped().is_empty() {
            return Err(Failure::usage("two of the keys have the same ID"));
        }
        output::line(&set.to_jwk_set())
    }
}

/// Reads a file, or standard input for `-`.
pub(crate) fn read(file: &PathBuf) -> Result<zeroize::Zeroizing<String>, Failure> {
    let mut text = zeroize::Zeroizing::new(String::new());
    let read = match file.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut text).map(drop),
        false => fs::read_to_string(file).map(|read| *text = read),
    };
    match read {
        Ok(()) => Ok(text),
        Err(error) => Err(Failure::usage(format_args!("{}: {error}", file.display()))),
    }
}

/// Reads the public key of a private or public key in any form.
pub(crate) fn public_key(text: &str) -> Result<VerifyingKey, KeyError> {
    let of = |key: SigningKey| key.verifying_key().clone();
    if text.trim_start().starts_with('{') {
        return VerifyingKey::from_jwk(text).or_else(|error| match error {
            KeyError::Private => SigningKey::from_jwk(text).map(of),
            error => Err(error),
        });
    }
    VerifyingKey::from_public_key_pem(text).or_else(|error| match error {
        KeyError::Malformed => SigningKey::from_pkcs8_pem(text).map(of),
        error => Err(error),
    })
}
