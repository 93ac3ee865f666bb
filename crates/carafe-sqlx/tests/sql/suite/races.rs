//! Concurrent operations on several connections and from several processes.

use std::{env, process::Command, sync::Arc};

use carafe_core::{
    session::Patch,
    store::{ErasedStore, Patched, Record, Selection, StoreKey, UserSessions},
};
use tokio::{task::JoinSet, time::Instant};

use crate::support::{Kit, PATIENT, fixtures::*};

const TABLE: &str = "race_sessions";
/// The environment variable with the other process's job: a port and a key.
const JOB: &str = "CARAFE_SQLX_JOB";
/// The number of interleavings, and the seed of their order.
const SCALE: &str = "CARAFE_INTERLEAVINGS";
const SEED: &str = "CARAFE_SEED";

/// 500 concurrent updates from each of two processes, all with the same base: none is lost.
pub(crate) async fn a_counter_is_exact_over_two_processes<K: Kit>() {
    let port = K::shared().port;
    let store = K::store(port, TABLE, 16, PATIENT).await;
    let key = filed(&store, &record(r#"{"n":0}"#)).await;
    let test = std::thread::current()
        .name()
        .expect("tests have names")
        .to_owned();
    let other = test.replace(
        "a_counter_is_exact_over_two_processes",
        "works_for_another_process",
    );
    let mut process = Command::new(env::current_exe().expect("the test is a program"))
        .args(["--ignored", "--exact", &other])
        .env(JOB, format!("{port} {}", hex(&key)))
        .spawn()
        .expect("it starts again");
    count(Arc::new(store), key, 500).await;
    let ended = tokio::task::spawn_blocking(move || process.wait()).await;
    assert!(
        ended
            .expect("it was waited for")
            .expect("it has ended")
            .success()
    );
    let store = K::store(port, TABLE, 1, PATIENT).await;
    assert_eq!(loaded(&store, &key).await.data.text_of("n"), Some("1000"));
}

/// The other process of the test above.
pub(crate) async fn works_for_another_process<K: Kit>() {
    let Ok(job) = env::var(JOB) else { return };
    let (port, hex) = job.split_once(' ').expect("a port and a key");
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal");
    let key = StoreKey::from_bytes(std::array::from_fn(byte));
    let store = K::store(port.parse().expect("a port"), TABLE, 16, PATIENT).await;
    count(Arc::new(store), key, 500).await;
}

async fn count(store: Arc<impl ErasedStore>, key: StoreKey, times: usize) {
    let base = Arc::new(loaded(&*store, &key).await);
    let mut updates = JoinSet::new();
    for _ in 0..times {
        let (store, base) = (Arc::clone(&store), Arc::clone(&base));
        updates.spawn(async move {
            let patched = store.patch(&key, &base, &increment(&base), NOW).await;
            applied(patched.expect("patch works"));
        });
    }
    updates.join_all().await;
}

/// A deleted session stays deleted, regardless of the operations before and after.
pub(crate) async fn nothing_comes_back<K: Kit>() {
    let number = |name: &str| {
        env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seed = number(SEED).unwrap_or_else(|| u64::from(std::process::id()));
    let interleavings = number(SCALE).unwrap_or(500);
    println!("{SCALE}={interleavings} {SEED}={seed}");
    let store = Arc::new(K::store(K::shared().port, TABLE, 16, PATIENT).await);
    let mut random = Random(seed);
    let start = Instant::now();
    for round in 0..interleavings.div_ceil(16) {
        let mut games = JoinSet::new();
        for _ in 0..16 {
            let game = Game::new(random.below(u64::MAX));
            games.spawn(game.play(Arc::clone(&store)));
        }
        let lost: usize = games.join_all().await.into_iter().map(usize::from).sum();
        assert_eq!(lost, 0, "resurrections in round {round}, {SEED}={seed}");
    }
    println!("no resurrection, {:?}", start.elapsed());
}

/// One session, one task that deletes it, and four tasks that change it.
struct Game {
    random: Random,
    alias: bool,
}

impl Game {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed);
        Self {
            alias: random.below(2) == 0,
            random,
        }
    }

    /// Returns whether the session exists after a successful deletion.
    async fn play(mut self, store: Arc<impl ErasedStore>) -> bool {
        let from = filed(&*store, &record(r#"{"n":0}"#)).await;
        let base = loaded(&*store, &from).await;
        let to = key();
        let mut acts = JoinSet::new();
        for act in 0..5 {
            let (store, base) = (Arc::clone(&store), base.clone());
            let (pause, alias) = (self.random.below(4), self.alias);
            acts.spawn(async move {
                for _ in 0..pause {
                    // One round trip each.
                    let _ = store.load(&key(), NOW).await;
                }
                done(&*store, act, (&from, &to), &base, alias).await
            });
        }
        let deleted = acts.join_all().await.contains(&true);
        let late = done(&*store, 1, (&from, &to), &base, self.alias).await;
        // Without a pointer, a deletion through the old id may be too late, and reports it.
        let must_be_gone = deleted || self.alias;
        let gone = is_absent(&*store, &from).await && is_absent(&*store, &to).await;
        assert!(!late);
        must_be_gone && !gone
    }
}

/// Runs one operation; returns whether it deleted the session.
async fn done(
    store: &dyn ErasedStore,
    act: usize,
    (from, to): (&StoreKey, &StoreKey),
    base: &Record,
    alias: bool,
) -> bool {
    let rotation = rotation(alias);
    match act {
        0 => return store.delete(from, NOW).await.expect("delete works"),
        1 => drop(
            store
                .patch(from, base, &increment(base), NOW)
                .await
                .expect("patch works"),
        ),
        2 => drop(
            store
                .patch(to, base, &set("x", "1"), NOW)
                .await
                .expect("patch works"),
        ),
        3 => drop(
            store
                .rotate(from, to, base, &set("r", "1"), rotation, NOW)
                .await
                .expect("rotate works"),
        ),
        _ => drop(
            store
                .touch(from, &used(NOW, LATER.saturating_add(5)))
                .await
                .expect("touch works"),
        ),
    }
    false
}

/// All of a user's sessions are deleted while each is being renewed.
pub(crate) async fn a_renewal_does_not_escape_a_log_out_of_all<K: Kit>() {
    let store = Arc::new(K::store(K::shared().port, TABLE, 8, PATIENT).await);
    let spared = filed(&*store, &record("{}")).await;
    for round in 0..200 {
        let user = format!("user of {:?} {round}", key());
        let mut record = record("{}");
        record.meta.user = Some(user.clone());
        let (from, to) = (filed(&*store, &record).await, key());
        let base = loaded(&*store, &from).await;
        let which = match round % 3 {
            0 => Selection::Only(base.meta.public_id),
            1 => Selection::AllBut(loaded(&*store, &spared).await.meta.public_id),
            _ => Selection::All,
        };
        let (patch, rotation) = (Patch::default(), rotation(round % 2 == 0));
        let renewed = store.rotate(&from, &to, &base, &patch, rotation, NOW);
        let deleted = store.delete_by_user(&user, which, 10, NOW);
        let (renewed, deleted) = tokio::join!(renewed, deleted);
        let renewed = matches!(renewed.expect("rotate works"), Patched::Applied(_));
        assert_eq!(
            deleted.expect("delete_by_user works"),
            1,
            "renewed: {renewed}"
        );
        assert!(is_absent(&*store, &from).await && is_absent(&*store, &to).await);
    }
}
