//! Sweeps with a paused clock.

use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;
use carafe_core::{
    session::SessionData,
    store::{
        Created, MemoryStore, PublicId, Record, SessionMeta, StoreKey,
        conformance::{Call, Spy, Verb},
    },
};

type Shelf = Spy<MemoryStore>;

const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

/// A store with this number of expired records and one live record.
async fn shelf(expired: usize) -> Arc<Shelf> {
    let records = MemoryStore::new();
    for number in 0..=expired {
        let record = Record::new(
            SessionMeta::new(
                PublicId::from_bytes([0; 12]),
                Timestamp::from_unix(0),
                Timestamp::from_unix(if number == 0 { i64::MAX } else { 1 }),
            ),
            SessionData::default(),
        );
        let key = StoreKey::of_id(&number.to_string());
        let created = records.create(&key, &record, NOW).await;
        assert_eq!(created.expect("create works"), Created::Created);
    }
    Arc::new(Spy::new(records))
}

/// Returns the number of leases granted.
fn claims(shelf: &Shelf) -> u64 {
    shelf.answers(Verb::Claim).iter().sum()
}

thread_local! {
    /// The start of this test's thread, on tokio's paused clock.
    static BEGAN: Instant = Instant::now();
}

fn clock() -> Timestamp {
    let seconds = BEGAN.with(Instant::elapsed).as_secs();
    NOW.saturating_add(i64::try_from(seconds).expect("a short test"))
}

fn every(seconds: u64) -> Sweeping {
    BEGAN.with(|_| ());
    let sweeping = Sweeping::every(Duration::from_secs(seconds));
    Sweeping { clock, ..sweeping }
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn all_that_has_expired_goes_in_bounded_steps_and_the_living_stay() {
    let shelf = shelf(1_234).await;
    let sweeper = every(60).with_batch(100).start(shelf.clone());
    pass(61).await;
    assert_eq!(shelf.inner().len(), 1);
    // The next interval may have begun, in which no expired record was left.
    let steps = shelf.answers(Verb::Sweep).into_iter();
    let steps: Vec<_> = steps.filter(|&removed| removed > 0).collect();
    assert_eq!(steps, [[100; 12].as_slice(), &[34]].concat());
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn of_many_nodes_one_sweeps_an_interval() {
    let shelf = shelf(0).await;
    let sweepers: Vec<_> = (0..8).map(|_| every(60).start(shelf.clone())).collect();
    pass(60 * 100).await;
    let claims = claims(&shelf);
    assert!((98..=101).contains(&claims), "{claims} in 100 intervals");
    // The lease holder may have been dropped, so another sweeper takes over.
    drop(sweepers.into_iter().take(7).collect::<Vec<_>>());
    pass(1).await;
}

#[tokio::test(start_paused = true)]
async fn when_the_one_that_sweeps_goes_another_takes_over() {
    let shelf = shelf(0).await;
    let mut sweepers: Vec<_> = (0..4).map(|_| every(60).start(shelf.clone())).collect();
    while sweepers.len() > 1 {
        pass(120).await;
        sweepers.pop();
        let before = claims(&shelf);
        pass(121).await;
        assert!(claims(&shelf) > before);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_survived_and_the_store_is_not_pressed() {
    let shelf = shelf(1_000).await;
    let failed = Arc::new(AtomicUsize::new(0));
    let count = failed.clone();
    shelf.before(move |_| {
        let fails = count.fetch_add(1, Ordering::Relaxed) < 5;
        let error = || StoreError::unavailable("on purpose");
        Box::pin(async move { if fails { Err(error()) } else { Ok(()) } })
    });
    let sweeper = every(60).start(shelf.clone());
    // 60 s for the initial offset, then pauses of 1, 2, 4, 8 and 16 s, each at most a quarter
    // longer.
    pass(60 + 39 + 60).await;
    assert_eq!(shelf.inner().len(), 1);
    let asked = failed.load(Ordering::Relaxed);
    assert!(asked > 5, "{asked}");
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_that_is_stopped_sweeps_no_more() {
    let shelf = shelf(1_000).await;
    let sweeping = every(1).with_batch(1).with_pause(Duration::from_secs(10));
    let sweeper = sweeping.start(shelf.clone());
    pass(15).await;
    sweeper.stop().await;
    let left = shelf.inner().len();
    assert!(left > 1, "it was in the middle");
    pass(1_000).await;
    assert_eq!(shelf.inner().len(), left);
    drop(sweeping.start(shelf.clone()));
    pass(1_000).await;
    assert_eq!(shelf.inner().len(), left, "dropping it is enough");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_given_up() {
    let (shelf, calls) = (shelf(10).await, AtomicUsize::new(0));
    // Only the first call hangs.
    shelf.before(move |call: Call| {
        let hangs = call.verb == Verb::Claim && calls.fetch_add(1, Ordering::Relaxed) == 0;
        Box::pin(async move { if hangs { pending().await } else { Ok(()) } })
    });
    let sweeper = every(60).start(shelf.clone());
    pass(60 + 10 + 60).await;
    assert_eq!(shelf.inner().len(), 1);
    sweeper.stop().await;
}
