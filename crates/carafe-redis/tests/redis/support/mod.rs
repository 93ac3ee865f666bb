//! Private servers, and the few things that every test of this store needs.

mod cluster;
mod server;

use std::{future::Future, sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    session::{Patch, Rerun, SessionData},
    store::{Created, Handle, Patched, Record, SessionStore, StoreKey},
};
use carafe_redis::{Deadlines, RedisOptions, RedisStore};

pub(crate) use cluster::Cluster;
pub(crate) use server::{Server, free_port};

/// Far from now, so that a store which asks its own clock is found out.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_unix(4_000_003_600);

/// Deadlines that a busy machine does not hit, for tests that are not about them.
pub(crate) const PATIENT: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    read: Duration::from_secs(30),
    write: Duration::from_secs(60),
};

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(future)
}

pub(crate) fn patient() -> RedisOptions {
    RedisOptions::new().deadlines(PATIENT)
}

pub(crate) fn key() -> StoreKey {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    StoreKey::from_bytes(bytes)
}

/// The name of a session in Redis.
pub(crate) fn name(key: &StoreKey) -> String {
    use std::fmt::Write as _;
    // Base64url by hand: the test does not take the store's word for it.
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = String::new();
    for byte in key.as_bytes() {
        write!(bits, "{byte:08b}").expect("a string takes it");
    }
    bits.push_str("00");
    let digits = (0..bits.len()).step_by(6).map(|at| {
        let digit = usize::from_str_radix(&bits[at..at + 6], 2).expect("bits");
        char::from(DIGITS[digit])
    });
    format!("carafe:{}", digits.collect::<String>())
}

pub(crate) fn record(json: &str) -> Record {
    Record {
        data: SessionData::parse(json.to_owned(), Record::STYLE).expect("good JSON"),
        user: None,
        handle: Handle::random().expect("the system has randomness"),
        device: None,
        created: NOW,
        renewed: NOW,
        last_seen: NOW,
        expires: LATER,
        authenticated: None,
        version: 0,
    }
}

pub(crate) fn record_of(user: &str) -> Record {
    Record {
        user: Some(user.to_owned()),
        ..record("{}")
    }
}

pub(crate) fn set(key: &str, text: &str) -> Patch {
    let mut patch = Patch::default();
    patch.set(key, text.to_owned());
    patch
}

/// Adds one to the number under `key`, as a request that saw `base` would.
pub(crate) fn increment(key: &str, base: &Record) -> Patch {
    let plus_one = |text: Option<&str>| {
        let count: u64 = text.unwrap_or("0").parse().expect("a number");
        (count + 1).to_string()
    };
    let again: Rerun = Arc::new(move |text| Ok(plus_one(text)));
    let before = base.data.text_of(key).map(str::to_owned);
    let after = plus_one(before.as_deref());
    let mut patch = Patch::default();
    patch.update(key, before, after, again);
    patch
}

pub(crate) async fn filed(store: &RedisStore, record: &Record) -> StoreKey {
    let key = key();
    let created = store.create(&key, record, NOW).await.expect("create works");
    assert_eq!(created, Created::Created);
    key
}

pub(crate) async fn loaded(store: &RedisStore, key: &StoreKey) -> Option<Record> {
    store.load(key, NOW).await.expect("load works")
}

pub(crate) fn applied(patched: Patched) -> Record {
    match patched {
        Patched::Applied(record) => *record,
        Patched::Gone => panic!("the session is gone"),
    }
}

/// How often a long test repeats: a little, or all of it with `CARAFE_FULL=1`.
pub(crate) fn rounds(little: usize, full: usize) -> usize {
    match std::env::var_os("CARAFE_FULL") {
        Some(_) => full,
        None => little,
    }
}

/// A small generator, so that a failing run can be repeated by its seed.
pub(crate) struct Dice(u64);

impl Dice {
    /// From `CARAFE_SEED` or at random; printed, and shown when the test fails.
    pub(crate) fn new() -> Self {
        let given = std::env::var("CARAFE_SEED").ok();
        let seed = given.map_or_else(
            || getrandom::u64().expect("the system has randomness"),
            |seed| seed.parse().expect("CARAFE_SEED is a number"),
        );
        #[allow(
            clippy::print_stdout,
            reason = "a failing test has to say how to repeat it"
        )]
        {
            println!("CARAFE_SEED={seed}");
        }
        Self(seed)
    }

    pub(crate) fn below(&mut self, sides: usize) -> usize {
        // SplitMix64, of which 32 bits are enough here.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 32) as usize % sides
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
