//! What the verbs do that change no data: load, create, touch, delete, and those on many sessions.
//!
//! A statement meets the record under its own key first, and only where it has missed is it asked whether the
//! key is an alias. Each function ends its lease when it is done with it, or drops it on an error.

use carafe_core::{
    clock::Timestamp,
    store::{Created, Handle, Record, Rows, StoreKey, Summary, Which},
};
use sqlx::SqlStr;

use crate::{
    dialect::{Dialect, Value},
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
    let created = match insert(&mut lease, statements, key, None, record, json).await {
        Ok(0) => Created::Taken,
        Ok(_) => Created::Created,
        Err(Failure::Sql(sqlx::Error::Database(error))) if error.is_unique_violation() => {
            Created::Taken
        }
        Err(failure) => return Err(failure),
    };
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
        if D::execute(&mut lease, &statements.touch, &values).await? > 0 {
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
        if D::execute(&mut lease, &statements.delete, &[(&key).into()]).await? > 0 {
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
    let rows = D::rows(lease, &statements.find, &[(&key).into(), now.into()]).await?;
    let target = rows.first().map(Columns::target).transpose()?;
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
    let deleted = D::execute(&mut lease, statement, &values).await?;
    lease.done();
    Ok(deleted)
}

pub(crate) async fn delete_of_handle<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    handle: &Handle,
) -> Result<bool, Failure> {
    let values = [handle.into()];
    let deleted = D::execute(&mut lease, &statements.delete_of_handle, &values).await? > 0;
    if deleted {
        D::execute(&mut lease, &statements.delete_aliases, &values).await?;
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
        let deleted = D::execute(&mut lease, &statements.delete_begun, &values).await?;
        // Postgres: all that the statement has picked may be gone already by somebody else's hand, and there
        // are more. 0 must mean that there are none.
        if deleted > 0
            || limit == 0
            || D::rows(&mut lease, &statements.begun, &[until.into()])
                .await?
                .is_empty()
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

/// What the row of `key` that a query gives holds.
pub(crate) async fn one<D: Dialect>(
    lease: &mut Lease<D>,
    query: &SqlStr,
    values: &[Value<'_>],
    key: &StoreKey,
) -> Result<Option<Found>, Failure> {
    let rows = D::rows(lease, query, values).await?;
    let found = rows.into_iter().next().map(|columns| columns.found(key));
    Ok(found.transpose()?)
}

/// Files `record`, or with a `target` an alias of it; how many rows that made.
pub(crate) async fn insert<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    key: &StoreKey,
    target: Option<&StoreKey>,
    record: &Record,
    json: &str,
) -> Result<u64, Failure> {
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
    Ok(D::execute(lease, &statements.create, &values).await?)
}
