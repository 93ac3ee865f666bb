//! Private servers, and helpers that all tests share.

mod cluster;

use std::{future::Future, sync::Arc, time::Duration};

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch, SessionData, UpdateFn},
    store::{
        Created, Nonce, Patched, PublicId, Record, Rotation, SessionMeta, SessionStore, StoreKey,
    },
};
use carafe_redis::{Deadlines, RedisOptions, RedisStore};

pub(crate) use carafe_test_servers::{Redis as Server, free_port};
pub(crate) use cluster::Cluster;

/// Far from the present, so that a store that uses its own clock fails the test.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(4_000_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_unix(4_000_003_600);

/// Deadlines that a busy machine does not reach, for tests of other things.
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

/// Returns the name of a session in Redis.
pub(crate) fn name(key: &StoreKey) -> String {
    use std::fmt::Write as _;
    // A base64url encoder of its own, independent of the store's.
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
    Record::new(
        SessionMeta::new(
            PublicId::random().expect("the system has randomness"),
            NOW,
            LATER,
        ),
        SessionData::parse(json.to_owned(), Record::STYLE).expect("good JSON"),
    )
}

pub(crate) fn record_of(user: &str) -> Record {
    let mut record = record("{}");
    record.meta.user = Some(user.to_owned());
    record
}

pub(crate) fn set(key: &str, text: &str) -> Patch {
    let mut patch = Patch::default();
    patch.set(key, text.to_owned());
    patch
}

/// Adds one to the number under `key`, as a request that loaded `base` would.
pub(crate) fn increment(key: &str, base: &Record) -> Patch {
    let plus_one = |text: Option<&str>| {
        let count: u64 = text.unwrap_or("0").parse().expect("a number");
        (count + 1).to_string()
    };
    let again: UpdateFn = Arc::new(move |text| Ok(plus_one(text)));
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
    let state = store.load(key, NOW).await.expect("load works");
    state.into_record()
}

pub(crate) const fn used(at: Timestamp, expires: Timestamp) -> Access {
    Access {
        at,
        expires,
        confirms: None,
    }
}

pub(crate) fn renewal() -> Rotation {
    Rotation::Renewal(Nonce::random().expect("the system has randomness"))
}

pub(crate) fn applied(patched: Patched) -> Record {
    match patched {
        Patched::Applied(record) => *record,
        Patched::Gone => panic!("the session is gone"),
    }
}

/// Returns the number of keys that are no markers.
pub(crate) fn remaining(server: &Server) -> String {
    let script = "local count = 0
        for _, key in ipairs(redis.call('KEYS', '*')) do
          local is_text = redis.call('TYPE', key).ok == 'string'
          if not is_text or redis.call('GET', key):sub(1, 4) ~= '3 ! ' then count = count + 1 end
        end
        return count";
    server.cli(&["EVAL", script, "0"])
}

/// Returns the number of repetitions of a long test: `full` with `CARAFE_FULL=1`.
pub(crate) fn rounds(little: usize, full: usize) -> usize {
    match std::env::var_os("CARAFE_FULL") {
        Some(_) => full,
        None => little,
    }
}

/// A seeded generator, so that a failing run can be repeated.
pub(crate) struct Dice(u64);

impl Dice {
    /// Seeds from `CARAFE_SEED` or at random. The seed is printed, and shown when the test fails.
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
        // SplitMix64, reduced to 32 bits.
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
