use std::collections::HashSet;

use carafe_core::store::{PublicId, SessionMeta};
use proptest::prelude::*;

use super::*;

const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

/// The revocation of one session by its key.
fn by_key(number: usize) -> PendingRevocation {
    PendingRevocation {
        target: RevocationTarget::Key(StoreKey::of_id(&number.to_string())),
        at: NOON,
    }
}

fn of_ann(selection: Selection, at: Timestamp) -> PendingRevocation {
    PendingRevocation {
        target: RevocationTarget::User("ann".into(), selection),
        at,
    }
}

fn of_all(at: Timestamp) -> PendingRevocation {
    PendingRevocation {
        target: RevocationTarget::All,
        at,
    }
}

fn session(number: u8, authenticated: Timestamp) -> SessionMeta {
    let mut meta = SessionMeta::new(
        PublicId::from_bytes([number; 12]),
        NOON.saturating_add(-9),
        NOON,
    );
    meta.user = Some("ann".to_owned());
    meta.renewed = NOON;
    meta.last_seen = NOON;
    meta.authenticated = Some(authenticated);
    meta
}

fn empty() -> PendingRevocations {
    PendingRevocations::new(RevocationRules::default())
}

fn undelivered(count: usize, now: Instant) -> PendingRevocations {
    let mut pending = empty();
    for number in 0..count {
        assert!(pending.add(&by_key(number)));
        pending.nack(&by_key(number), now, 0);
    }
    pending
}

#[test]
fn a_failing_store_is_tried_with_one_revocation_after_each_delay() {
    let start = Instant::now();
    let (mut pending, mut now, mut tries) = (undelivered(500, start), start, 0);
    while now < start + Duration::from_secs(60) {
        match pending.next_step(now) {
            Step::Deliver(batch) => {
                tries += batch.len();
                batch
                    .iter()
                    .for_each(|revocation| pending.nack(revocation, now, 0));
            }
            Step::Wait(until) => now = until,
            Step::Idle => panic!("500 are in the queue"),
        }
    }
    assert!((60..90).contains(&tries), "{tries}");
    assert_eq!((pending.len(), pending.undelivered_count()), (500, 500));
}

#[test]
fn a_store_that_answers_again_receives_all_revocations_without_a_delay() {
    let start = Instant::now();
    let mut pending = undelivered(500, start);
    let Step::Wait(now) = pending.next_step(start) else {
        panic!("the last attempt has just failed")
    };
    let mut steps = 0;
    while let Step::Deliver(batch) = pending.next_step(now) {
        steps += 1;
        batch.iter().for_each(|revocation| pending.ack(revocation));
    }
    assert!(pending.is_empty());
    assert_eq!(pending.undelivered_count(), 0);
    assert_eq!(steps, 1 + 499_usize.div_ceil(BATCH));
}

#[test]
fn a_revocation_that_takes_many_steps_lets_the_others_go_first() {
    let start = Instant::now();
    let mut pending = empty();
    let all = of_all(NOON);
    pending.restore(&all);
    (0..40).for_each(|number| pending.restore(&by_key(number)));
    let mut delivered = Vec::new();
    while let Step::Deliver(batch) = pending.next_step(start) {
        for revocation in batch {
            delivered.push(revocation.clone());
            let again =
                revocation == all && delivered.iter().filter(|&one| *one == all).count() < 3;
            match again {
                true => pending.ack_in_part(&revocation),
                false => pending.ack(&revocation),
            }
        }
    }
    let turns: Vec<_> = (0..delivered.len())
        .filter(|&at| delivered[at] == all)
        .collect();
    assert_eq!(turns, [0, 41, 42]);
    assert!(pending.is_empty());
}

#[test]
fn at_capacity_a_new_revocation_is_rejected_and_the_others_stay() {
    let mut pending = PendingRevocations::new(RevocationRules::default().with_capacity(1));
    assert!(pending.add(&by_key(1)) && pending.add(&by_key(1)));
    assert!(!pending.add(&by_key(2)) && !pending.add(&of_ann(Selection::All, NOON)));
    let revokes = |pending: &PendingRevocations, number: usize| {
        pending.revokes_key(&StoreKey::of_id(&number.to_string()))
    };
    assert!(revokes(&pending, 1) && !revokes(&pending, 2));
    assert!(!pending.revokes(&session(1, NOON)));
    pending.nack(&by_key(2), Instant::now(), 0);
    assert_eq!(
        pending.len(),
        1,
        "a rejected revocation is not queued later"
    );
}

