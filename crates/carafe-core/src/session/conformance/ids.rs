//! Session IDs: SID.

use std::sync::Arc;

use futures_util::future::join_all;

use super::site::{Jar, NOW, Site};
use crate::store::{ErasedStore, KeyScheme, StoreKey};

/// SID-3: an ID that the client has invented is not adopted, and a write creates a new ID.
pub async fn an_invented_id_is_never_adopted(store: Arc<dyn ErasedStore>) {
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
    assert!(
        filed.record().is_none(),
        "nothing is filed under the invented id"
    );
    assert_eq!(site.look(&invented, NOW, "n").await, None);
}

/// SID-4: text that does not have the form of an ID finds no session.
pub async fn a_malformed_id_finds_no_session(store: Arc<dyn ErasedStore>) {
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

/// SID-5: the ID in the browser is neither the key nor a part of the content of a record.
///
/// In the layouts of other implementations, the key is the ID.
pub async fn the_store_never_holds_an_id(store: Arc<dyn ErasedStore>) {
    if store.capabilities().key_scheme == KeyScheme::RawId {
        return;
    }
    let (site, mut jar) = (Site::new(store.clone()), Jar::default());
    site.visit(&mut jar, NOW, |session| {
        session.log_in("bob").and_then(|()| session.insert("n", &1))
    })
    .await
    .expect("a log-in works");
    let id = jar.id().expect("a session has an id");
    let record = store.load(&StoreKey::of_id(id), NOW).await;
    let record = record.expect("load works").into_record();
    let record = record.expect("filed under its hash");
    assert!(!format!("{record:?} {}", record.meta.public_id).contains(id));
    assert!(
        record
            .data
            .iter()
            .all(|(key, text)| !key.contains(id) && !text.contains(id))
    );
}

/// SID-7: after a log-in, the old ID finds no session, even with a hundred concurrent requests.
pub async fn a_log_in_revokes_the_old_id_for_all_requests(store: Arc<dyn ErasedStore>) {
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
