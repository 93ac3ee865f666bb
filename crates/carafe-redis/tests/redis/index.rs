//! The index of all sessions has every record during concurrent changes, and soon drops expired
//! ones.

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    store::{
        Cursor, ExpiredSweep as _, Position, PublicId, Record, Rotation, SessionListing as _,
        SessionMeta, SessionStore, StoreError, StoreKey, UserSessions as _,
    },
};
use carafe_redis::RedisStore;
use futures_util::future::{join, join_all};

use crate::support::{
    Cluster, LATER, NOW, Server, applied, block_on, filed, key, loaded, name, patient, record,
    record_of, renewal, rounds, set, used,
};

async fn on(server: &Server) -> RedisStore {
    patient().connect(server.url()).await.expect("connects")
}

async fn across(cluster: &Cluster) -> RedisStore {
    let store = patient().connect_cluster(cluster.urls()).await;
    store.expect("connects")
}

/// Returns a record with this start of its public id.
fn record_at(head: &str, renewed: Timestamp, expires: Timestamp) -> Record {
    let public_id = PublicId::random().expect("the system has randomness");
    let text = format!("{head}{}", &public_id.to_string()[2..]);
    let mut record = record("{}");
    record.meta.public_id = text.parse().expect("a handle");
    record.meta.created = renewed;
    record.meta.renewed = renewed;
    record.meta.expires = expires;
    record
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::now().saturating_add(-seconds)
}

/// Returns the names of the records in the index of a single server, and checks that each of its
/// sets has them.
fn listed(server: &Server) -> HashSet<String> {
    let keys = server.cli(&["KEYS", "carafe:all*"]);
    let (mut by_renewal, mut by_start, mut ends) = (HashSet::new(), HashSet::new(), HashSet::new());
    for key in keys.lines() {
        let members = server.cli(&["ZRANGE", key, "0", "-1"]);
        let set = match key.strip_prefix("carafe:all") {
            Some("") => &mut by_renewal,
            Some(rest) if rest.starts_with(":c:") => &mut by_start,
            _ => &mut ends,
        };
        set.extend(members.lines().map(str::to_owned));
    }
    assert_eq!(by_renewal, by_start);
    let handles: HashSet<_> = by_renewal
        .iter()
        .map(|member| member.split(':').next().expect("a handle").to_owned())
        .collect();
    assert_eq!(handles, ends);
    let names = by_renewal
        .iter()
        .map(|member| format!("carafe:{}", &member[17..]));
    names.collect()
}

/// Returns the names of the records themselves, without pointers and markers.
fn there(server: &Server) -> HashSet<String> {
    let keys = server.cli(&["KEYS", "carafe:???????????????????????????????????????????"]);
    let is_record = |key: &&str| server.cli(&["GET", key]).contains('{');
    keys.lines().filter(is_record).map(str::to_owned).collect()
}

async fn every_page(store: &RedisStore, size: usize, now: Timestamp) -> Vec<SessionMeta> {
    let inventory = store.powers().listing().expect("a power");
    let (mut after, mut all) = (None::<Position>, Vec::<SessionMeta>::new());
    loop {
        let page = inventory
            .list(after, size, now)
            .await
            .expect("newest works");
        assert!(page.len() <= size);
        let is_end = page.len() < size;
        all.extend(page);
        if is_end {
            return all;
        }
        after = all.last().map(SessionMeta::position);
    }
}

async fn walked(store: &RedisStore, limit: usize) -> Vec<(StoreKey, Result<Record, StoreError>)> {
    let inventory = store.powers().listing().expect("a power");
    let (mut after, mut all) = (None, Vec::new());
    loop {
        let batch = inventory
            .scan(after.as_ref(), limit)
            .await
            .expect("walk works");
        all.extend(batch.records);
        match batch.next {
            Some(next) => after = Some(Cursor::new(next.as_str())),
            None => return all,
        }
    }
}

