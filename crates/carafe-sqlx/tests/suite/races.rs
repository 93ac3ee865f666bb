//! Many at once, on several connections and from several processes.

use std::{env, process::Command, sync::Arc};

use carafe_core::{
    session::Patch,
    store::{Patched, Record, SessionStore, StoreKey, UserSessions, Which},
};
use tokio::{task::JoinSet, time::Instant};

use crate::support::{Kit, PATIENT, fixtures::*};

const TABLE: &str = "race_sessions";
/// How the other process learns what to do: a port and a key.
const JOB: &str = "CARAFE_SQLX_JOB";
/// How many interleavings; the seed of their order.
const SCALE: &str = "CARAFE_INTERLEAVINGS";
const SEED: &str = "CARAFE_SEED";

/// 500 updates at once from each of two processes, all on what was loaded before: none is lost.
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

async fn count(store: Arc<impl SessionStore>, key: StoreKey, times: usize) {
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

/// What was deleted stays deleted, whatever else was on its way, before or after.
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

/// One session, one who deletes it, and four who do not know.
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

    /// Whether the session was there again after it had been deleted.
    async fn play(mut self, store: Arc<impl SessionStore>) -> bool {
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
        // Without an alias, who deletes through the old id may have come too late, and was told.
        let must_be_gone = deleted || self.alias;
        let gone = is_absent(&*store, &from).await && is_absent(&*store, &to).await;
        assert!(!late);
        must_be_gone && !gone
    }
}

/// Does one thing; whether it was a deletion that found something.
async fn done(
    store: &dyn SessionStore,
    act: usize,
    (from, to): (&StoreKey, &StoreKey),
    base: &Record,
    alias: bool,
) -> bool {
    let until = alias.then_some(LATER);
    match act {
        0 => return store.delete(from).await.expect("delete works"),
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
                .rotate(from, to, base, &set("r", "1"), until, NOW)
                .await
                .expect("rotate works"),
        ),
        _ => drop(
            store
                .touch(from, LATER.saturating_add(5), NOW)
                .await
                .expect("touch works"),
        ),
    }
    false
}

/// "Log out everywhere" while each session is just getting a new id.
pub(crate) async fn a_renewal_does_not_escape_a_log_out_of_all<K: Kit>() {
    let store = Arc::new(K::store(K::shared().port, TABLE, 8, PATIENT).await);
    for round in 0..200 {
        let user = format!("user of {:?} {round}", key());
        let mut record = record("{}");
        record.user = Some(user.clone());
        let (from, to) = (filed(&*store, &record).await, key());
        let base = loaded(&*store, &from).await;
        let until = (round % 2 == 0).then_some(LATER);
        let patch = Patch::default();
        let renewed = store.rotate(&from, &to, &base, &patch, until, NOW);
        let (renewed, deleted) = tokio::join!(renewed, store.delete_of_user(&user, Which::All));
        let renewed = matches!(renewed.expect("rotate works"), Patched::Applied(_));
        assert_eq!(
            deleted.expect("delete_of_user works"),
            1,
            "renewed: {renewed}"
        );
        assert!(is_absent(&*store, &from).await && is_absent(&*store, &to).await);
    }
}
