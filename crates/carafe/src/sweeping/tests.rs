//! Sweeps under a clock that stands still and is turned by hand.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::*;
use carafe_core::{
    session::{Patch, SessionData},
    store::{BoxFuture, Created, Handle, MemoryStore, Patched, Record, StoreKey},
};

/// A store of records of which some have expired, that counts and can fail.
#[derive(Default)]
struct Shelf {
    records: MemoryStore,
    claims: AtomicUsize,
    sweeps: AtomicUsize,
    largest: AtomicUsize,
    /// So many calls fail.
    to_fail: AtomicI64,
}

const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);

impl Shelf {
    async fn with(expired: usize) -> Arc<Self> {
        let shelf = Self::default();
        for number in 0..=expired {
            let record = Record {
                data: SessionData::default(),
                user: None,
                handle: Handle::from_bytes([0; 12]),
                device: None,
                created: Timestamp::from_unix(0),
                renewed: Timestamp::from_unix(0),
                last_seen: Timestamp::from_unix(0),
                // One of them lives.
                expires: Timestamp::from_unix(if number == 0 { i64::MAX } else { 1 }),
                authenticated: None,
                version: 0,
            };
            let key = StoreKey::of_id(&number.to_string());
            let created = shelf.records.create(&key, &record, NOW).await;
            assert_eq!(created.expect("create works"), Created::Created);
        }
        Arc::new(shelf)
    }

    fn fails(&self) -> Option<StoreError> {
        let failing = self.to_fail.fetch_sub(1, Ordering::Relaxed) > 0;
        failing.then(|| StoreError::unavailable("on purpose"))
    }
}

impl SessionStore for Shelf {
    fn create<'a>(
        &'a self,
        key: &'a StoreKey,
        record: &'a Record,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Created, StoreError>> {
        self.records.create(key, record, now)
    }

    fn load<'a>(
        &'a self,
        key: &'a StoreKey,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.records.load(key, now)
    }

    fn patch<'a>(
        &'a self,
        key: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        self.records.patch(key, base, patch, now)
    }

    fn rotate<'a>(
        &'a self,
        from: &'a StoreKey,
        to: &'a StoreKey,
        base: &'a Record,
        patch: &'a Patch,
        alias_until: Option<Timestamp>,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Patched, StoreError>> {
        self.records.rotate(from, to, base, patch, alias_until, now)
    }

    fn touch<'a>(
        &'a self,
        key: &'a StoreKey,
        expires: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.records.touch(key, expires, now)
    }

    fn delete<'a>(&'a self, key: &'a StoreKey) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.records.delete(key)
    }

    fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
        Some(self)
    }
}

impl ExpiredSweep for Shelf {
    fn claim<'a>(
        &'a self,
        until: Timestamp,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            if let Some(error) = self.fails() {
                return Err(error);
            }
            let claimed = self.records.claim(until, now).await?;
            self.claims
                .fetch_add(usize::from(claimed), Ordering::Relaxed);
            Ok(claimed)
        })
    }

    fn sweep<'a>(
        &'a self,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<usize, StoreError>> {
        Box::pin(async move {
            self.sweeps.fetch_add(1, Ordering::Relaxed);
            if let Some(error) = self.fails() {
                return Err(error);
            }
            let swept = self.records.sweep(limit, now).await?;
            self.largest.fetch_max(swept, Ordering::Relaxed);
            Ok(swept)
        })
    }
}

