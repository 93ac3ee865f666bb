//! Checks of the listing of all sessions. A store without a listing passes.

use std::collections::HashSet;

use super::fixtures::*;
use crate::{
    clock::Timestamp,
    session::Patch,
    store::{
        Cursor, ErasedSessionListing, ErasedStore, Position, PublicId, Record, StoreError, StoreKey,
    },
};

/// The concatenated pages of the list contain all sessions, each once, newest ID first.
pub async fn pages_show_each_session_once<S: ErasedStore + ?Sized>(store: &S) {
    let Some(inventory) = store.powers().listing() else {
        return;
    };
    let (start, filed) = filed_in_a_time_of_their_own(store, 7).await;
    let mut after = Some(start);
    let mut seen = Vec::new();
    while seen.len() < filed.len() {
        let page = newest(inventory, after, 3, start.renewed).await;
        assert!(
            !page.is_empty() && page.len() <= 3,
            "{} on a page",
            page.len()
        );
        after = page.last().map(|(position, _)| *position);
        seen.extend(page);
    }
    assert!(seen.is_sorted_by(|(a, _), (b, _)| a.renewed >= b.renewed));
    let seen: Vec<_> = seen.into_iter().map(|(_, public_id)| public_id).collect();
    let unique: HashSet<_> = seen.iter().collect();
    assert_eq!(unique.len(), filed.len(), "each once");
    assert!(
        filed
            .iter()
            .all(|(_, record)| unique.contains(&record.meta.public_id))
    );
}

/// Removing or renewing a session between two pages causes no repeated or missing session.
pub async fn pages_hold_while_sessions_end<S: ErasedStore + ?Sized>(store: &S) {
    let Some(inventory) = store.powers().listing() else {
        return;
    };
    let (start, filed) = filed_in_a_time_of_their_own(store, 6).await;
    let first = newest(inventory, Some(start), 3, start.renewed).await;
    for (position, public_id) in &first {
        let there = inventory.delete_by_public_id(*public_id, NOW).await;
        assert!(there.expect("delete_by_public_id works"), "{position:?}");
    }
    let after = first.last().map(|(position, _)| *position);
    let second = newest(inventory, after, 3, start.renewed).await;
    let handles = |page: &[(Position, PublicId)]| -> HashSet<_> {
        page.iter().map(|(_, public_id)| *public_id).collect()
    };
    let all: HashSet<_> = handles(&first).union(&handles(&second)).copied().collect();
    assert_eq!(
        all,
        filed
            .iter()
            .map(|(_, record)| record.meta.public_id)
            .collect()
    );
}

/// Expired sessions are on no page, are not found by their public ID and are in no sample.
pub async fn the_list_has_no_expired_session<S: ErasedStore + ?Sized>(store: &S) {
    let Some(inventory) = store.powers().listing() else {
        return;
    };
    let (start, filed) = filed_in_a_time_of_their_own(store, 2).await;
    let end = filed[0].1.meta.expires;
    let handles: Vec<_> = filed
        .iter()
        .map(|(_, record)| record.meta.public_id)
        .collect();
    let page = newest(inventory, Some(start), 10, end).await;
    assert!(
        page.iter()
            .all(|(_, public_id)| !handles.contains(public_id))
    );
    let found = inventory.find(handles[0], end).await;
    assert!(found.expect("find works").is_none());
    let sample = inventory.sample(10, end).await.expect("sample works");
    assert!(
        sample
            .sessions
            .iter()
            .all(|session| !session.is_expired(end))
    );
}

