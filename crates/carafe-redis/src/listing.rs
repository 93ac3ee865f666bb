//! Adds sessions to both indices, that of a user and that of all sessions, and removes them.

use carafe_core::{
    clock::Timestamp,
    store::{Position, PublicId, SessionMeta, StoreError, StoreKey},
};
use futures_util::future::try_join;

use crate::{
    RedisStore,
    index_entry::IndexEntry,
    layout::{listed_until, second},
    names::member,
    script::{self, Call},
    store::Listing,
};

impl RedisStore {
    /// Returns the index of all sessions as the last key of a script, if scripts maintain it.
    pub(crate) fn script_index(&self) -> Option<String> {
        (self.listing == Listing::InScripts).then(|| self.names.index(0))
    }

    /// Lists a session under `key`, before its record exists. Returns the time until which it is
    /// listed.
    pub(crate) async fn list(
        &self,
        session: &SessionMeta,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let until = listed_until(session.expires, now);
        let of_user = async {
            match &session.user {
                Some(user) => {
                    self.list_of_user(user, session.position(), key, until)
                        .await
                }
                None => Ok(()),
            }
        };
        try_join(of_user, self.enlist(session, key, until)).await?;
        Ok(until)
    }

    /// Returns whether separate calls list a session, in addition to its own script or instead of
    /// it.
    pub(crate) fn lists_separately(&self, user: Option<&str>) -> bool {
        user.is_some() || self.listing == Listing::Separate
    }

    /// Lists a session of a user under `key`.
    pub(crate) async fn list_of_user(
        &self,
        user: &str,
        position: Position,
        key: &StoreKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let listed = self.call(|_| {
            let score = IndexEntry::of(position).score.to_string();
            let args = vec![second(until), member(position.public_id, key), score];
            Call::new(&script::LIST, self.names.user(user).all(), args)
        });
        listed.await.map(drop)
    }

    async fn enlist(
        &self,
        session: &SessionMeta,
        key: &StoreKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        if self.listing != Listing::Separate {
            return Ok(());
        }
        self.add_to_index(session, key, until).await
    }

    /// Adds a session to the index of all sessions, also if scripts maintain it.
    pub(crate) async fn add_to_index(
        &self,
        session: &SessionMeta,
        key: &StoreKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let public_id = session.public_id.to_string();
        let listed = self.call(|_| {
            let moments = [session.created, session.renewed, until].map(second);
            let mut args = vec![public_id.clone(), member(session.public_id, key)];
            args.extend(moments);
            Call::new(&script::ENLIST, self.names.sets(&public_id).all(), args)
        });
        listed.await.map(drop)
    }

    /// Removes the member of a session that is no longer under `key`, unless a script has done so.
    /// `ended` says that the session is gone and not moved.
    pub(crate) async fn delist(
        &self,
        public_id: PublicId,
        key: &StoreKey,
        ended: bool,
    ) -> Result<(), StoreError> {
        if self.listing != Listing::Separate {
            return Ok(());
        }
        let why = if ended { "ended" } else { "moved" };
        self.remove_from_index(public_id, key, why).await
    }

    /// Removes a member without a record, unless a script has done so or the member is younger than
    /// a minute, since its record may not be stored yet. (A session from another store may have an
    /// older id. If its member is removed too early, it is listed again with its next id.)
    pub(crate) async fn delist_old(
        &self,
        public_id: PublicId,
        key: &StoreKey,
    ) -> Result<(), StoreError> {
        if self.listing != Listing::Separate {
            return Ok(());
        }
        self.remove_from_index(public_id, key, "old").await
    }

    /// Removes a member from the index of all sessions, also if scripts maintain it.
    /// `scripts/delist.lua` documents the values of `why`.
    pub(crate) async fn remove_from_index(
        &self,
        public_id: PublicId,
        key: &StoreKey,
        why: &str,
    ) -> Result<(), StoreError> {
        let struck = self.call(|_| {
            let args = vec![
                public_id.to_string(),
                member(public_id, key),
                why.to_owned(),
            ];
            let sets = self.names.sets(&public_id.to_string());
            Call::new(&script::DELIST, sets.all(), args)
        });
        struck.await.map(drop)
    }
}
