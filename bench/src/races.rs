//! Family 7: one session, changed by many requests concurrently. Counts, not times.
//!
//! All requests of a race are in flight together, in a runtime of two threads. Every handler reads
//! its session, waits a millisecond as for a database, and then writes.

use ::carafe::MemoryStore;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
};
use tower::ServiceExt;

use crate::{
    harness::{Outcome, Table},
    peers::{carafe, cookie_of, tower_sessions},
    redis_server::RedisServer,
};

/// Requests that count.
const COUNTS: usize = 1_000;
/// Requests that each write a key.
pub(crate) const KEYS: usize = 100;

/// A store and both sites that use it.
struct Stage {
    store: &'static str,
    ours: Router,
    theirs: Router,
}

/// The result of a race.
struct Ended {
    kept: usize,
    answered: usize,
}

pub(crate) fn run(_rounds: usize) -> Outcome {
    println!("\n## One session, changed by many requests at once");
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let redis = RedisServer::start()?;
    let mut table = Table::new([
        "",
        "1,000 counts of one number",
        "100 requests with a key each",
    ]);
    for stage in stages(&runtime, &redis.url())? {
        let Stage {
            store,
            ours,
            theirs,
        } = stage;
        let ways = [
            (
                format!("**Carafe, {store}: `update`**"),
                &ours,
                "/count-in-one-step",
            ),
            (
                format!("**Carafe, {store}: `get`, then `insert`**"),
                &ours,
                "/count",
            ),
            (
                format!("tower-sessions, {store}: `get`, then `insert`"),
                &theirs,
                "/count",
            ),
        ];
        for (name, site, count) in ways {
            let counts = runtime.block_on(race(site, (0..COUNTS).map(|_| count.to_owned())))?;
            let keys =
                runtime.block_on(race(site, (0..KEYS).map(|key| format!("/put/key{key}"))))?;
            table.row(&name, [counts.0, keys.1].map(|ended| ended.shown()));
        }
    }
    table.print("Changes that the session holds afterwards");
    Ok(())
}

fn stages(runtime: &Runtime, redis: &str) -> Outcome<[Stage; 2]> {
    let memory = Stage {
        store: "memory",
        ours: carafe::racing(MemoryStore::new()),
        theirs: tower_sessions::racing_in_memory(),
    };
    runtime.block_on(async {
        let redis = Stage {
            store: "Redis",
            ours: carafe::racing(carafe::redis(redis).await?),
            theirs: tower_sessions::racing_in_redis(redis, 6).await?,
        };
        Ok([memory, redis])
    })
}

/// Starts a session and runs all requests concurrently.
///
/// Returns the result by the session's number and by its keys.
async fn race(site: &Router, paths: impl Iterator<Item = String>) -> Outcome<(Ended, Ended)> {
    let cookie = cookie_of(&ask(site, "/begin", None).await).ok_or("no session began")?;
    let mut requests = JoinSet::new();
    for path in paths {
        let (site, cookie) = (site.clone(), cookie.clone());
        requests.spawn(async move { ask(&site, &path, Some(&cookie)).await.status() });
    }
    let answers = requests.join_all().await;
    let answered = answers
        .iter()
        .filter(|status| **status == StatusCode::OK)
        .count();
    let told = ask(site, "/told", Some(&cookie)).await;
    let told = String::from_utf8(to_bytes(told.into_body(), 100).await?.into())?;
    let (number, keys) = told.split_once(' ').ok_or("the session is gone")?;
    let ended = |kept: &str| {
        Ok::<_, std::num::ParseIntError>(Ended {
            kept: kept.parse()?,
            answered,
        })
    };
    Ok((ended(number)?, ended(keys)?))
}

async fn ask(site: &Router, path: &str, cookie: Option<&HeaderValue>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let request = request.body(Body::empty()).expect("it is a request");
    let answer = site.clone().oneshot(request).await;
    answer.unwrap_or_else(|never| match never {})
}

impl Ended {
    fn shown(&self) -> String {
        format!("{} of {} answered with 200", self.kept, self.answered)
    }
}
