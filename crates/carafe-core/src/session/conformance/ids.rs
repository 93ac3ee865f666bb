//! What a session is called: SID.

use std::sync::Arc;

use futures_util::future::join_all;

use super::site::{Jar, NOW, Site};
use crate::store::{SessionStore, StoreKey};

/// SID-3: an id that the client invented leads nowhere, and what is written then lives under one of ours.
pub async fn sid_3_an_invented_id_is_never_adopted(store: Arc<dyn SessionStore>) {
    let site = Site::new(store.clone());
    let invented = StoreKey::random().expect("the system has randomness");
    let invented = Jar::of(&crate::base64::encode_url(invented.as_bytes()));
    let mut jar = invented.clone();
    site.visit(&mut jar, NOW, |session| session.insert("n", &1))
        .await
        .expect("a write works");
    assert!(jar.0.is_some() && jar != invented, "a new id");
    let key = StoreKey::of_id(invented.id().expect("it has one"));
    let filed = store.load(&key, NOW).await.expect("load works");
    assert!(filed.is_none(), "nothing is filed under the invented id");
    assert_eq!(site.look(&invented, NOW, "n").await, None);
}

/// SID-4: whatever has not the form of an id is nobody's session.
pub async fn sid_4_what_is_no_id_finds_nothing(store: Arc<dyn SessionStore>) {
    let site = Site::new(store);
    for text in [
        "../../etc/passwd",
        "\0",
        "a\r\nb",
        "*",
        "' OR 1=1 --",
        &"A".repeat(42),
        &"A".repeat(44),
        &"x".repeat(1 << 20),
    ] {
        let mut jar = Jar::of(text);
        let found = site
            .visit(&mut jar, NOW, crate::session::Session::len)
            .await;
        assert_eq!(found, 0);
    }
}

/// SID-5: neither the key of a record nor anything in it is the id that the browser holds.
pub async fn sid_5_the_store_never_holds_an_id(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store.clone()), Jar::default());
    site.visit(&mut jar, NOW, |session| {
        session.log_in("bob").and_then(|()| session.insert("n", &1))
    })
    .await
    .expect("a log-in works");
    let id = jar.id().expect("a session has an id");
    let record = store.load(&StoreKey::of_id(id), NOW).await;
    let record = record.expect("load works").expect("filed under its hash");
    assert!(!format!("{record:?} {}", record.handle).contains(id));
    assert!(
        record
            .data
            .iter()
            .all(|(key, text)| !key.contains(id) && !text.contains(id))
    );
}

/// SID-7: after a log-in the old id is nobody's, also for requests that come in by the hundred meanwhile.
pub async fn sid_7_a_log_in_kills_the_old_id_for_all_requests(store: Arc<dyn SessionStore>) {
    let (site, mut jar) = (Site::new(store), Jar::default());
    let written = site.visit(&mut jar, NOW, |session| session.insert("n", &1));
    written.await.expect("a write works");
    let before = jar.clone();
    let log_in = site.visit(&mut jar, NOW, |session| session.log_in("bob"));
    let meanwhile = join_all((0..100).map(|_| site.look(&before, NOW, "n")));
    let (logged_in, _) = futures_util::future::join(log_in, meanwhile).await;
    logged_in.expect("a log-in works");
    assert_ne!(jar, before);
    let late = join_all((0..100).map(|_| site.look(&before, NOW, "n"))).await;
    assert!(late.iter().all(Option::is_none), "the old id is dead");
    assert_eq!(site.look(&jar, NOW, "n").await, Some(1));
}
