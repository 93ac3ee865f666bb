//! What both indices, that of a user and that of all sessions, are told of a session.

use carafe_core::{
    clock::Timestamp,
    store::{Handle, StoreError, StoreKey, Summary},
};
use futures_util::future::try_join;

use crate::{
    RedisStore,
    layout::{listed_until, second},
    names::member,
    script::{self, Call},
};

/// Who keeps the index of all sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    /// Nobody: there is none.
    Off,
    /// The scripts that change a record, in the same step: on one server.
    Inside,
    /// This store, in steps of their own: in a cluster the index is in other slots.
    Apart,
}

impl RedisStore {
    /// The index of all sessions as the last key of a script, where scripts keep it.
    pub(crate) fn index_inside(&self) -> Option<String> {
        (self.listing == Listing::Inside).then(|| self.names.index(0))
    }

    /// Lists a session under `key`, before it is there; until when.
    pub(crate) async fn list(
        &self,
        session: &Summary,
        key: &StoreKey,
        now: Timestamp,
    ) -> Result<Timestamp, StoreError> {
        let until = listed_until(session.expires, now);
        let of_user = self.list_of_user(session, key, until);
        try_join(of_user, self.enlist(session, key, until)).await?;
        Ok(until)
    }

    /// Whether a session is listed by commands of their own, and not, if at all, by its own script.
    pub(crate) fn lists_apart(&self, user: Option<&str>) -> bool {
        user.is_some() || self.listing == Listing::Apart
    }

    async fn list_of_user(
        &self,
        session: &Summary,
        key: &StoreKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(user) = &session.user else {
            return Ok(());
        };
        let listed = self.call(|_| {
            let args = vec![second(until), member(session.handle, key)];
            Call::new(&script::LIST, [self.names.user(user)], args)
        });
        listed.await.map(drop)
    }

    async fn enlist(
        &self,
        session: &Summary,
        key: &StoreKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        if self.listing != Listing::Apart {
            return Ok(());
        }
        self.enter(session, key, until).await
    }

    /// Puts a session into the index of all, whoever keeps that.
    pub(crate) async fn enter(
        &self,
        session: &Summary,
        key: &StoreKey,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let handle = session.handle.to_string();
        let listed = self.call(|_| {
            let moments = [session.created, session.renewed, until].map(second);
            let mut args = vec![handle.clone(), member(session.handle, key)];
            args.extend(moments);
            Call::new(&script::ENLIST, self.names.sets(&handle).all(), args)
        });
        listed.await.map(drop)
    }

    /// Takes the member of a session that is no longer under `key` out of the index of all, where no script
    /// has done it; `ended` if it is nowhere else either.
    pub(crate) async fn delist(
        &self,
        handle: Handle,
        key: &StoreKey,
        ended: bool,
    ) -> Result<(), StoreError> {
        if self.listing != Listing::Apart {
            return Ok(());
        }
        let why = if ended { "ended" } else { "moved" };
        self.strike(handle, key, why).await
    }

    /// Takes a member without a record out of the index of all, where no script has done it; not one that is
    /// younger than a minute, since its record may be on its way. (One that is filed with an older id, because it
    /// comes from another store, is listed again with its next id, should it be on its way just now.)
    pub(crate) async fn delist_old(
        &self,
        handle: Handle,
        key: &StoreKey,
    ) -> Result<(), StoreError> {
        if self.listing != Listing::Apart {
            return Ok(());
        }
        self.strike(handle, key, "old").await
    }

    /// Takes a member out of the index of all, whoever keeps that; `scripts/delist.lua` knows the words.
    pub(crate) async fn strike(
        &self,
        handle: Handle,
        key: &StoreKey,
        why: &str,
    ) -> Result<(), StoreError> {
        let struck = self.call(|_| {
            let args = vec![handle.to_string(), member(handle, key), why.to_owned()];
            let sets = self.names.sets(&handle.to_string());
            Call::new(&script::DELIST, sets.all(), args)
        });
        struck.await.map(drop)
    }
}
