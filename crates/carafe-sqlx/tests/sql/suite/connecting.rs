//! Connecting to a URL: parameters, a server that refuses connections, TLS.

use std::time::Duration;

use carafe_core::{
    error::ErrorChain,
    store::{ErasedStore as _, StoreError},
};
use carafe_test_servers::free_port;
use tokio::time::Instant;

use crate::support::{Kit, fixtures::*};

async fn refusal<K: Kit>(url: &str) -> String {
    match K::connect(url).await {
        Ok(_) => panic!("{url} is accepted"),
        Err(error) => ErrorChain::of(&error).to_string(),
    }
}

pub(crate) async fn a_parameter_that_does_not_exist_is_refused<K: Kit>() {
    let url = K::other_host(free_port(), "tabel=foo");
    let said = refusal::<K>(&url).await;
    assert!(
        said.contains("no parameter `tabel`; it takes table, "),
        "{said}"
    );
    let said = refusal::<K>(&K::other_host(free_port(), "tls=maybe")).await;
    assert!(said.contains("`tls`"), "{said}");
}

/// A refused connection is reported immediately, at the start and later.
///
/// Without this, the error would come after the pool's timeout.
pub(crate) async fn a_refused_connection_is_reported_at_once<K: Kit>() {
    let start = Instant::now();
    let said = refusal::<K>(&K::url(free_port())).await;
    assert!(said.contains("refused"), "{said}");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );

    let server = K::start();
    let store = K::store(server.port, "refused_sessions", 4, crate::support::PATIENT).await;
    server.kill();
    let start = Instant::now();
    let calls = (0..12).map(|_| async { store.load(&key(), NOW).await });
    for result in futures_util::future::join_all(calls).await {
        match result {
            Err(error @ StoreError::Unavailable(_)) => {
                let said = ErrorChain::of(&error).to_string();
                assert!(said.contains("refused"), "{said}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

/// A server on another host must prove its identity, whichever TLS mode the URL selects.
pub(crate) async fn another_host_is_verified<K: Kit>() {
    let server = K::start_with_tls();
    for parameters in ["", K::REQUIRED] {
        let said = refusal::<K>(&K::other_host(server.port, parameters)).await;
        assert!(
            said.contains("certificate") && said.contains("tls=unverified"),
            "{said}"
        );
    }
    let authority = server.dir.join("certificate");
    let authority = format!("{}={}", K::AUTHORITY, authority.display());
    for (parameters, transport) in [
        (authority.as_str(), "TLS, verified"),
        ("tls=unverified", "TLS, not verified"),
        (K::WITHOUT_TLS, "plain, not encrypted"),
    ] {
        let store = K::connect(&K::other_host(server.port, parameters)).await;
        let health = K::health(&store.expect(parameters)).await;
        assert!(
            health.facts.contains(&("transport", transport.to_owned())),
            "{health}"
        );
        assert!(
            health
                .facts
                .contains(&("authentication", "user, no password".to_owned()))
        );
    }
    let near = K::connect(&K::url(server.port))
        .await
        .expect("connect works");
    let health = K::health(&near).await;
    assert!(
        health
            .facts
            .contains(&("transport", "TLS, not verified".to_owned())),
        "{health}"
    );
}