/// Concurrently creates, renews, replaces, prolongs and deletes sessions.
async fn storm(store: &RedisStore) -> HashSet<PublicId> {
    let lives = (0..60).map(|n| async move {
        let base = if n % 2 == 0 {
            record_of("bob")
        } else {
            record("{}")
        };
        let mut key = filed(store, &base).await;
        for step in 0..n % 5 {
            let to = self::key();
            let rotation = match step % 2 {
                0 => renewal(),
                _ => Rotation::Replacement,
            };
            let moved = store
                .rotate(&key, &to, &base, &set("a", "1"), rotation, NOW)
                .await;
            applied(moved.expect("rotate works"));
            let later = LATER.saturating_add(10_000 * i64::from(step));
            assert!(store.touch(&key, &used(NOW, later)).await.is_ok());
            key = to;
        }
        let ends = n % 3 == 0;
        if ends {
            assert!(store.delete(&key, NOW).await.expect("delete works"));
        }
        (!ends).then_some(base.meta.public_id)
    });
    join_all(lives).await.into_iter().flatten().collect()
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn on_a_single_server_the_index_equals_the_records() {
    let server = Server::start();
    block_on(async {
        let store = on(&server).await;
        let expected = storm(&store).await;
        assert_eq!(listed(&server), there(&server));
        assert_eq!(there(&server).len(), expected.len());
        let pages = every_page(&store, 7, NOW).await;
        let handles: HashSet<_> = pages.iter().map(|session| session.public_id).collect();
        assert_eq!((pages.len(), handles), (expected.len(), expected));
        while store
            .delete_created_before(NOW, 10, NOW)
            .await
            .expect("delete_created_before works")
            > 0
        {}
        assert!(there(&server).is_empty() && listed(&server).is_empty());
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn in_a_cluster_the_index_has_all_records() {
    let cluster = Cluster::start();
    block_on(async {
        let store = across(&cluster).await;
        let expected = storm(&store).await;
        let pages = every_page(&store, 7, NOW).await;
        let handles: HashSet<_> = pages.iter().map(|session| session.public_id).collect();
        assert_eq!((pages.len(), handles), (expected.len(), expected.clone()));
        let walk = walked(&store, 5).await.into_iter();
        let walk: HashSet<_> = walk
            .map(|(_, record)| record.expect("good").meta.public_id)
            .collect();
        assert_eq!(walk, expected);
        // The parts are spread over all nodes.
        for node in cluster.nodes() {
            assert_ne!(node.cli(&["KEYS", "{carafe:all:*}"]), "");
        }
    });
}

/// Sessions of the same second, some of them with the same score.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn pages_cover_any_number_of_sessions_of_one_second() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        for store in [on(&server).await, across(&cluster).await] {
            let records = (0..200).map(|n| match n % 2 {
                0 => record_at("xy", NOW, LATER),
                _ => record("{}"),
            });
            let records: Vec<_> = records.collect();
            let filed = join_all(records.iter().map(|record| filed(&store, record))).await;
            for size in [1, 3, 50] {
                let pages = every_page(&store, size, NOW).await;
                let unique: HashSet<_> = pages.iter().map(|session| session.public_id).collect();
                assert_eq!((pages.len(), unique.len()), (200, 200));
            }
            let walk = walked(&store, 3).await;
            let keys: HashSet<_> = walk.iter().map(|(key, _)| *key).collect();
            assert_eq!((walk.len(), keys), (200, filed.into_iter().collect()));
        }
    });
}