/// A public ID finds and deletes its session, even if the session has got a new ID.
pub async fn a_handle_finds_and_ends_its_session<S: ErasedStore + ?Sized>(store: &S) {
    let Some(inventory) = store.powers().listing() else {
        return;
    };
    let (from, base) = filed(store, r#"{"a":1}"#).await;
    let to = key();
    rotated(store, &from, &to, &base).await;
    let found = inventory
        .find(base.meta.public_id, NOW)
        .await
        .expect("find works");
    let found = found.expect("the session has this handle");
    assert_eq!(
        (found.meta.public_id, found.data.text_of("a")),
        (base.meta.public_id, Some("1"))
    );
    assert!(matches!(
        inventory
            .delete_by_public_id(base.meta.public_id, NOW)
            .await,
        Ok(true)
    ));
    assert!(is_absent(store, &to, NOW).await && is_absent(store, &from, NOW).await);
    assert!(matches!(
        inventory
            .delete_by_public_id(base.meta.public_id, NOW)
            .await,
        Ok(false)
    ));
    let unknown = PublicId::random().expect("the system has randomness");
    assert!(matches!(inventory.find(unknown, NOW).await, Ok(None)));
}

/// The deletion of old sessions is bounded and spares newer sessions.
///
/// Old sessions that got a new ID are deleted, too.
pub async fn all_that_began_by_then_are_ended<S: ErasedStore + ?Sized>(store: &S) {
    let Some(inventory) = store.powers().listing() else {
        return;
    };
    // A separate time range, so that the deletion spares other checks' records in the same store.
    let then = Timestamp::from_unix(2_000);
    let mut old = Vec::new();
    for _ in 0..4 {
        let (key, record) = (key(), began_at(then));
        create(store, &key, &record).await;
        old.push((key, record));
    }
    let (young, record) = (key(), began_at(then.saturating_add(1)));
    create(store, &young, &record).await;
    let (moved, base) = (key(), loaded(store, &old[0].0).await);
    rotated(store, &old[0].0, &moved, &base).await;
    old[0].0 = moved;
    let mut ended = Vec::new();
    while ended.last() != Some(&0) && ended.len() < 100 {
        ended.push(
            inventory
                .delete_created_before(then, 3, NOW)
                .await
                .expect("delete_created_before works"),
        );
    }
    assert!(ended.iter().all(|&count| count <= 3), "{ended:?}");
    assert!(ended.iter().sum::<u64>() >= 4, "{ended:?}");
    for (key, _) in &old {
        assert!(is_absent(store, key, NOW).await);
    }
    assert!(!is_absent(store, &young, NOW).await);
}

/// A sample respects its limit, repeats no session, and is exact if it contains all sessions.
pub async fn a_sample_is_bounded_and_honest<S: ErasedStore + ?Sized>(store: &S) {
    let Some(inventory) = store.powers().listing() else {
        return;
    };
    let (_, record) = filed(store, "{}").await;
    filed(store, "{}").await;
    let few = inventory.sample(1, NOW).await.expect("sample works");
    assert!(few.sessions.len() <= 1 && few.total >= 1 && !few.exact);
    let all = inventory.sample(100_000, NOW).await.expect("sample works");
    let handles: HashSet<_> = all
        .sessions
        .iter()
        .map(|session| session.public_id)
        .collect();
    assert_eq!(handles.len(), all.sessions.len(), "each at most once");
    assert!(all.exact && all.total == all.sessions.len() as u64);
    assert!(handles.contains(&record.meta.public_id));
}

/// A scan returns every record, under its key, and terminates.
pub async fn a_walk_meets_every_record<S: ErasedStore + ?Sized>(store: &S) {
    let Some(inventory) = store.powers().listing() else {
        return;
    };
    let mut waiting = HashSet::new();
    for number in 0..5 {
        let (key, _) = filed(store, &format!(r#"{{"n":{number}}}"#)).await;
        waiting.insert(key);
    }
    let mut after: Option<Cursor> = None;
    loop {
        let batch = match inventory.scan(after.as_ref(), 2).await {
            // The store does not keep complete keys.
            Err(StoreError::Unsupported) => return,
            batch => batch.expect("walk works"),
        };
        for (key, record) in batch.records {
            if waiting.remove(&key) {
                let filed = loaded(store, &key).await;
                assert_eq!(
                    record.expect("it can be read").meta.public_id,
                    filed.meta.public_id
                );
            }
        }
        match batch.next {
            // Parses the cursor from its text, as a restarted program would.
            Some(next) => after = Some(Cursor::new(next.as_str())),
            None => break,
        }
    }
    assert!(waiting.is_empty(), "{} not met", waiting.len());
}

async fn newest(
    inventory: &dyn ErasedSessionListing,
    after: Option<Position>,
    limit: usize,
    now: Timestamp,
) -> Vec<(Position, PublicId)> {
    let page = inventory
        .list(after, limit, now)
        .await
        .expect("newest works");
    page.iter()
        .map(|session| (session.position(), session.public_id))
        .collect()
}

/// Creates sessions with newer IDs than those of all other checks.
///
/// Returns the sessions, and the position in the list before the first one.
async fn filed_in_a_time_of_their_own<S: ErasedStore + ?Sized>(
    store: &S,
    count: i64,
) -> (Position, Vec<(StoreKey, Record)>) {
    // Concurrent checks and repeated runs on a persistent store get different decades.
    let draw = PublicId::random().expect("the system has randomness");
    let decade = i64::from(u16::from_be_bytes([draw.as_bytes()[0], draw.as_bytes()[1]]));
    let base = Timestamp::from_unix(10_000_000_000 + decade * 1_000_000);
    let mut filed = Vec::new();
    for number in 0..count {
        let mut record = record("{}");
        // Two IDs in each second.
        record.meta.renewed = base.saturating_add(number / 2);
        record.meta.expires = base.saturating_add(1_000);
        let key = key();
        create(store, &key, &record).await;
        filed.push((key, record));
    }
    let start = Position {
        renewed: base.saturating_add(count),
        public_id: PublicId::from_bytes([0xff; 12]),
    };
    (start, filed)
}

async fn rotated<S: ErasedStore + ?Sized>(
    store: &S,
    from: &StoreKey,
    to: &StoreKey,
    base: &Record,
) {
    let patch = Patch::default();
    let rotated = store.rotate(from, to, base, &patch, renewal(), NOW).await;
    applied(rotated.expect("rotate works"));
}

fn began_at(created: Timestamp) -> Record {
    let mut record = record("{}");
    record.meta.created = created;
    record
}
