//! Concurrent reads and writes of one session, and a check that the reads are consistent.
//!
//! Clients write unique values to a few keys, increment a counter, and read both. The history, with
//! the start and end time of each request, is then checked:
//!
//! * A read of a key returns a value, the write of which started before the read finished, and that
//!   was not certainly replaced: no other write started after that write finished and finished
//!   before the read started (Lamport's "regular" register).
//! * A read of the counter returns at least the number of updates that finished before it started,
//!   and at most the number of updates that started before it finished.
//! * The final counter is the number of all updates.

use std::{sync::Arc, time::Instant};

use anyhow::{Result, ensure};

use crate::{site::Site, store::Running};

const CLIENTS: u64 = 8;
const REQUESTS: u64 = 25;
const KEYS: u64 = 3;

/// A request, as observed by its client.
#[derive(Clone, Debug)]
struct Event {
    began: Instant,
    ended: Instant,
    did: Did,
}

#[derive(Clone, Debug)]
enum Did {
    Wrote {
        key: u64,
        value: u64,
    },
    Added,
    Read {
        values: [Option<u64>; KEYS as usize],
        counter: u64,
    },
}

pub(crate) async fn run(running: &Running, seed: u64, rounds: u64) -> Result<String> {
    let (mut requests, mut reads) = (0, 0);
    for round in 0..rounds {
        let site = Site::new(Arc::clone(&running.store))?;
        let cookie = site
            .begin(|session| Ok(session.insert("n", &0_u64)?))
            .await?;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let random = Random(seed ^ round << 16 ^ client << 56);
                tokio::spawn(client_of(site.clone(), cookie.clone(), client, random))
            })
            .collect();
        let mut history = Vec::new();
        for client in clients {
            history.extend(client.await??);
        }
        check(&history).map_err(|error| error.context(format!("round {round} of seed {seed}")))?;
        let total = history
            .iter()
            .filter(|event| matches!(event.did, Did::Added))
            .count();
        let look = |session: &carafe_core::session::Session| Ok(session.get::<u64>("n")?);
        let (last, _) = site.visit(&cookie, look).await?;
        ensure!(
            last == Some(total as u64),
            "{last:?} of {total} updates count, seed {seed}"
        );
        requests += history.len();
        reads += history
            .iter()
            .filter(|event| matches!(event.did, Did::Read { .. }))
            .count();
    }
    Ok(format!(
        "{rounds} histories of {requests} requests in all; each of the {reads} reads is consistent"
    ))
}

async fn client_of(
    site: Site,
    cookie: String,
    client: u64,
    mut random: Random,
) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for number in 0..REQUESTS {
        let (choice, key, began) = (random.below(4), random.below(KEYS), Instant::now());
        let value = 1 + client * REQUESTS + number;
        let (did, _) = site
            .visit(&cookie, |session| {
                Ok(match choice {
                    0 => {
                        session.insert(&format!("k{key}"), &value)?;
                        Did::Wrote { key, value }
                    }
                    1 => {
                        session.update("n", |n: Option<u64>| n.unwrap_or(0) + 1)?;
                        Did::Added
                    }
                    _ => {
                        let mut values = [None; KEYS as usize];
                        for (key, value) in values.iter_mut().enumerate() {
                            *value = session.get(&format!("k{key}"))?;
                        }
                        let counter = session.get("n")?.unwrap_or_default();
                        Did::Read { values, counter }
                    }
                })
            })
            .await?;
        events.push(Event {
            began,
            ended: Instant::now(),
            did,
        });
    }
    Ok(events)
}

fn check(history: &[Event]) -> Result<()> {
    let added: Vec<_> = history
        .iter()
        .filter(|event| matches!(event.did, Did::Added))
        .collect();
    for read in history {
        let Did::Read { values, counter } = &read.did else {
            continue;
        };
        let surely = added
            .iter()
            .filter(|event| event.ended < read.began)
            .count() as u64;
        let perhaps = added
            .iter()
            .filter(|event| event.began < read.ended)
            .count() as u64;
        ensure!(
            (surely..=perhaps).contains(counter),
            "a read of the counter gave {counter}, of {surely} to {perhaps}"
        );
        for (key, value) in values.iter().enumerate() {
            check_read(history, read, key as u64, *value)?;
        }
    }
    Ok(())
}

fn check_read(history: &[Event], read: &Event, key: u64, value: Option<u64>) -> Result<()> {
    let writes = || {
        let of_key = |event: &&Event| matches!(event.did, Did::Wrote { key: of, .. } if of == key);
        history.iter().filter(of_key)
    };
    let wrote =
        |event: &&Event| matches!(event.did, Did::Wrote { value: is, .. } if Some(is) == value);
    let Some(value) = value else {
        let written = writes().find(|write| write.ended < read.began);
        ensure!(
            written.is_none(),
            "key {key} was written, and a read did not see it"
        );
        return Ok(());
    };
    let Some(write) = writes().find(wrote) else {
        anyhow::bail!("key {key} was read as {value}, which nobody wrote");
    };
    ensure!(
        write.began < read.ended,
        "{value} was read before it was written"
    );
    let replaced = writes().find(|other| other.began > write.ended && other.ended < read.began);
    ensure!(
        replaced.is_none(),
        "{value} of key {key} was read after it had been replaced"
    );
    Ok(())
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event(start: Instant, began: u64, ended: u64, did: Did) -> Event {
        Event {
            began: start + Duration::from_millis(began),
            ended: start + Duration::from_millis(ended),
            did,
        }
    }

    fn read(value: Option<u64>, counter: u64) -> Did {
        let mut values = [None; KEYS as usize];
        values[0] = value;
        Did::Read { values, counter }
    }

    #[test]
    fn a_history_that_cannot_be_is_found_out() {
        let start = Instant::now();
        let wrote = |value| Did::Wrote { key: 0, value };
        let base = [
            event(start, 0, 10, wrote(1)),
            event(start, 20, 30, wrote(2)),
            event(start, 40, 60, wrote(3)),
            event(start, 0, 5, Did::Added),
            event(start, 50, 70, Did::Added),
        ];
        for (began, ended, value, counter, good) in [
            (31, 35, Some(2), 1, true),
            (45, 50, Some(2), 1, true),
            (45, 55, Some(3), 2, true),
            (31, 35, Some(1), 1, false), // replaced
            (31, 35, Some(3), 1, false), // not yet written
            (31, 35, Some(9), 1, false), // never written
            (31, 35, None, 1, false),    // written, not seen
            (31, 35, Some(2), 0, false), // an update lost
            (31, 35, Some(2), 2, false), // an update counted twice
        ] {
            let mut history = base.to_vec();
            history.push(event(start, began, ended, read(value, counter)));
            assert_eq!(
                check(&history).is_ok(),
                good,
                "{value:?} and {counter} at {began}"
            );
        }
    }
}