async fn end_all_while_renewing(store: &RedisStore) {
    // A time of its own, so that no other session is deleted.
    let then = Timestamp::from_unix(3_000);
    let mut sessions = Vec::new();
    for _ in 0..6 {
        let mut base = record("{}");
        base.meta.created = then;
        sessions.push((filed(store, &base).await, base));
    }
    let renewals = sessions.iter().map(|(from, base)| async {
        let mut keys = vec![*from];
        for _ in 0..5 {
            let (from, to) = (keys[keys.len() - 1], key());
            keys.push(to);
            let moved = store
                .rotate(&from, &to, base, &set("a", "1"), Rotation::Replacement, NOW)
                .await;
            if !matches!(
                moved.expect("rotate works"),
                carafe_core::store::Patched::Applied(_)
            ) {
                break;
            }
        }
        keys
    });
    let end = async {
        let mut ended = 0;
        loop {
            match store
                .delete_created_before(then, 2, NOW)
                .await
                .expect("delete_created_before works")
            {
                0 => return ended,
                some => ended += some,
            }
        }
    };
    let (keys, ended) = join(join_all(renewals), end).await;
    assert_eq!(ended, 6, "each session once");
    for key in keys.iter().flatten() {
        assert!(loaded(store, key).await.is_none(), "one got away");
    }
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn delete_created_before_misses_no_session_that_renews() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        let (single, many) = (on(&server).await, across(&cluster).await);
        for _ in 0..rounds(50, 1000) {
            end_all_while_renewing(&single).await;
            end_all_while_renewing(&many).await;
        }
        assert!(listed(&server).is_empty());
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_public_id_is_found_while_its_session_renews() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        for store in [on(&server).await, across(&cluster).await] {
            let base = record("{}");
            let mut from = filed(&store, &base).await;
            let renewals = async {
                for _ in 0..rounds(200, 2000) {
                    let to = key();
                    let patch = set("a", "1");
                    let moved = store.rotate(&from, &to, &base, &patch, Rotation::Replacement, NOW);
                    applied(moved.await.expect("rotate works"));
                    from = to;
                }
            };
            let looks = async {
                for _ in 0..rounds(200, 2000) {
                    let found = store.find(base.meta.public_id, NOW).await;
                    assert!(found.expect("find works").is_some());
                    let page = store.list(None, 5, NOW).await.expect("newest works");
                    assert!(page.len() <= 1);
                }
            };
            join(renewals, looks).await;
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_scan_finds_every_session_that_renews_meanwhile() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        for store in [on(&server).await, across(&cluster).await] {
            let mut waiting = HashSet::new();
            let mut sessions = Vec::new();
            for n in 0..60 {
                let mut base = record("{}");
                base.meta.renewed = NOW.saturating_add(-n);
                waiting.insert(base.meta.public_id);
                sessions.push((filed(&store, &base).await, base));
            }
            let renewals = async {
                for (at, (from, base)) in sessions.iter().enumerate() {
                    let now = NOW.saturating_add(i64::try_from(at).expect("small"));
                    let (to, patch) = (key(), set("a", "1"));
                    let moved = store.rotate(from, &to, base, &patch, Rotation::Replacement, now);
                    applied(moved.await.expect("rotate works"));
                }
            };
            let (walk, ()) = join(walked(&store, 2), renewals).await;
            for (_, record) in walk {
                waiting.remove(&record.expect("it can be read").meta.public_id);
            }
            assert!(waiting.is_empty(), "{} not met", waiting.len());
        }
    });
}

/// Returns the number of members in the sets by creation.
fn members(servers: &[Server]) -> usize {
    let on_one = |server: &Server| {
        let sets = server.cli(&["KEYS", "*:c:*"]);
        let sizes = sets.lines().map(|set| server.cli(&["ZCARD", set]));
        sizes
            .map(|size| size.parse::<usize>().expect("a number"))
            .sum::<usize>()
    };
    servers.iter().map(on_one).sum()
}

/// Redis drops records by its own clock. Their members in the index are on no page and are removed
/// by the next session of the same set, by a sweep, and by deleting all sessions created before a
/// time.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn expired_sessions_leave_the_index() {
    let (server, cluster) = ([Server::start()], Cluster::start());
    block_on(async {
        let stores = [on(&server[0]).await, across(&cluster).await];
        for (store, servers) in stores.iter().zip([&server[..], cluster.nodes()]) {
            let now = ago(0);
            for head in ["aa", "b1", "b2", "b3", "c1", "c2", "c3", "c4", "c5"] {
                let dead = record_at(head, ago(4000), ago(2000));
                // In a cluster the index lists it for another lifetime.
                assert!(store.create(&key(), &dead, ago(2100)).await.is_ok());
            }
            assert_eq!(members(servers), 9);
            assert_eq!(store.sample(50, now).await.expect("sample works").total, 0);
            assert!(every_page(store, 2, now).await.is_empty());
            filed(store, &record_at("aa", now, now.saturating_add(600))).await;
            assert_eq!(members(servers), 9, "one came and one went");
            assert_eq!(store.sweep(3, now).await.expect("sweep works"), 3);
            assert_eq!(members(servers), 6);
            assert_eq!(
                store
                    .delete_created_before(ago(3000), 10, NOW)
                    .await
                    .expect("works"),
                0
            );
            assert_eq!(members(servers), 1);
            while store.sweep(3, now).await.expect("sweep works") > 0 {}
            assert_eq!(every_page(store, 2, now).await.len(), 1);
        }
        assert_eq!(listed(&server[0]), there(&server[0]));
    });
}

