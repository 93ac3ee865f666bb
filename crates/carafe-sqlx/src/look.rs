//! Looking through all sessions, for operators: pages, samples, walks. Each statement follows an index. Aliases
//! are rows of the same table and are never given: a page's index leaves them out or the statement does, a
//! sample takes off their share.

use carafe_core::{
    clock::Timestamp,
    store::{
        Batch, Cursor, Handle, Position, Record, Rows, Sample, StoreError, StoreKey, Summary,
        estimate,
    },
};

use crate::{
    dialect::{Dialect, Value},
    failure::Failure,
    lease::Lease,
    row::Columns,
    statements::Statements,
};

/// Again behind the last row where some could not be read, until the page is full or the list at its end.
pub(crate) async fn newest<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    after: Option<Position>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<Summary>, Failure> {
    let (mut renewed, mut handle) = match after {
        Some(place) => (place.renewed.unix(), place.handle.as_bytes().to_vec()),
        None => (i64::MAX, vec![0xff; 12]),
    };
    let mut page = Rows::default();
    while page.len() < limit {
        let (second, wanted) = (Value::Number(Some(renewed)), limit - page.len());
        let name = Value::Bytes(Some(&handle));
        let values = [now.into(), second, second, name, (wanted as u64).into()];
        let rows = D::rows(&mut lease, &statements.newest, &values).await?;
        let found = rows.len();
        if let Some(last) = rows.last() {
            (renewed, handle) = (last.renewed, last.handle.clone());
        }
        for columns in rows {
            page.push(columns.summary())?;
        }
        if found < wanted {
            break;
        }
    }
    lease.done();
    Ok(page.into_read())
}

pub(crate) async fn of_handle<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    handle: &Handle,
    now: Timestamp,
) -> Result<Option<Record>, Failure> {
    let values = [handle.into(), now.into()];
    let rows = D::rows(&mut lease, &statements.of_handle, &values).await?;
    lease.done();
    let record = rows.into_iter().next().map(Columns::record);
    Ok(record.transpose()?)
}

/// A few rows from the random key `start` on, and how many rows there are.
pub(crate) async fn sample<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    start: &StoreKey,
    limit: usize,
    now: Timestamp,
) -> Result<Sample, Failure> {
    let most = limit.max(Sample::ROWS);
    let (mut live, mut looked) = (Rows::default(), 0);
    for side in &statements.rows {
        let values = [start.into(), ((most - looked) as u64).into()];
        let rows = D::rows(&mut lease, side, &values).await?;
        looked += rows.len();
        for columns in rows {
            match columns.target.is_none().then(|| columns.summary()) {
                None => {}
                Some(Ok(session)) if session.is_expired(now) => {}
                Some(session) => live.push(session)?,
            }
        }
    }
    let rows = if looked < most {
        looked as u64
    } else {
        let most = most.saturating_add(1).max(Sample::KEYS);
        count(&mut lease, statements, start, most as u64).await?
    };
    lease.done();
    Ok(Sample::of_rows(
        live.into_read(),
        looked as u64,
        rows,
        limit,
    ))
}

/// How many rows there are: exactly if they are fewer than `most`.
async fn count<D: Dialect>(
    lease: &mut Lease<D>,
    statements: &Statements,
    start: &StoreKey,
    most: u64,
) -> Result<u64, Failure> {
    let (mut found, mut last) = (0, *start);
    for side in &statements.keys {
        if found == most {
            break;
        }
        let values = [start.into(), (most - found).into()];
        let keys = D::keys(lease, side, &values).await?;
        found += u64::try_from(keys.count).unwrap_or_default();
        if let Some(key) = keys.last {
            last = StoreKey::from_bytes(key.try_into().map_err(|_| bad_key())?);
        }
    }
    if found < most {
        return Ok(found);
    }
    let found = usize::try_from(found).unwrap_or(usize::MAX);
    Ok(estimate(start, &last, found))
}

fn bad_key() -> StoreError {
    StoreError::corrupt("a key that has not 32 bytes")
}

/// Records in the order of their keys.
pub(crate) async fn walk<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    after: Option<&StoreKey>,
    limit: usize,
) -> Result<Batch, Failure> {
    let limit = limit.max(1);
    let after = after.map_or(&[][..], |key| key.as_bytes());
    let values = [Value::Bytes(Some(after)), (limit as u64).into()];
    let rows = D::rows(&mut lease, &statements.walk, &values).await?;
    lease.done();
    let last = rows.last().filter(|_| rows.len() == limit);
    let next = last.map(Columns::key).transpose()?;
    let records = rows.into_iter().filter(|columns| columns.target.is_none());
    let records: Result<_, StoreError> = records
        .map(|columns| Ok((columns.key()?, columns.record())))
        .collect();
    Ok(Batch {
        records: records?,
        next: next.as_ref().map(Cursor::behind),
    })
}
