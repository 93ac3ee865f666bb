//! Flask-Session's layout as a source: what is filed under an id there comes to lie under its
//! SHA-256 here.

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

    /// No hash leads back to the id.
    fn name_of(&self, _: &StoreKey) -> Option<StoreKey> {
        None
    }

    /// The last use follows from the expiry, and without a noted beginning it is taken to be the
    /// last use. If that lies ahead, because `lifetime` is not Flask's, each look makes it its own
    /// moment. So these tell nothing where the expiries are the same.
    fn is_same(&self, here: &Record, there: &Record) -> bool {
        if here.expires != there.expires {
            return false;
        }
        let is_derived = here.created == here.last_seen && here.renewed == here.last_seen;
        let mut there = Record {
            last_seen: here.last_seen,
            ..there.clone()
        };
        if is_derived {
            (there.created, there.renewed) = (here.created, here.renewed);
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
        // Nothing is asked under the name of one that cannot be read.
        Err(error) => Found {
            name: met.hashed,
            key: met.hashed,
            record: Err(error),
        },
    }
}
