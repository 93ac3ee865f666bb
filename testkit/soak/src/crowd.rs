//! One user with very many sessions.

use std::sync::Arc;

use anyhow::{Result, ensure};
use carafe_core::{
    clock::Timestamp,
    session::SessionData,
    store::{Created, ErasedStore, Position, PublicId, Record, SessionMeta, StoreKey},
    token::SessionId,
};

/// The user.
pub(crate) const USER: &str = "crowd";

/// Number of sessions that are created concurrently.
const LANES: u64 = 128;

/// The created sessions of [`USER`], oldest first.
pub(crate) struct Crowd(Vec<Position>);

impl Crowd {
    /// Creates `count` sessions, one per second; the newest one is a second old.
    ///
    /// Stores differ in the order of sessions of the same second.
    pub(crate) async fn fill(store: &Arc<dyn ErasedStore>, count: u64) -> Result<Self> {
        let newest = Timestamp::now().saturating_add(-1);
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let store = Arc::clone(store);
                tokio::spawn(async move {
                    let mut positions = Vec::new();
                    for number in (lane..count).step_by(LANES as usize) {
                        let age = i64::try_from(count - 1 - number)?;
                        let record = record(Some(USER), newest.saturating_add(-age))?;
                        create(&*store, &record).await?;
                        positions.push(Position {
                            renewed: record.meta.renewed,
                            public_id: record.meta.public_id,
                        });
                    }
                    anyhow::Ok(positions)
                })
            })
            .collect();
        let mut positions = Vec::new();
        for lane in lanes {
            positions.extend(lane.await??);
        }
        positions.sort();
        Ok(Self(positions))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the number of older sessions.
    pub(crate) fn rank(&self, position: &Position) -> Result<usize> {
        let rank = self.0.binary_search(position);
        rank.map_err(|_| anyhow::anyhow!("a session is listed that was never created"))
    }
}

/// Returns a session of `user` that got its id at `renewed` and expires in two weeks.
pub(crate) fn record(user: Option<&str>, renewed: Timestamp) -> Result<Record> {
    let mut meta = SessionMeta::new(
        PublicId::random()?,
        renewed,
        Timestamp::now().saturating_add(14 * 86_400),
    );
    meta.user = user.map(str::to_owned);
    meta.authenticated = user.is_some().then_some(renewed);
    Ok(Record::new(
        meta,
        SessionData::parse(r#"{"theme":"dark"}"#.to_owned(), Record::STYLE)?,
    ))
}

/// Stores `record` under a new key.
pub(crate) async fn create(store: &dyn ErasedStore, record: &Record) -> Result<StoreKey> {
    let key = key()?;
    let created = store.create(&key, record, Timestamp::now()).await?;
    ensure!(created == Created::Created, "a random key is taken");
    Ok(key)
}

/// Returns a new key.
pub(crate) fn key() -> Result<StoreKey> {
    Ok(SessionId::random()?.store_key())
}
