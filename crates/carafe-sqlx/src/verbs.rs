//! The operations that change no data: load, create, touch, delete, and those on many sessions.
//!
//! A statement targets the record under the given key first; only if it affects no row is the key
//! looked up as a former key, because a count of 0 alone never proves that a session is missing.
//! Each function calls `Lease::done` on success and drops the lease on error.

use carafe_core::{
    clock::Timestamp,
    session::Access,
    store::{Created, KeyState, PublicId, Record, Selection, SessionMeta, StoreKey, retired_until},
};
use sqlx::SqlStr;

use crate::{
    dialect::{Dialect, foreign},
    failure::Failure,
    lease::Lease,
    row::Found,
    statements::{PARKED, Statements},
    value::Value,
};

/// Maximum number of sessions that one statement retires.
///
/// The statement then completes well within the deadline for writing, even if a million sessions do
/// not fit into the server's memory: InnoDB reads several pages for each session.
const STEP: u64 = 50;

pub(crate) async fn load<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    asked: StoreKey,
    now: Timestamp,
) -> Result<KeyState, Failure> {
    // The statement follows one pointer itself. A renewal redirects older pointers, so chains are
    // rare.
    let mut key = asked;
    let state = loop {
        let values = [(&key).into(), now.into(), now.into()];
        match one(&mut lease, &statements.load, &values, &key).await? {
            None => break KeyState::Absent,
            Some(Found::Marker) => break KeyState::Retired,
            Some(Found::Record(record)) if key == asked => break KeyState::Current(record),
            Some(Found::Record(record) | Found::Moved(record)) => break KeyState::Moved(record),
            Some(Found::Pointer(target)) => key = *target,
        }
    };
    lease.done();
    Ok(state)
}

pub(crate) async fn create<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    record: &Record,
    json: &str,
) -> Result<Created, Failure> {
    let created = insert(&mut lease, statements, key, None, &record.meta, json).await?;
    lease.done();
    Ok(created)
}

pub(crate) async fn touch<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    asked: StoreKey,
    access: &Access,
) -> Result<bool, Failure> {
    let mut key = asked;
    let touched = loop {
        if touch_one(&mut lease, statements, &key, access).await? {
            break true;
        }
        match missed(&mut lease, statements, key, access.at).await? {
            Some(next) => key = next,
            None => break false,
        }
    };
    if touched && key != asked {
        let values = [(&key).into(), access.at.into()];
        if let Some(Found::Record(record)) =
            one(&mut lease, &statements.find, &values, &key).await?
        {
            prolong(&mut lease, statements, &asked, record.meta.expires).await?;
        }
    }
    lease.done();
    Ok(touched)
}

/// Touches the record stored under `key` itself and returns whether it exists.
///
/// The record is only read to confirm a renewal.
async fn touch_one<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    access: &Access,
) -> Result<bool, Failure> {
    let (at, expires) = (access.at.into(), access.expires.into());
    if access.confirms.is_some()
        && let Some(Found::Record(record)) =
            one(lease, &statements.find, &[key.into(), at], key).await?
        && let Some(touched) = record.touched(access)
        && touched.meta.renewal != record.meta.renewal
    {
        let (after, before) = (touched.meta.opaque(), record.meta.opaque());
        let opaque = [(&after).into(), key.into(), (&before).into()];
        let [after, name, before] = opaque;
        let values = [at, expires, after, name, before, at];
        return hit::<D>(lease, &statements.confirm, &values).await;
    }
    let values = [at, expires, key.into(), at];
    hit::<D>(lease, &statements.touch, &values).await
}

/// Extends the lifetime of the pointer at `key` to that of its record.
pub(crate) async fn prolong<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    expires: Timestamp,
) -> Result<(), Failure> {
    // The count is ignored: the pointer may have been swept or retired.
    hit::<D>(lease, &statements.prolong, &[expires.into(), key.into()]).await?;
    Ok(())
}

pub(crate) async fn delete<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    mut key: StoreKey,
    now: Timestamp,
) -> Result<bool, Failure> {
    // A pointer is followed regardless of its expiry, so deletion through an old id revokes the
    // session.
    let ever = Timestamp::from_unix(i64::MIN);
    let deleted = loop {
        let values = [retired_until(now).into(), (&key).into()];
        if hit::<D>(&mut lease, &statements.retire, &values).await? {
            break true;
        }
        match missed(&mut lease, statements, key, ever).await? {
            Some(next) => key = next,
            None => break false,
        }
    };
    lease.done();
    Ok(deleted)
}

/// Returns the key to try after a statement that affected no row of `key`.
///
/// This is the target of a pointer, or the same key if a record has been created in the meantime.
async fn missed<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: StoreKey,
    now: Timestamp,
) -> Result<Option<StoreKey>, Failure> {
    let found = D::asked(lease, &statements.find, &[(&key).into(), now.into()]).await?;
    let Some(columns) = found else {
        return Ok(None);
    };
    Ok(match columns.target()? {
        None => Some(key),
        Some(target) if target == key => None,
        Some(target) => Some(target),
    })
}

/// Deletes at most `limit` sessions, the newest id first.
///
/// A return value of 0 means that none is left.
pub(crate) async fn delete_by_user<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    user: &str,
    which: Selection,
    limit: u64,
    now: Timestamp,
) -> Result<u64, Failure> {
    let until = retired_until(now).into();
    let spared = match which {
        Selection::Only(one) => {
            let values = [until, (&one).into(), user.into()];
            let deleted =
                limit > 0 && hit::<D>(&mut lease, &statements.retire_one_of_user, &values).await?;
            lease.done();
            return Ok(deleted.into());
        }
        Selection::AllBut(one) => one.as_bytes().to_vec(),
        // An empty value is no session's public id.
        Selection::All => Vec::new(),
    };
    let (user, spared) = (user.into(), Value::Bytes(Some(&spared)));
    let retire = [until, user, user, spared, limit.min(STEP).into(), user];
    let retire = (&statements.retire_of_user, &retire[..]);
    let any = (&statements.any_of_user, &[user, spared][..]);
    let deleted = several(&mut lease, retire, any, limit).await?;
    lease.done();
    Ok(deleted)
}