#[test]
fn the_length_of_a_user_name_is_bounded() {
    let mut pending = empty();
    let of_user = |length: usize| PendingRevocation {
        target: RevocationTarget::User("x".repeat(length).into(), Selection::All),
        at: NOON,
    };
    assert!(pending.add(&of_user(MAX_USER_BYTES)));
    assert!(!pending.add(&of_user(MAX_USER_BYTES + 1)));
}

#[test]
fn a_session_is_revoked_by_any_matching_revocation_until_its_delivery() {
    let now = Instant::now();
    let mut pending = undelivered(3, now);
    let (own, other) = (session(1, NOON), session(2, NOON));
    let newer = session(2, NOON.saturating_add(1));
    let elsewhere = of_ann(Selection::AllBut(own.public_id), NOON);
    assert!(!pending.revokes(&other));
    assert!(pending.add(&elsewhere));
    assert!(!pending.revokes(&own) && pending.revokes(&other) && !pending.revokes(&newer));
    pending.nack(&elsewhere, now, 0);
    assert!(pending.revokes(&other));
    let by_public_id = PendingRevocation {
        target: RevocationTarget::PublicId(own.public_id),
        at: NOON,
    };
    assert!(pending.add(&by_public_id) && pending.revokes(&own));
    pending.ack(&by_public_id);
    assert!(!pending.revokes(&own) && pending.revokes(&other));
    pending.ack(&elsewhere);
    assert!(!pending.revokes(&other));
    assert!(pending.add(&of_all(own.created)));
    assert!(pending.revokes(&own) && pending.revokes(&newer));
}

#[test]
fn a_later_revocation_outlives_the_ack_of_an_earlier_one() {
    let (mut pending, now) = (empty(), Instant::now());
    let (early, late) = (
        of_ann(Selection::All, NOON),
        of_ann(Selection::All, NOON.saturating_add(5)),
    );
    let between = session(1, NOON.saturating_add(2));
    assert!(pending.add(&early) && !pending.revokes(&between));
    assert!(pending.add(&late) && pending.revokes(&between));
    pending.ack(&early);
    assert!(pending.revokes(&between), "the later one is not delivered");
    pending.nack(&late, now, 0);
    assert!(pending.undelivered().eq([late.clone()]));
    pending.ack(&late);
    assert!(pending.is_empty() && pending.by_user.is_empty());
}

proptest! {
    /// In any order of events, a revocation is in the collection from its request to its ack, and
    /// each one is either being delivered or in the queue.
    #[test]
    fn no_revocation_is_lost(events in prop::collection::vec((0_usize..8, 0..5), 0..200)) {
        let revocation = |number: usize| match number {
            0..=3 => by_key(number),
            4 => of_all(NOON),
            5 => of_ann(Selection::All, NOON),
            _ => of_ann(Selection::Only(PublicId::from_bytes([6; 12])), NOON),
        };
        let mut now = Instant::now();
        let mut pending = empty();
        let (mut requested, mut delivering) = (HashSet::new(), HashSet::new());
        for (number, event) in events {
            let revocation = revocation(number);
            match event {
                0 => {
                    prop_assert!(pending.add(&revocation));
                    requested.insert(revocation.target.clone());
                    delivering.insert(revocation.target);
                }
                1 if delivering.contains(&revocation.target) => {
                    pending.ack(&revocation);
                    requested.remove(&revocation.target);
                    delivering.remove(&revocation.target);
                }
                2 if delivering.remove(&revocation.target) => pending.nack(&revocation, now, 0),
                3 if delivering.remove(&revocation.target) => pending.ack_in_part(&revocation),
                _ => match pending.next_step(now) {
                    Step::Deliver(batch) => {
                        delivering.extend(batch.into_iter().map(|revocation| revocation.target));
                    }
                    Step::Wait(until) => now = until,
                    Step::Idle => prop_assert!(requested.is_subset(&delivering)),
                },
            }
            let entries: HashSet<_> = pending.entries.keys().cloned().collect();
            prop_assert_eq!(&entries, &requested);
            let by_user: usize = pending.by_user.values().map(Vec::len).sum();
            let is_user = |target: &&RevocationTarget| matches!(target, RevocationTarget::User(..));
            prop_assert_eq!(by_user, requested.iter().filter(is_user).count());
            prop_assert_eq!(pending.undelivered().count(), pending.undelivered_count());
        }
    }
}
