//! Interoperability with PyJWT, Authlib, joserfc, Flask-JWT-Extended and jose (npm), in both
//! directions.
//!
//! `cargo xtask setup` installs the libraries below `target/`. The scripts in `interop/tokens` call
//! them through pipes.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use carafe_core::{clock::Timestamp, store::PublicId};
use carafe_tokens::{
    AccessTokens, Algorithm, Client, SigningKey, SigningRing, Verifier, VerifyingKeys,
    access::SessionRef,
    flask::{FlaskTokens, Kind, has_csrf, is_fresh},
    jwt::TokenType,
};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example";
const ALL: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256];

struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("..")
}

impl Oracle {
    fn python() -> Self {
        let mut command = Command::new(target().join("venv/tokens/bin/python"));
        Self::start(command.arg(root().join("interop/tokens/oracle.py")))
    }

    fn node() -> Self {
        let mut command = Command::new("node");
        command.arg(root().join("interop/tokens/oracle.mjs"));
        Self::start(command.arg(target().join("node/tokens")))
    }

    fn start(command: &mut Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("`cargo xtask setup` installs it");
        Self {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.input, "{request}").unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{request}: {line:?}"))
    }

    #[track_caller]
    fn accepted(&mut self, request: &Value) -> Value {
        let answer = self.ask(request);
        assert_eq!(answer["ok"], true, "{request} {answer}");
        answer
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn private_jwk(key: &SigningKey) -> Value {
    serde_json::from_str(&key.to_jwk()).unwrap()
}

/// Returns the keys for the other library. Carafe's JWK sets never contain secrets.
fn jwks(key: &SigningKey) -> Value {
    match key.algorithm() {
        Algorithm::Hs256 => json!({ "keys": [private_jwk(key)] }),
        _ => {
            let set = VerifyingKeys::from(key.verifying_key().clone());
            serde_json::from_str(&set.to_jwk_set()).unwrap()
        }
    }
}

fn both_ways(oracle: &mut Oracle, library: &str) {
    let now = Timestamp::now();
    for algorithm in ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        // Carafe's tokens, verified by the libraries.
        let ring = SigningRing::new(key.clone());
        let session = SessionRef::new("ada \u{1F600}", PublicId::from_bytes([7; 12]));
        let client = Client::new("app")
            .with_claim("nested", &json!({ "a": [1, null] }))
            .unwrap();
        let access = AccessTokens::new(ISSUER, AUDIENCE);
        let token = access.issue(&ring, &session, &client, now).unwrap().text;
        let mut request = json!({
            "op": format!("{library}-verify"), "token": token, "jwks": jwks(&key),
            "alg": algorithm.name(), "issuer": ISSUER, "audience": AUDIENCE, "typ": "at+jwt",
        });
        if algorithm == Algorithm::Hs256 {
            request["secret"] = private_jwk(&key);
        }
        let claims = &oracle.accepted(&request)["claims"];
        assert_eq!(claims["sub"], "ada \u{1F600}", "{library} {algorithm}");
        assert_eq!(claims["nested"], json!({ "a": [1, null] }));
        for (name, value) in [("audience", "other"), ("issuer", "other")] {
            let mut request = request.clone();
            request[name] = value.into();
            assert_eq!(
                oracle.ask(&request)["ok"],
                false,
                "{library} {algorithm} {name}"
            );
        }
        let mut changed = request;
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        changed["token"] = format!("{signed}.{flipped}{}", &signature[1..]).into();
        assert_eq!(oracle.ask(&changed)["ok"], false, "{library} {algorithm}");
        // The libraries' tokens, verified by Carafe.
        let claims = json!({
            "iss": ISSUER, "aud": [AUDIENCE, "x"], "sub": "b\u{00f6}b", "iat": now.unix(),
            "exp": now.unix() + 300,
        });
        let answer = oracle.accepted(&json!({
            "op": format!("{library}-sign"), "jwk": private_jwk(&key), "alg": algorithm.name(),
            "typ": "at+jwt", "claims": claims,
        }));
        let token = answer["token"].as_str().unwrap();
        let verifier = Verifier::new(ISSUER, AUDIENCE, TokenType::ACCESS);
        let keys = VerifyingKeys::from(key.verifying_key().clone());
        let verified = verifier.verify(token, &keys, now).unwrap();
        assert_eq!(
            verified.subject(),
            Some("b\u{00f6}b"),
            "{library} {algorithm}"
        );
        let other = VerifyingKeys::from(
            SigningKey::generate(algorithm)
                .unwrap()
                .verifying_key()
                .clone(),
        );
        assert!(verifier.verify(token, &other, now).is_err());
    }
}

#[test]
#[ignore = "needs the Python environment `tokens`; run by `cargo xtask test`"]
fn pyjwt_authlib_and_joserfc_accept_our_tokens_and_we_theirs() {
    let mut oracle = Oracle::python();
    for library in ["pyjwt", "authlib", "joserfc"] {
        both_ways(&mut oracle, library);
    }
}

#[test]
#[ignore = "needs Node and jose; run by `cargo xtask test`"]
fn jose_accepts_our_tokens_and_we_theirs() {
    both_ways(&mut Oracle::node(), "jose");
}

#[test]
#[ignore = "needs the Python environment `tokens`, Node and jose; run by `cargo xtask test`"]
fn thumbprints_are_those_of_the_other_libraries() {
    let (mut python, mut node) = (Oracle::python(), Oracle::node());
    for algorithm in ALL {
        for _ in 0..20 {
            let key = SigningKey::generate(algorithm).unwrap();
            let jwk = private_jwk(&key);
            let python = python.accepted(&json!({ "op": "thumbprint", "jwk": jwk }));
            let node = node.accepted(&json!({ "op": "jose-thumbprint", "jwk": jwk }));
            let all = [&python["joserfc"], &python["authlib"], &node["jose"]];
            assert!(
                all.iter().all(|print| *print == key.id()),
                "{algorithm} {all:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs the Python environment `tokens`; run by `cargo xtask test`"]
fn flask_jwt_extended_accepts_our_tokens_and_we_its() {
    let mut oracle = Oracle::python();
    let (secret, now) = ("super-secret-of-a-tutorial-and-longer", Timestamp::now());
    let ours = FlaskTokens::new(SigningKey::dangerous_weak_hs256(secret.as_bytes()).unwrap());
    let mut statuses = |token: &str| {
        let request = json!({ "op": "flask-request", "secret": secret, "token": token });
        let answer = oracle.accepted(&request);
        let bodies = answer["bodies"].as_array().unwrap().clone();
        let statuses = answer["statuses"].as_array().unwrap().clone();
        for (status, body) in statuses.iter().zip(&bodies) {
            assert_eq!(*status == 200, *body == "ada", "{answer}");
        }
        statuses
            .iter()
            .map(|status| *status == 200)
            .collect::<Vec<_>>()
    };
    for (kind, accepted) in [
        (Kind::Access { fresh: false }, [true, false, false]),
        (Kind::Access { fresh: true }, [true, true, false]),
        (Kind::Refresh, [false, false, true]),
    ] {
        let token = ours.issue("ada", kind, 900, now).unwrap();
        assert_eq!(statuses(&token), accepted, "{kind:?}");
    }
    for (kind, fresh) in [("access", false), ("access", true), ("refresh", false)] {
        let request = json!({
            "op": "flask-create", "secret": secret, "identity": "ada", "kind": kind, "fresh": fresh,
        });
        let token = oracle.accepted(&request)["token"]
            .as_str()
            .unwrap()
            .to_owned();
        let (access, refresh) = (
            ours.verify_access(&token, now),
            ours.verify_refresh(&token, now),
        );
        assert_eq!(
            (access.is_ok(), refresh.is_ok()),
            (kind == "access", kind == "refresh")
        );
        let verified = access.or(refresh).unwrap();
        assert_eq!(
            (verified.subject(), is_fresh(&verified, now)),
            (Some("ada"), fresh)
        );
        let csrf: String = verified.claim("csrf").unwrap().unwrap();
        assert!(has_csrf(&verified, &csrf));
        let decode =
            json!({ "op": "flask-decode", "secret": secret, "token": token, "csrf": csrf });
        let claims = &oracle.accepted(&decode)["claims"];
        assert_eq!(claims["jti"], verified.token_id().unwrap());
        // Carafe's own token passes the same CSRF check.
        let own = ours.issue("ada", Kind::Access { fresh }, 900, now).unwrap();
        let csrf: String = ours
            .verify_access(&own, now)
            .unwrap()
            .claim("csrf")
            .unwrap()
            .unwrap();
        for (csrf, ok) in [(csrf.as_str(), true), ("wrong", false)] {
            let decode =
                json!({ "op": "flask-decode", "secret": secret, "token": own, "csrf": csrf });
            assert_eq!(oracle.ask(&decode)["ok"], ok, "{csrf}");
        }
    }
}
