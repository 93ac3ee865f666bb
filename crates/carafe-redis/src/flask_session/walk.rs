//! Iteration over all keys with the prefix, by `SCAN`.
//!
//! A cursor of `SCAN` is a position in the hash table of one server process; after a restart the
//! hash seed differs. Our cursor therefore contains the id of the process. If another process
//! answers, the iteration starts over.

use std::collections::HashSet;

use carafe_core::{
    clock::Timestamp,
    flask::stored::{Met, Walk, Walked},
    store::{BoxFuture, Cursor, Record, StoreError, StoreKey},
};
use futures_util::future::join_all;
use redis::from_redis_value;

use super::FlaskSessionStore;

/// Size of the sample that estimates which share of all keys has the prefix.
const LOOK: usize = 1_000;

impl FlaskSessionStore {
    async fn scan_page(
        &self,
        after: Option<&Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Walked, StoreError> {
        let process = self.process().await?;
        let place = after.map_or(Ok(0), |cursor| place(cursor, &process))?;
        let matching = format!("{}*", literal(self.layout.prefix()));
        let (next, names) = self.scan(place, Some(&matching), limit.max(1)).await?;
        // The server may return a key twice while it resizes its table.
        let names: HashSet<_> = names.into_iter().collect();
        let looks = names.iter().map(|name| self.look(name, now));
        let mut met = Vec::new();
        for look in join_all(looks).await {
            met.extend(look?);
        }
        let next = (next != 0).then(|| Cursor::new(format!("{process},{next}")));
        Ok(Walked { met, next })
    }

    /// Reads the session of one key. Returns `None` if it is gone or belongs to another
    /// application.
    async fn look(&self, name: &[u8], now: Timestamp) -> Result<Option<Met>, StoreError> {
        let Some((_, Ok(key))) = self.layout.key_of(name) else {
            return Ok(Met::under(&self.layout, name, unread));
        };
        match self.read_record(&key, now).await {
            Ok(None) => Ok(None),
            Ok(Some(record)) => Ok(Met::under(&self.layout, name, |_| Ok(record))),
            Err(error @ StoreError::Corrupt(_)) => {
                Ok(Met::under(&self.layout, name, |_| Err(error)))
            }
            Err(error) => Err(error),
        }
    }

    /// Calls `SCAN` and returns the next cursor, 0 at the end, and some names.
    async fn scan(
        &self,
        place: u64,
        matching: Option<&str>,
        count: usize,
    ) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
        let mut command = redis::cmd("SCAN");
        command.arg(place);
        if let Some(matching) = matching {
            command.arg("MATCH").arg(matching);
        }
        command.arg("COUNT").arg(count);
        let reply = self.redis.read(&command).await?;
        from_redis_value(reply).map_err(StoreError::corrupt)
    }

    /// Returns the id of the server process.
    async fn process(&self) -> Result<String, StoreError> {
        if self.redis.connection.is_cluster() {
            // A position would need one cursor per node, and slots move between nodes.
            return Err(StoreError::Unsupported);
        }
        let reply = self.redis.read(redis::cmd("INFO").arg("server")).await?;
        let text: String = from_redis_value(reply).map_err(StoreError::corrupt)?;
        let id = text.lines().find_map(|line| line.strip_prefix("run_id:"));
        Ok(id.unwrap_or_default().trim().to_owned())
    }

    /// Estimates the number of keys with the prefix from the share in a sample. Hash tables have no
    /// order, so the first keys are a random sample.
    async fn count_keys(&self) -> Result<u64, StoreError> {
        let reply = self.redis.read(&redis::cmd("DBSIZE")).await?;
        let all: u64 = from_redis_value(reply).map_err(StoreError::corrupt)?;
        let (_, names) = self.scan(0, None, LOOK).await?;
        let prefix = self.layout.prefix().as_bytes();
        let ours = names.iter().filter(|name| name.starts_with(prefix)).count();
        Ok(all * ours as u64 / names.len().max(1) as u64)
    }
}

/// Returns the error for a name that contains no key of this layout.
fn unread(_: &StoreKey) -> Result<Record, StoreError> {
    Err(StoreError::corrupt("its name is not that of a session"))
}

/// Returns the position in the table of this process, or 0 if the cursor is from another process.
fn place(cursor: &Cursor, process: &str) -> Result<u64, StoreError> {
    let strange = || StoreError::corrupt("this cursor is not one of this store");
    let (of, place) = cursor.as_str().rsplit_once(',').ok_or_else(strange)?;
    let place = place.parse().map_err(|_| strange())?;
    Ok(if of == process { place } else { 0 })
}

/// Escapes `text` as a glob pattern that matches only `text`.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

impl Walk for FlaskSessionStore {
    /// Iterates over the keys of one server. A cluster returns [`StoreError::Unsupported`]: iterate
    /// over each of its primaries as a single server.
    fn walk<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Walked, StoreError>> {
        let read = self.redis.deadlines.read;
        Box::pin(
            self.redis
                .with_deadline(read, self.scan_page(after, limit, now)),
        )
    }

    fn count<'a>(&'a self, _: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>> {
        let read = self.redis.deadlines.read;
        Box::pin(self.redis.with_deadline(read, self.count_keys()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_matched_literally() {
        assert_eq!(literal(r"shop[1]*?\:"), r"shop\[1\]\*\?\\:");
    }

    #[test]
    fn a_cursor_of_another_process_starts_over() {
        let cursor = Cursor::new("abc,17");
        assert_eq!(place(&cursor, "abc").ok(), Some(17));
        assert_eq!(place(&cursor, "def").ok(), Some(0), "it restarted");
        assert!(place(&Cursor::new("17"), "abc").is_err());
        assert!(place(&Cursor::new("abc,x"), "abc").is_err());
    }
}
