//! Flask-Session's layout as a source. Its records are stored under the ID, Carafe's under the
//! SHA-256 of the ID.

use carafe_core::{
    clock::Timestamp,
    flask::stored::{Met, Walk},
    store::{BoxFuture, Cursor, ErasedStore, Record, StoreError, StoreKey},
};

use crate::source::{Found, ScanPage, Source, is_same};

/// A store in Flask-Session's layout.
pub struct FlaskSource<'s>(pub &'s dyn Walk);

impl Source for FlaskSource<'_> {
    fn store(&self) -> &dyn ErasedStore {
        self.0
    }

    fn has_aliases(&self) -> bool {
        self.0.capabilities().aliases
    }

    fn scan<'a>(
        &'a self,
        after: Option<&'a Cursor>,
        limit: usize,
    ) -> BoxFuture<'a, Result<ScanPage, StoreError>> {
        Box::pin(async move {
            let walked = self.0.walk(after, limit, Timestamp::now()).await?;
            Ok(ScanPage {
                found: walked.met.into_iter().map(found).collect(),
                next: walked.next,
            })
        })
    }

    fn total<'a>(&'a self, now: Timestamp) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.0.count(now)
    }

    /// The ID cannot be computed from its hash.
    fn name_of(&self, _: &StoreKey) -> Option<StoreKey> {
        None
    }

    /// Times that this layout does not store are derived: the last use from the expiry, the
    /// creation from the last use. If `lifetime` is not Flask's setting, a derived time can change
    /// with every read. So derived times are ignored where the expiries are equal.
    fn is_same(&self, here: &Record, there: &Record) -> bool {
        if here.meta.expires != there.meta.expires {
            return false;
        }
        let is_derived =
            here.meta.created == here.meta.last_seen && here.meta.renewed == here.meta.last_seen;
        let mut there = there.clone();
        there.meta.last_seen = here.meta.last_seen;
        if is_derived {
            (there.meta.created, there.meta.renewed) = (here.meta.created, here.meta.renewed);
        }
        is_same(here, &there)
    }
}

fn found(met: Met) -> Found {
    match met.found {
        Ok((name, record)) => Found {
            name,
            key: met.hashed,
            record: Ok(record),
        },
        // An unreadable record is never looked up by name.
        Err(error) => Found {
            name: met.hashed,
            key: met.hashed,
            record: Err(error),
        },
    }
}
