//! DOWN-4 with any store: a log-out of all of a user's sessions that did not reach the store.

use std::time::Duration;

use carafe::{
    Guarded, SessionStore, StoreError, Timestamp,
    store::{Created, Patched, PublicId, Record, Rotation, Selection, UserSessions},
};
use carafe_core::{session::Patch, store::conformance::Verb};

use super::fickle::{Fickle, Mood, Moody, fickle, key, record};

/// A time relative to the system clock, which the guard uses.
fn ago(seconds: i64) -> Timestamp {
    Timestamp::now().saturating_add(-seconds)
}

fn session(number: u8, user: &str, authenticated: Timestamp) -> Record {
    let mut record = record();
    record.meta.user = Some(user.to_owned());
    record.meta.public_id = PublicId::from_bytes([number; 12]);
    record.meta.created = ago(3_600);
    record.meta.renewed = ago(0);
    record.meta.authenticated = Some(authenticated);
    record
}

async fn file(store: &Guarded<Fickle>, number: u8, record: &Record) {
    let created = store.create(&key(number.into()), record, ago(0)).await;
    assert_eq!(created.unwrap(), Created::Created);
}

/// Returns a store with three sessions of ann and one of bob.
async fn with_sessions() -> Guarded<Fickle> {
    let store = Guarded::new(fickle());
    for (number, user) in [(1, "ann"), (2, "ann"), (3, "ann"), (4, "bob")] {
        file(&store, number, &session(number, user, ago(60))).await;
    }
    store
}

async fn let_in(store: &Guarded<Fickle>) -> Vec<u8> {
    let mut found = Vec::new();
    for number in 1..=9 {
        let loaded = store.load(&key(number.into()), ago(0)).await;
        found.extend(loaded.unwrap().record().map(|_| number));
    }
    found
}

async fn fails<T>(store: &Guarded<Fickle>, order: impl Future<Output = Result<T, StoreError>>) {
    store.inner().is(Mood::Fails);
    assert!(order.await.is_err(), "not complete");
    store.inner().is(Mood::Works);
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn log_out_everywhere_holds_here_at_once_and_in_the_store_after_recovery() {
    let store = with_sessions().await;
    fails(
        &store,
        store.delete_by_user("ann", Selection::All, 500, ago(0)),
    )
    .await;
    assert_eq!(let_in(&store).await, [4]);
    assert_eq!(store.inner().inner().len(), 4, "the store knows nothing");
    assert!(
        store
            .list_by_user("ann", None, 10, ago(0))
            .await
            .unwrap()
            .is_empty()
    );
    // A request that loaded such a session earlier cannot save it.
    let (base, patch) = (session(1, "ann", ago(60)), Patch::default());
    let patched = store.patch(&key(1), &base, &patch, ago(0)).await.unwrap();
    assert!(matches!(patched, Patched::Gone));
    let (from, to) = (key(1), key(8));
    let rotated = store.rotate(&from, &to, &base, &patch, Rotation::Replacement, ago(0));
    assert!(matches!(rotated.await.unwrap(), Patched::Gone));
    pass(1_000).await;
    assert_eq!(store.inner().inner().len(), 1, "within a second");
    let status = store.status();
    assert_eq!(
        (status.revocations_pending, status.revocations_delivered),
        (0, 1)
    );
    assert_eq!(let_in(&store).await, [4]);
}

#[tokio::test(start_paused = true)]
async fn log_out_everywhere_else_keeps_the_own_session_and_one_device_revokes_only_itself() {
    let own = PublicId::from_bytes([2; 12]);
    for (which, left) in [
        (Selection::AllBut(own), &[2, 4][..]),
        (Selection::Only(own), &[1, 3, 4]),
    ] {
        let store = with_sessions().await;
        fails(&store, store.delete_by_user("ann", which, 500, ago(0))).await;
        assert_eq!(let_in(&store).await, left);
        pass(1_000).await;
        assert_eq!(store.inner().inner().len(), left.len());
        assert_eq!(let_in(&store).await, left);
    }
}

#[tokio::test(start_paused = true)]
async fn a_later_log_in_survives_log_out_everywhere() {
    let store = with_sessions().await;
    fails(
        &store,
        store.delete_by_user("ann", Selection::All, 500, ago(0)),
    )
    .await;
    // Through this node or another: a new session, and a new authentication of an old session.
    let since = ago(-1);
    file(&store, 5, &session(5, "ann", since)).await;
    file(&store, 6, &session(6, "ann", since)).await;
    assert_eq!(let_in(&store).await, [4, 5, 6]);
    pass(1_000).await;
    assert_eq!(store.inner().inner().len(), 3);
    assert_eq!(let_in(&store).await, [4, 5, 6]);
    assert_eq!(store.status().revocations_pending, 0);
}

#[tokio::test(start_paused = true)]
async fn the_revocation_of_all_sessions_is_remembered() {
    let store = with_sessions().await;
    let inventory = store.powers().listing().unwrap();
    fails(&store, inventory.delete_created_before(ago(1), 2, ago(0))).await;
    let mut new = session(5, "ann", ago(0));
    new.meta.created = ago(0);
    file(&store, 5, &new).await;
    assert_eq!(let_in(&store).await, [5]);
    pass(1_000).await;
    assert_eq!(store.inner().inner().len(), 1);
    assert_eq!(store.status().revocations_pending, 0);
}

#[tokio::test(start_paused = true)]
async fn an_operators_revocation_of_one_session_is_remembered() {
    let store = with_sessions().await;
    let inventory = store.powers().listing().unwrap();
    let public_id = PublicId::from_bytes([1; 12]);
    fails(&store, inventory.delete_by_public_id(public_id, ago(0))).await;
    assert_eq!(let_in(&store).await, [2, 3, 4]);
    let found = inventory.find(public_id, ago(0)).await;
    assert!(found.unwrap().is_none());
    pass(1_000).await;
    assert_eq!(store.inner().inner().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_that_fails_half_way_is_completed() {
    let store = with_sessions().await;
    file(&store, 5, &session(5, "ann", ago(-1))).await;
    fails(
        &store,
        store.delete_by_user("ann", Selection::All, 500, ago(0)),
    )
    .await;
    store.inner().before(|call| {
        let works = call.verb == Verb::OfUser;
        let answer = works
            .then_some(())
            .ok_or_else(|| StoreError::unavailable("away"));
        Box::pin(async { answer })
    });
    pass(5_000).await;
    assert_eq!(store.status().revocations_pending, 1);
    store.inner().works();
    pass(1_000).await;
    assert_eq!(store.status().revocations_pending, 0);
    assert_eq!(let_in(&store).await, [4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_canceled_revocation_of_all_sessions_is_not_lost() {
    let store = with_sessions().await;
    store.inner().is(Mood::Hangs);
    let order = store.delete_by_user("ann", Selection::All, 500, ago(0));
    let dropped = tokio::time::timeout(Duration::from_millis(1), order).await;
    assert!(dropped.is_err());
    store.inner().is(Mood::Works);
    assert_eq!(let_in(&store).await, [4]);
    pass(1_000).await;
    assert_eq!(store.inner().inner().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_store_cannot_do_is_not_remembered() {
    let store = with_sessions().await;
    store
        .inner()
        .before(|_| Box::pin(async { Err(StoreError::Unsupported) }));
    let answer = store
        .delete_by_user("ann", Selection::All, 500, ago(0))
        .await;
    assert!(matches!(answer, Err(StoreError::Unsupported)));
    assert_eq!(store.status().revocations_pending, 0);
}
