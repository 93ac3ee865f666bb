//! [`RedisStore`] and the traits of stores, with a deadline for each verb. `verbs`, `rotate` and
//! others implement them.

use std::sync::Arc;

use carafe_core::{
    clock::Timestamp,
    session::{Access, Patch},
    store::{
        BoxFuture, Capabilities, Created, KeyState, Patched, Powers, Record, Rotation,
        SessionStore, StoreError, StoreKey,
    },
};

use crate::{
    Deadlines,
    connection::Connection,
    endpoint::Endpoint,
    error::store_error,
    key_locks::KeyLocks,
    names::Names,
    wait::{PendingWait, Replication, WaitOptions},
};

/// Sessions in Redis or Valkey.
///
/// ```no_run
/// # async fn example() -> Result<(), carafe_redis::StoreError> {
/// let store = carafe_redis::RedisStore::connect("redis://127.0.0.1").await?;
/// # Ok(()) }
/// ```
pub struct RedisStore {
    pub(crate) connection: Arc<Connection>,
    pub(crate) names: Names,
    pub(crate) deadlines: Deadlines,
    pub(crate) listing: Listing,
    pub(crate) key_locks: Arc<KeyLocks>,
    /// For a store that waits for replicas: the connections that wait.
    pub(crate) replication: Option<Arc<Replication>>,
    /// For a copy of such a store that has one of those connections.
    pub(crate) pending_wait: Option<PendingWait>,
    /// `None` if only the driver knows.
    pub(crate) endpoint: Option<Endpoint>,
}

/// How the index of all sessions is maintained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// There is no such index.
    Off,
    /// By the scripts that change a record, in the same step: on a single server.
    InScripts,
    /// By separate calls: in a cluster the index is in other slots.
    Separate,
}

impl RedisStore {
    pub(crate) fn new(
        connection: Connection,
        names: Names,
        deadlines: Deadlines,
        inventory: bool,
        wait: Option<WaitOptions>,
    ) -> Self {
        let listing = match (inventory, connection.is_cluster()) {
            (false, _) => Listing::Off,
            (true, false) => Listing::InScripts,
            (true, true) => Listing::Separate,
        };
        Self {
            connection: Arc::new(connection),
            names,
            deadlines,
            listing,
            key_locks: Arc::default(),
            replication: wait.map(|wait| Arc::new(Replication::new(wait))),
            pending_wait: None,
            endpoint: None,
        }
    }

    /// Returns a copy of this store with a connection of its own.
    pub(crate) fn on(&self, connection: Arc<Connection>, pending_wait: PendingWait) -> Self {
        Self {
            connection,
            names: self.names.clone(),
            deadlines: self.deadlines,
            listing: self.listing,
            key_locks: Arc::clone(&self.key_locks),
            replication: None,
            pending_wait: Some(pending_wait),
            endpoint: self.endpoint,
        }
    }

    pub(crate) async fn ready(self) -> Result<Self, StoreError> {
        self.connection.connect().await.map_err(store_error)?;
        Ok(self)
    }
}

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the client: its URL may contain a password.
        write!(f, "RedisStore({:?})", self.names)
    }
}

// Not `async fn`, where the future of a request would contain its arguments twice.
impl SessionStore for RedisStore {
    fn create(
        &self,
        key: &StoreKey,
        record: &Record,
        now: Timestamp,
    ) -> impl Future<Output = Result<Created, StoreError>> + Send {
        self.with_deadline(self.deadlines.write, self.write_new(key, record, now))
    }

    fn load(
        &self,
        key: &StoreKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<KeyState, StoreError>> + Send {
        self.with_deadline(self.deadlines.read, self.read_record(key, now))
    }

    fn patch(
        &self,
        key: &StoreKey,
        base: &Record,
        patch: &Patch,
        now: Timestamp,
    ) -> impl Future<Output = Result<Patched, StoreError>> + Send {
        self.with_deadline(
            self.deadlines.write,
            self.apply_patch(key, base, patch, now),
        )
    }

    async fn rotate(
        &self,
        from: &StoreKey,
        to: &StoreKey,
        base: &Record,
        patch: &Patch,
        rotation: Rotation,
        now: Timestamp,
    ) -> Result<Patched, StoreError> {
        let keys = (from, to);
        if rotation != Rotation::Replacement {
            let rotated = self.move_record(keys, base, patch, rotation, now);
            return self.with_deadline(self.deadlines.write, rotated).await;
        }
        let revoker = self.revoker();
        let rotated = revoker.move_record(keys, base, patch, rotation, now);
        revoker.run(rotated).await
    }

    fn touch(
        &self,
        key: &StoreKey,
        access: &Access,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        self.with_deadline(self.deadlines.write, self.extend_expiry(key, access))
    }

    async fn delete(&self, key: &StoreKey, now: Timestamp) -> Result<bool, StoreError> {
        let revoker = self.revoker();
        revoker.run(revoker.remove_record(key, now)).await
    }

    fn powers(&self) -> Powers<'_> {
        let powers = Powers::new().with_users(self);
        match self.listing {
            Listing::Off => powers,
            Listing::InScripts | Listing::Separate => powers.with_sweeper(self).with_listing(self),
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::CARAFE
    }

    fn budget(&self) -> Option<BoxFuture<'static, StoreError>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carafe_core::{
        session::SessionData,
        store::{PublicId, SessionMeta},
    };

    /// Each future is an allocation of every request that reads or writes, and glibc's allocator is
    /// slower above 1032 bytes. Rare futures are boxed, and so is the driver's.
    #[test]
    fn the_futures_of_a_request_are_small() {
        let client = redis::Client::open("redis://127.0.0.1").expect("a URL");
        let store = RedisStore::from_client(client);
        let (key, now, patch) = (
            StoreKey::of_id("a"),
            Timestamp::from_unix(1),
            Patch::default(),
        );
        let record = Record::new(
            SessionMeta::new(PublicId::from_bytes([0; 12]), now, now),
            SessionData::default(),
        );
        let access = Access {
            at: now,
            expires: now,
            confirms: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let _context = runtime.as_ref().expect("a runtime").enter();
        let [load, patch, touch] = [
            size_of_val(&store.load(&key, now)),
            size_of_val(&store.patch(&key, &record, &patch, now)),
            size_of_val(&store.touch(&key, &access)),
        ];
        assert!(load <= 704, "{load}");
        // A change holds one key, which is larger if it can be an id of Flask-Session.
        let key = size_of::<StoreKey>() - 32;
        assert!(patch <= 1032 + key, "{patch}");
        assert!(touch <= 864, "{touch}");
    }
}
