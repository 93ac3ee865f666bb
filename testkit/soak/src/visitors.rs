//! Requests of other visitors at a steady rate. Each duration starts when the request is due: a
//! store that stalls delays all requests of that time, not one.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use carafe_core::{
    clock::Timestamp,
    session::Patch,
    store::{Deadlines, ErasedStore, Patched, StoreError, StoreKey},
};
use tokio::{sync::oneshot, task::JoinSet, time::interval};

use crate::crowd::{create, key, record};

const GUESTS: usize = 200;
const PER_SECOND: u32 = 100;
const CALLS: [&str; 3] = ["load", "patch", "create"];

/// Sessions of other visitors.
#[derive(Clone)]
pub(crate) struct Guests {
    store: Arc<dyn ErasedStore>,
    keys: Arc<[StoreKey]>,
    deadlines: Deadlines,
}

/// Visitors that send requests until they are stopped.
pub(crate) struct Visitors {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<Result<Calls>>,
}

/// The durations of the calls of each kind.
#[derive(Default)]
pub(crate) struct Calls {
    kinds: [Vec<Duration>; 3],
    deadlines: [Duration; 3],
    failures: Vec<(&'static str, StoreError)>,
}

impl Guests {
    pub(crate) async fn new(store: Arc<dyn ErasedStore>, deadlines: Deadlines) -> Result<Self> {
        let mut keys = Vec::new();
        for _ in 0..GUESTS {
            keys.push(create(&*store, &record(None, Timestamp::now())?).await?);
        }
        Ok(Self {
            store,
            keys: keys.into(),
            deadlines,
        })
    }

    /// Starts the visits: half of the requests only load a session, a quarter also change it, and a
    /// quarter create one.
    pub(crate) fn visit(&self) -> Visitors {
        let (stop, mut stopped) = oneshot::channel();
        let guests = self.clone();
        let task = tokio::spawn(async move {
            let (mut requests, mut number) = (JoinSet::new(), 0);
            let mut ticks = interval(Duration::from_secs(1) / PER_SECOND);
            let mut calls = Calls {
                deadlines: [
                    guests.deadlines.read,
                    guests.deadlines.write,
                    guests.deadlines.write,
                ],
                ..Calls::default()
            };
            loop {
                tokio::select! {
                    biased;
                    _ = &mut stopped => break,
                    Some(request) = requests.join_next() => calls.add(request??),
                    due = ticks.tick() => {
                        number += 1;
                        let guests = guests.clone();
                        requests.spawn(async move { guests.request(number, due.into_std()).await });
                    }
                }
            }
            while let Some(request) = requests.join_next().await {
                calls.add(request??);
            }
            Ok(calls)
        });
        Visitors { stop, task }
    }

    async fn request(&self, number: usize, due: Instant) -> Result<Calls> {
        let (store, mut calls) = (&*self.store, Calls::default());
        let now = Timestamp::now();
        if number.is_multiple_of(4) {
            let user = format!("guest{number}");
            let (key, record) = (key()?, record(Some(&user), now)?);
            calls.note(2, due, store.create(&key, &record, now).await);
            return Ok(calls);
        }
        let key = &self.keys[number * 7 % GUESTS];
        let Some(state) = calls.note(0, due, store.load(key, now).await) else {
            return Ok(calls);
        };
        let base = state.into_record();
        ensure!(base.is_some(), "the session of another visitor is gone");
        if let (Some(base), 1) = (base, number % 4) {
            let mut patch = Patch::default();
            patch.set("n", number.to_string());
            let due = Instant::now();
            let patched = store.patch(key, &base, &patch, now).await;
            if let Some(Patched::Gone) = calls.note(1, due, patched) {
                anyhow::bail!("the session of another visitor is gone");
            }
        }
        Ok(calls)
    }
}

impl Visitors {
    pub(crate) async fn stop(self) -> Result<Calls> {
        // Sending fails if the task has failed; the result of the task contains its error.
        let _ = self.stop.send(());
        self.task.await?
    }
}

impl Calls {
    fn note<T>(&mut self, kind: usize, due: Instant, result: Result<T, StoreError>) -> Option<T> {
        self.kinds[kind].push(due.elapsed());
        result
            .map_err(|error| self.failures.push((CALLS[kind], error)))
            .ok()
    }

    fn add(&mut self, other: Self) {
        for (kind, durations) in self.kinds.iter_mut().zip(other.kinds) {
            kind.extend(durations);
        }
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((name, durations), deadline) in CALLS.iter().zip(&self.kinds).zip(self.deadlines) {
            let mut sorted = durations.clone();
            sorted.sort_unstable();
            let Some(slowest) = sorted.last() else {
                continue;
            };
            let late = sorted.iter().filter(|&&took| took > deadline).count();
            writeln!(
                f,
                "    {name:6} {:6} calls, median {:6.1} ms, 99.9 % {:6.1} ms, slowest {:6.1} ms of {} ms, {late} late",
                sorted.len(),
                ms(sorted[sorted.len() / 2]),
                ms(sorted[sorted.len() * 999 / 1_000]),
                ms(*slowest),
                deadline.as_millis(),
            )?;
        }
        match &self.failures[..] {
            [] => Ok(()),
            [(call, error), ..] => writeln!(
                f,
                "    {} calls failed, the first a {call}: {error}",
                self.failures.len()
            ),
        }
    }
}

pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