/// The memory that the documentation of the crate states.
#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn the_index_takes_less_than_300_bytes_per_session() {
    let (plain, server) = (Server::start(), Server::start());
    let used = |server: &Server| {
        let info = server.cli(&["INFO", "memory"]);
        let used = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        used.and_then(|used| used.trim().parse::<usize>().ok())
            .expect("a number")
    };
    let count = rounds(50_000, 300_000);
    block_on(async {
        let store = patient().listing(false).connect(plain.url()).await;
        let stores = [store.expect("connects"), on(&server).await];
        let before = [used(&plain), used(&server)];
        for store in &stores {
            let began = std::time::Instant::now();
            for _ in 0..count / 500 {
                let mut some: Vec<_> = (0..500).map(|_| record(r#"{"cart":[17,4]}"#)).collect();
                for record in &mut some {
                    record.meta.expires = ago(-86_400);
                }
                join_all(some.iter().map(|record| filed(store, record))).await;
            }
            println!("{count} filed in {:?}", began.elapsed());
        }
        for server in [&plain, &server] {
            let stats = server.cli(&["INFO", "commandstats"]);
            let creates = stats.lines().find(|line| line.contains("evalsha"));
            println!("{}", creates.unwrap_or_default());
        }
        let [without, with] =
            [used(&plain) - before[0], used(&server) - before[1]].map(|b| b / count);
        println!("{without} bytes without, {with} with the index");
        assert!(with - without < 300);
        let inventory = stores[1].powers().listing().expect("a power");
        let began = std::time::Instant::now();
        let now = ago(0);
        let page = inventory.list(None, 50, now).await.expect("newest works");
        println!("a page of 50: {:?}", began.elapsed());
        let began = std::time::Instant::now();
        let public_id = page[7].public_id;
        assert!(
            inventory
                .find(public_id, now)
                .await
                .expect("works")
                .is_some()
        );
        println!("one by handle: {:?}", began.elapsed());
        let began = std::time::Instant::now();
        assert_eq!(
            inventory
                .delete_created_before(ago(3600), 100, NOW)
                .await
                .expect("works"),
            0
        );
        println!("none begun by then: {:?}", began.elapsed());
        let began = std::time::Instant::now();
        assert_eq!(stores[1].sweep(100, ago(3600)).await.expect("works"), 0);
        println!("nothing to sweep: {:?}", began.elapsed());
        let began = std::time::Instant::now();
        assert_eq!(
            inventory
                .sample(20, now)
                .await
                .expect("works")
                .sessions
                .len(),
            20
        );
        println!("a sample of 20: {:?}", began.elapsed());
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn the_next_session_of_a_set_trims_expired_ones() {
    let server = Server::start();
    block_on(async {
        let store = on(&server).await;
        for (renewed, expires, goes) in [
            (ago(4000), ago(2000), true),
            // Younger than a minute, or expired for less than that: kept for now.
            (ago(0), ago(2000), false),
            (ago(4000), ago(10), false),
        ] {
            let dead = record_at("xy", renewed, expires);
            assert!(store.create(&key(), &dead, renewed).await.is_ok());
            let living = record_at("xy", ago(0), ago(-600));
            let living = filed(&store, &living).await;
            let size = server.cli(&["ZCARD", "carafe:all:c:xy"]);
            assert_eq!(size, if goes { "1" } else { "2" });
            assert!(store.delete(&living, NOW).await.expect("delete works"));
            server.cli(&["FLUSHALL"]);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_sample_does_not_count_expired_sessions() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        for store in [on(&server).await, across(&cluster).await] {
            let records = (0..2000).map(|n| {
                let mut record = record("{}");
                if n % 2 == 0 {
                    record.meta.expires = NOW;
                }
                record
            });
            let records: Vec<_> = records.collect();
            join_all(records.iter().map(|record| filed(&store, record))).await;
            let sample = store.sample(20, NOW).await.expect("sample works");
            assert_eq!((sample.sessions.len(), sample.exact), (20, false));
            assert!((650..1350).contains(&sample.total), "{}", sample.total);
            let all = store.sample(5000, NOW).await.expect("sample works");
            assert_eq!(
                (all.sessions.len(), all.total, all.exact),
                (1000, 1000, true)
            );
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn an_unreadable_dictionary_hides_no_session_from_a_list() {
    let server = Server::start();
    block_on(async {
        let store = on(&server).await;
        let (good, bad) = (record_of("bob"), record_of("bob"));
        filed(&store, &good).await;
        let broken = filed(&store, &bad).await;
        let value = server.cli(&["GET", &name(&broken)]);
        let damaged = value.replace("{}", "{rubbish}");
        server.cli(&["SET", &name(&broken), &damaged, "KEEPTTL"]);
        assert_eq!(
            store
                .list_by_user("bob", None, 1_000, NOW)
                .await
                .expect("of_user works")
                .len(),
            2
        );
        assert_eq!(every_page(&store, 1, NOW).await.len(), 2);
        assert_eq!(store.sample(5, NOW).await.expect("sample works").total, 2);
        let found = store.find(bad.meta.public_id, NOW).await;
        assert!(matches!(found, Err(StoreError::Corrupt(_))), "{found:?}");
        let walk = walked(&store, 5).await;
        let errors: Vec<_> = walk.iter().filter(|(_, record)| record.is_err()).collect();
        assert!(walk.len() == 2 && errors.len() == 1 && errors[0].0 == broken);
        assert!(
            store
                .delete_by_public_id(bad.meta.public_id, NOW)
                .await
                .expect("it can be ended")
        );
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn older_sessions_are_listed_after_the_index_is_enabled() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        let plain = patient().listing(false);
        let plain = [
            plain.clone().connect(server.url()).await.expect("connects"),
            plain
                .connect_cluster(cluster.urls())
                .await
                .expect("connects"),
        ];
        for (plain, store) in plain
            .iter()
            .zip([on(&server).await, across(&cluster).await])
        {
            assert!(plain.powers().listing().is_none() && plain.powers().sweeper().is_none());
            let (touched, changed, base) = (record("{}"), record_of("bob"), record("{}"));
            let keys = [
                filed(plain, &touched).await,
                filed(plain, &changed).await,
                filed(plain, &base).await,
            ];
            assert!(every_page(&store, 5, NOW).await.is_empty());
            let later = LATER.saturating_add(100_000);
            assert!(
                store
                    .touch(&keys[0], &used(NOW, later))
                    .await
                    .expect("touch works")
            );
            let mut patch = set("a", "1");
            patch.facts.seen = Some(carafe_core::session::Access {
                at: NOW,
                expires: later,
                confirms: None,
            });
            applied(
                store
                    .patch(&keys[1], &changed, &patch, NOW)
                    .await
                    .expect("patch"),
            );
            let moved = store
                .rotate(
                    &keys[2],
                    &key(),
                    &base,
                    &set("a", "1"),
                    Rotation::Replacement,
                    NOW,
                )
                .await;
            applied(moved.expect("rotate works"));
            assert_eq!(every_page(&store, 5, NOW).await.len(), 3);
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn a_cursor_of_another_store_is_rejected() {
    let server = Server::start();
    block_on(async {
        let store = on(&server).await;
        for text in ["", "x", "1", "-1", "0,1", "0,x,y", "0,1,y"] {
            let walk = store.scan(Some(&Cursor::new(text)), 5).await;
            assert!(matches!(walk, Err(StoreError::Corrupt(_))), "{text}");
        }
    });
}

#[test]
#[ignore = "needs redis-server: cargo xtask test"]
fn health_reports_mode_and_problems() {
    let (server, cluster) = (Server::start(), Cluster::start());
    block_on(async {
        let health = on(&server).await.health().await.expect("health works");
        println!("{health}");
        assert!(health.is_good(), "{health}");
        assert_eq!(listed(&server), there(&server));
        let health = across(&cluster).await.health().await.expect("health works");
        println!("{health}");
        assert!(health.is_good() && health.to_string().contains("mode: cluster"));
        server.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
        let store = patient().wait(1, std::time::Duration::from_millis(10));
        let store = store.connect(server.url()).await.expect("connects");
        // No replica is connected.
        assert!(matches!(store.health().await, Err(StoreError::Timeout(_))));
        let health = on(&server).await.health().await.expect("health works");
        assert_eq!(health.problems.len(), 1, "{health}");
    });
}