thread_local! {
    /// When this test's thread began, by tokio's clock, which the tests turn.
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
    let shelf = Shelf::with(1_234).await;
    let sweeper = every(60).with_batch(100).start(shelf.clone());
    pass(61).await;
    assert_eq!(shelf.records.len(), 1);
    assert_eq!(shelf.largest.load(Ordering::Relaxed), 100);
    assert_eq!(shelf.sweeps.load(Ordering::Relaxed), 14);
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn of_many_nodes_one_sweeps_an_interval() {
    let shelf = Shelf::with(0).await;
    let sweepers: Vec<_> = (0..8).map(|_| every(60).start(shelf.clone())).collect();
    pass(60 * 100).await;
    let claims = shelf.claims.load(Ordering::Relaxed);
    assert!((98..=101).contains(&claims), "{claims} in 100 intervals");
    // Whoever had the turn goes away: somebody takes over.
    drop(sweepers.into_iter().take(7).collect::<Vec<_>>());
    pass(1).await;
}

#[tokio::test(start_paused = true)]
async fn when_the_one_that_sweeps_goes_another_takes_over() {
    let shelf = Shelf::with(0).await;
    let mut sweepers: Vec<_> = (0..4).map(|_| every(60).start(shelf.clone())).collect();
    while sweepers.len() > 1 {
        pass(120).await;
        sweepers.pop();
        let before = shelf.claims.load(Ordering::Relaxed);
        pass(121).await;
        assert!(shelf.claims.load(Ordering::Relaxed) > before);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_survived_and_the_store_is_not_pressed() {
    let shelf = Shelf::with(1_000).await;
    shelf.to_fail.store(5, Ordering::Relaxed);
    let sweeper = every(60).start(shelf.clone());
    // 60 s for the phase; then pauses of 1, 2, 4, 8 and 16 s and at most a quarter more.
    pass(60 + 39 + 60).await;
    assert_eq!(shelf.records.len(), 1);
    let failed = 5 - shelf.to_fail.load(Ordering::Relaxed);
    assert!(failed >= 5, "{failed}");
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn shut_1_a_sweeper_that_is_stopped_sweeps_no_more() {
    let shelf = Shelf::with(1_000).await;
    let sweeping = every(1).with_batch(1).with_pause(Duration::from_secs(10));
    let sweeper = sweeping.start(shelf.clone());
    pass(15).await;
    sweeper.stop().await;
    let left = shelf.records.len();
    assert!(left > 1, "it was in the middle");
    pass(1_000).await;
    assert_eq!(shelf.records.len(), left);
    drop(sweeping.start(shelf.clone()));
    pass(1_000).await;
    assert_eq!(shelf.records.len(), left, "dropping it is enough");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_is_given_up() {
    /// Hangs in its first claim.
    struct Hanging(Arc<Shelf>, AtomicUsize);
    impl Hanging {
        fn inner(&self) -> &Shelf {
            &self.0
        }
    }
    macro_rules! passed_on {
        ($($verb:ident($($name:ident: $kind:ty),*) -> $answer:ty;)*) => {
            $(fn $verb<'a>(&'a self, $($name: $kind),*) -> BoxFuture<'a, Result<$answer, StoreError>> {
                self.inner().$verb($($name),*)
            })*
        };
    }
    impl SessionStore for Hanging {
        passed_on! {
            create(key: &'a StoreKey, record: &'a Record, now: Timestamp) -> Created;
            load(key: &'a StoreKey, now: Timestamp) -> Option<Record>;
            patch(key: &'a StoreKey, base: &'a Record, patch: &'a Patch, now: Timestamp) -> Patched;
            rotate(from: &'a StoreKey, to: &'a StoreKey, base: &'a Record, patch: &'a Patch,
                until: Option<Timestamp>, now: Timestamp) -> Patched;
            touch(key: &'a StoreKey, expires: Timestamp, now: Timestamp) -> bool;
            delete(key: &'a StoreKey) -> bool;
        }
        fn sweeper(&self) -> Option<&dyn ExpiredSweep> {
            Some(self)
        }
    }
    impl ExpiredSweep for Hanging {
        fn claim<'a>(
            &'a self,
            until: Timestamp,
            now: Timestamp,
        ) -> BoxFuture<'a, Result<bool, StoreError>> {
            match self.1.fetch_add(1, Ordering::Relaxed) {
                0 => Box::pin(std::future::pending()),
                _ => self.inner().claim(until, now),
            }
        }
        passed_on! {
            sweep(limit: usize, now: Timestamp) -> usize;
        }
    }
    let shelf = Shelf::with(10).await;
    let sweeper = every(60).start(Arc::new(Hanging(shelf.clone(), AtomicUsize::new(0))));
    pass(60 + 10 + 60).await;
    assert_eq!(shelf.records.len(), 1);
    sweeper.stop().await;
}