pub(crate) async fn delete_by_public_id<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    public_id: &PublicId,
    now: Timestamp,
) -> Result<bool, Failure> {
    let values = [retired_until(now).into(), public_id.into()];
    let deleted = D::changed(&mut lease, &statements.retire_by_public_id, &values).await? > 0;
    lease.done();
    Ok(deleted)
}

/// Deletes at most `limit` sessions. A return value of 0 means that none is left.
pub(crate) async fn delete_created_before<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    begun: Timestamp,
    limit: u64,
    now: Timestamp,
) -> Result<u64, Failure> {
    let until = retired_until(now).into();
    let begun = begun.into();
    let retire = [until, begun, limit.min(STEP).into(), begun];
    let retire = (&statements.retire_begun, &retire[..]);
    let any = (&statements.begun, &[begun][..]);
    let deleted = several(&mut lease, retire, any, limit).await?;
    lease.done();
    Ok(deleted)
}

/// Returns the number of retired sessions; 0 only if `any` finds no remaining session.
async fn several<D: Dialect>(
    lease: &mut Lease<D>,
    (retire, values): (&SqlStr, &[Value<'_>]),
    (any, any_values): (&SqlStr, &[Value<'_>]),
    limit: u64,
) -> Result<u64, Failure> {
    loop {
        let retired = D::changed(lease, retire, values).await?;
        // Postgres: other transactions may have retired all rows that the statement selected, while
        // more rows remain.
        if retired > 0 || limit == 0 || D::asked(lease, any, any_values).await?.is_none() {
            return Ok(retired);
        }
    }
}

pub(crate) async fn sweep<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    limit: u64,
    now: Timestamp,
) -> Result<u64, Failure> {
    let swept = D::execute(&mut lease, &statements.sweep, &[now.into(), limit.into()]).await?;
    lease.done();
    Ok(swept)
}

/// Returns whether a statement for one key affected its row.
pub(crate) async fn hit<D: Dialect>(
    lease: &mut Lease<D>,
    statement: &SqlStr,
    values: &[Value<'_>],
) -> Result<bool, Failure> {
    match D::changed(lease, statement, values).await? {
        count @ 0..=1 => Ok(count == 1),
        _ => Err(foreign().into()),
    }
}

/// Runs a statement that must affect its row: a locked row, or an insert under a free key.
pub(crate) async fn must_hit<D: Dialect>(
    lease: &mut Lease<D>,
    statement: &SqlStr,
    values: &[Value<'_>],
) -> Result<(), Failure> {
    let hit = hit::<D>(lease, statement, values).await?;
    hit.then_some(()).ok_or_else(|| foreign().into())
}

/// Runs a query for `key` and converts its row.
pub(crate) async fn one<D: Dialect>(
    lease: &mut Lease<D>,
    query: &SqlStr,
    values: &[Value<'_>],
    key: &StoreKey,
) -> Result<Option<Found>, Failure> {
    let columns = D::asked(lease, query, values).await?;
    Ok(columns.map(|columns| columns.found(key)).transpose()?)
}

/// Inserts a row.
pub(crate) async fn created<D: Dialect>(
    lease: &mut Lease<D>,
    statement: &SqlStr,
    values: &[Value<'_>],
) -> Result<Created, Failure> {
    match hit::<D>(lease, statement, values).await {
        Ok(true) => Ok(Created::Created),
        // Without such a suffix, only an error can report an existing key.
        Ok(false) if D::UNLESS_TAKEN.is_empty() => Err(foreign().into()),
        Ok(false) => Ok(Created::Taken),
        Err(Failure::Sql(sqlx::Error::Database(error))) if error.is_unique_violation() => {
            Ok(Created::Taken)
        }
        Err(failure) => Err(failure),
    }
}

/// Inserts a row unless the key exists.
pub(crate) async fn insert<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    target: Option<&StoreKey>,
    meta: &SessionMeta,
    json: &str,
) -> Result<Created, Failure> {
    let opaque = meta.opaque();
    let values = [
        key.into(),
        Value::Bytes(target.map(|target| &target.as_bytes()[..])),
        json.into(),
        (&meta.user).into(),
        (&meta.public_id).into(),
        (&meta.device).into(),
        meta.created.into(),
        meta.renewed.into(),
        meta.last_seen.into(),
        meta.expires.into(),
        meta.authenticated.into(),
        (&opaque).into(),
        meta.version.into(),
    ];
    created::<D>(lease, &statements.create, &values).await
}

/// Inserts a pointer to `target` at a former key, or a marker if `target` is the key itself.
pub(crate) async fn leave<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    target: &StoreKey,
    until: Timestamp,
    meta: &SessionMeta,
) -> Result<(), Failure> {
    let parked = Timestamp::from_unix(PARKED);
    // Without a user: a user's list must contain records only.
    let mut former = SessionMeta::new(meta.public_id, parked, until);
    former.last_seen = meta.last_seen;
    former.version = meta.version;
    match insert(lease, statements, key, Some(target), &former, "").await? {
        Created::Created => Ok(()),
        // The record has just left this key, in the same uncommitted transaction.
        Created::Taken => Err(foreign().into()),
    }
}
