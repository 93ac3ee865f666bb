use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::store::{Handle, Summary};

const NOON: Timestamp = Timestamp::from_unix(1_700_000_000);

/// The log-out of one session.
fn one(number: usize) -> LogOut {
    LogOut {
        whose: Whose::Key(StoreKey::of_id(&number.to_string())),
        at: NOON,
    }
}

fn of_ann(which: Which, at: Timestamp) -> LogOut {
    let whose = Whose::User("ann".into(), which);
    LogOut { whose, at }
}

fn session(number: u8, authenticated: Timestamp) -> Summary {
    Summary {
        handle: Handle::from_bytes([number; 12]),
        user: Some("ann".to_owned()),
        device: None,
        created: NOON.saturating_add(-9),
        renewed: NOON,
        last_seen: NOON,
        expires: NOON,
        authenticated: Some(authenticated),
        version: 0,
    }
}

fn with(failed: usize, now: Instant) -> Tombstones {
    let mut stones = Tombstones::new(TombstoneRules::default());
    for number in 0..failed {
        assert!(stones.note(&one(number)));
        stones.not_told(&one(number), now, 0);
    }
    stones
}

#[test]
fn a_dead_store_is_tried_with_one_key_after_each_pause() {
    let start = Instant::now();
    let (mut stones, mut now, mut tries) = (with(500, start), start, 0);
    while now < start + Duration::from_secs(60) {
        match stones.step(now) {
            Step::Tell(orders) => {
                tries += orders.len();
                orders
                    .iter()
                    .for_each(|order| stones.not_told(order, now, 0));
            }
            Step::Wait(until) => now = until,
            Step::Nothing => panic!("500 wait"),
        }
    }
    assert!((60..90).contains(&tries), "{tries}");
    assert_eq!((stones.len(), stones.missed_count()), (500, 500));
}

#[test]
fn a_store_that_is_back_is_told_all_without_a_pause() {
    let start = Instant::now();
    let mut stones = with(500, start);
    let Step::Wait(now) = stones.step(start) else {
        panic!("it has just failed")
    };
    let mut steps = 0;
    while let Step::Tell(orders) = stones.step(now) {
        steps += 1;
        orders.iter().for_each(|order| stones.told(order));
    }
    assert!(stones.is_empty());
    assert_eq!(stones.missed_count(), 0);
    assert_eq!(steps, 1 + 499_usize.div_ceil(TOGETHER));
}

#[test]
fn what_takes_many_steps_lets_the_others_go_first() {
    let start = Instant::now();
    let mut stones = with(0, start);
    let everyone = LogOut {
        whose: Whose::Everyone,
        at: NOON,
    };
    stones.restore(&everyone);
    (0..40).for_each(|number| stones.restore(&one(number)));
    let mut told = Vec::new();
    while let Step::Tell(orders) = stones.step(start) {
        for order in orders {
            told.push(order.clone());
            let again =
                order == everyone && told.iter().filter(|&one| *one == everyone).count() < 3;
            match again {
                true => stones.told_in_part(&order),
                false => stones.told(&order),
            }
        }
    }
    let turns: Vec<_> = (0..told.len()).filter(|&at| told[at] == everyone).collect();
    assert_eq!(turns, [0, 41, 42]);
    assert!(stones.is_empty());
}

#[test]
fn a_full_queue_keeps_what_it_has() {
    let mut stones = Tombstones::new(TombstoneRules {
        most: 1,
        ..TombstoneRules::default()
    });
    assert!(stones.note(&one(1)) && stones.note(&one(1)));
    assert!(!stones.note(&one(2)) && !stones.note(&of_ann(Which::All, NOON)));
    let holds = |stones: &Tombstones, number: usize| {
        stones.has_ended(&StoreKey::of_id(&number.to_string()))
    };
    assert!(holds(&stones, 1) && !holds(&stones, 2));
    assert!(!stones.ends(&session(1, NOON)));
    stones.not_told(&one(2), Instant::now(), 0);
    assert_eq!(stones.len(), 1, "what was not noted does not come in later");
}

