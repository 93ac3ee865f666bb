//! What the verbs do that change no data: load, create, touch, delete, and those on many sessions.
//!
//! A statement meets the record under its own key first, and only where it has missed is it asked whether the
//! key is an alias: that nothing is there is never concluded from a count. Each function ends its lease when it is done
//! with it, or drops it on an error.

use carafe_core::{
    clock::Timestamp,
    store::{Created, Handle, Record, Rows, StoreKey, Summary, Which},
};
use sqlx::SqlStr;

use crate::{
    dialect::{Dialect, Value, foreign},
    failure::Failure,
    lease::Lease,
    row::{Columns, Found},
    statements::Statements,
};

pub(crate) async fn load<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    mut key: StoreKey,
    now: Timestamp,
) -> Result<Option<Record>, Failure> {
    // The statement goes one alias far itself; a session renewed twice within seconds has two.
    let record = loop {
        let values = [(&key).into(), now.into(), now.into()];
        match one(&mut lease, &statements.load, &values, &key).await? {
            None => break None,
            Some(Found::Record(record)) => break Some(record),
            Some(Found::Alias(target)) => key = target,
        }
    };
    lease.done();
    Ok(record)
}

pub(crate) async fn create<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    record: &Record,
    json: &str,
) -> Result<Created, Failure> {
    let created = insert(&mut lease, statements, key, None, record, json).await?;
    lease.done();
    Ok(created)
}

pub(crate) async fn touch<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    mut key: StoreKey,
    expires: Timestamp,
    now: Timestamp,
) -> Result<bool, Failure> {
    let touched = loop {
        let values = [now.into(), expires.into(), (&key).into(), now.into()];
        if hit::<D>(&mut lease, &statements.touch, &values).await? {
            break true;
        }
        match missed(&mut lease, statements, key, now).await? {
            Some(next) => key = next,
            None => break false,
        }
    };
    lease.done();
    Ok(touched)
}

pub(crate) async fn delete<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    mut key: StoreKey,
) -> Result<bool, Failure> {
    // An alias leads to its record whatever the time: who logs out through an old id is logged out.
    let ever = Timestamp::from_unix(i64::MIN);
    let deleted = loop {
        if hit::<D>(&mut lease, &statements.delete, &[(&key).into()]).await? {
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

/// Where a statement that has missed `key` has to try next: at the target of an alias. A record may be there
/// by now, too; then the same key again.
async fn missed<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: StoreKey,
    now: Timestamp,
) -> Result<Option<StoreKey>, Failure> {
    let found = D::asked(lease, &statements.find, &[(&key).into(), now.into()]).await?;
    let target = found.as_ref().map(Columns::target).transpose()?;
    Ok(target.map(|target| target.unwrap_or(key)))
}

pub(crate) async fn of_user<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    user: &str,
    now: Timestamp,
) -> Result<Vec<Summary>, Failure> {
    let rows = D::rows(&mut lease, &statements.of_user, &[user.into(), now.into()]).await?;
    let mut sessions = Rows::default();
    for columns in rows {
        sessions.push(columns.of(user)?.summary())?;
    }
    lease.done();
    Ok(sessions.into_read())
}

pub(crate) async fn delete_of_user<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    user: &str,
    which: Which,
) -> Result<u64, Failure> {
    let (statement, handle) = match which {
        Which::All => (&statements.delete_of_user, None),
        Which::Only(one) => (&statements.delete_only, Some(one)),
        Which::AllBut(one) => (&statements.delete_all_but, Some(one)),
    };
    let mut values = vec![user.into()];
    values.extend(handle.as_ref().map(Value::from));
    let deleted = D::changed(&mut lease, statement, &values).await?;
    lease.done();
    Ok(deleted)
}

pub(crate) async fn delete_of_handle<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    handle: &Handle,
) -> Result<bool, Failure> {
    let values = [handle.into()];
    let deleted = D::changed(&mut lease, &statements.delete_of_handle, &values).await? > 0;
    if deleted {
        D::changed(&mut lease, &statements.delete_aliases, &values).await?;
    }
    lease.done();
    Ok(deleted)
}

/// Their aliases stay, lead nowhere, and are swept.
pub(crate) async fn delete_begun<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    until: Timestamp,
    limit: u64,
) -> Result<u64, Failure> {
    let deleted = loop {
        let values = [until.into(), until.into(), limit.into()];
        let deleted = D::changed(&mut lease, &statements.delete_begun, &values).await?;
        // Postgres: all that the statement has picked may be gone already by somebody else's hand, and there
        // are more. 0 must mean that there are none.
        if deleted > 0
            || limit == 0
            || D::asked(&mut lease, &statements.begun, &[until.into()])
                .await?
                .is_none()
        {
            break deleted;
        }
    };
    lease.done();
    Ok(deleted)
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

/// Whether a statement about one key has met its row.
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

/// Does what cannot miss: of a row that is locked, or under a key that is free or in the way.
pub(crate) async fn must_hit<D: Dialect>(
    lease: &mut Lease<D>,
    statement: &SqlStr,
    values: &[Value<'_>],
) -> Result<(), Failure> {
    let hit = hit::<D>(lease, statement, values).await?;
    hit.then_some(()).ok_or_else(|| foreign().into())
}

/// What the row of `key` that a query gives holds.
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
        // Has no other way to say it than an error.
        Ok(false) if D::UNLESS_TAKEN.is_empty() => Err(foreign().into()),
        Ok(false) => Ok(Created::Taken),
        Err(Failure::Sql(sqlx::Error::Database(error))) if error.is_unique_violation() => {
            Ok(Created::Taken)
        }
        Err(failure) => Err(failure),
    }
}

/// Files `record`, or with a `target` an alias of it, unless the key is taken.
pub(crate) async fn insert<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    target: Option<&StoreKey>,
    record: &Record,
    json: &str,
) -> Result<Created, Failure> {
    let values = [
        key.into(),
        Value::Bytes(target.map(|target| &target.as_bytes()[..])),
        json.into(),
        (&record.user).into(),
        (&record.handle).into(),
        (&record.device).into(),
        record.created.into(),
        record.renewed.into(),
        record.last_seen.into(),
        record.expires.into(),
        record.authenticated.into(),
        record.version.into(),
    ];
    created::<D>(lease, &statements.create, &values).await
}
