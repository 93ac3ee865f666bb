//! TLS, with a certificate created for the test.

use std::process::Command;

use carafe_core::store::SessionStore as _;
use carafe_redis::{RedisOptions, redis};

use crate::support::{NOW, Server, block_on, filed, free_port, patient, record};

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_trusted_certificate_is_accepted_and_an_untrusted_one_is_rejected() {
    let dir = std::env::temp_dir().join(format!("carafe-redis-tls-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let (certificate, secret) = (dir.join("cert.pem"), dir.join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args([
            "-subj",
            "/CN=carafe",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&secret)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success());
    let (port, text) = (free_port(), |path: &std::path::Path| {
        path.display().to_string()
    });
    let server = Server::with(&[
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &text(&certificate),
        "--tls-key-file",
        &text(&secret),
        "--tls-ca-cert-file",
        &text(&certificate),
        "--tls-auth-clients",
        "no",
    ]);
    block_on(async {
        let url = format!("rediss://127.0.0.1:{port}");
        let trust = redis::TlsCertificates {
            client_tls: None,
            root_cert: Some(std::fs::read(&certificate).expect("it was made")),
        };
        let client = redis::Client::build_with_tls(url.as_str(), trust).expect("a client");
        let store = patient().client(client);
        let key = filed(&store, &record("{}")).await;
        assert!(
            store
                .load(&key, NOW)
                .await
                .expect("load works")
                .record()
                .is_some()
        );
        let distrust = RedisOptions::new().connect(url.as_str()).await;
        assert!(distrust.is_err(), "nobody vouches for that certificate");
    });
    drop(server);
    let _ = std::fs::remove_dir_all(dir);
}