#[test]
fn the_name_of_a_user_is_bounded() {
    let mut stones = with(0, Instant::now());
    let order = |length: usize| LogOut {
        whose: Whose::User("x".repeat(length).into(), Which::All),
        at: NOON,
    };
    assert!(stones.note(&order(LONGEST_USER)));
    assert!(!stones.note(&order(LONGEST_USER + 1)));
}

#[test]
fn a_session_is_refused_by_any_order_that_means_it_until_the_store_is_told() {
    let (mut stones, now) = (with(3, Instant::now()), Instant::now());
    let (own, other) = (session(1, NOON), session(2, NOON));
    let since = session(2, NOON.saturating_add(1));
    let elsewhere = of_ann(Which::AllBut(own.handle), NOON);
    assert!(!stones.ends(&other));
    assert!(stones.note(&elsewhere));
    assert!(!stones.ends(&own) && stones.ends(&other) && !stones.ends(&since));
    stones.not_told(&elsewhere, now, 0);
    assert!(stones.ends(&other));
    let by_name = LogOut {
        whose: Whose::Handle(own.handle),
        at: NOON,
    };
    assert!(stones.note(&by_name) && stones.ends(&own));
    stones.told(&by_name);
    assert!(!stones.ends(&own) && stones.ends(&other));
    stones.told(&elsewhere);
    assert!(!stones.ends(&other));
    let everyone = LogOut {
        whose: Whose::Everyone,
        at: own.created,
    };
    assert!(stones.note(&everyone) && stones.ends(&own) && stones.ends(&since));
}

#[test]
fn a_later_order_outlives_the_answer_to_an_earlier_one() {
    let (mut stones, now) = (with(0, Instant::now()), Instant::now());
    let (early, late) = (
        of_ann(Which::All, NOON),
        of_ann(Which::All, NOON.saturating_add(5)),
    );
    let between = session(1, NOON.saturating_add(2));
    assert!(stones.note(&early) && !stones.ends(&between));
    assert!(stones.note(&late) && stones.ends(&between));
    stones.told(&early);
    assert!(stones.ends(&between), "nobody was told of the later one");
    stones.not_told(&late, now, 0);
    assert!(stones.missed().eq([late.clone()]));
    stones.told(&late);
    assert!(stones.is_empty() && stones.of_users.is_empty());
}

proptest! {
    /// Whatever order things happen in, an order is held from when it was given until the store was told of it,
    /// and none is lost: each is being told or waits.
    #[test]
    fn no_log_out_is_lost(events in prop::collection::vec((0_usize..8, 0..5), 0..200)) {
        let order = |number: usize| match number {
            0..=3 => one(number),
            4 => LogOut { whose: Whose::Everyone, at: NOON },
            5 => of_ann(Which::All, NOON),
            _ => of_ann(Which::Only(Handle::from_bytes([6; 12])), NOON),
        };
        let mut now = Instant::now();
        let mut stones = Tombstones::new(TombstoneRules::default());
        let (mut ended, mut telling) = (HashSet::new(), HashSet::new());
        for (number, event) in events {
            let order = order(number);
            match event {
                0 => {
                    prop_assert!(stones.note(&order));
                    ended.insert(order.whose.clone());
                    telling.insert(order.whose);
                }
                1 if telling.contains(&order.whose) => {
                    stones.told(&order);
                    ended.remove(&order.whose);
                    telling.remove(&order.whose);
                }
                2 if telling.remove(&order.whose) => stones.not_told(&order, now, 0),
                3 if telling.remove(&order.whose) => stones.told_in_part(&order),
                _ => match stones.step(now) {
                    Step::Tell(orders) => telling.extend(orders.into_iter().map(|order| order.whose)),
                    Step::Wait(until) => now = until,
                    Step::Nothing => prop_assert!(ended.is_subset(&telling)),
                },
            }
            let held: HashSet<_> = stones.held.keys().cloned().collect();
            prop_assert_eq!(&held, &ended);
            let of_users: usize = stones.of_users.values().map(Vec::len).sum();
            prop_assert_eq!(of_users, ended.iter().filter(|whose| matches!(whose, Whose::User(..))).count());
            prop_assert_eq!(stones.missed().count(), stones.missed_count());
        }
    }
}
