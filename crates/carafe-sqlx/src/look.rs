//! Reads over all sessions for operators: pages, samples, scans.
//!
//! Each statement uses an index. Former keys are rows of the same table and are never returned: a
//! page's index excludes them or sorts them last, and a sample subtracts their share.

use carafe_core::{
    clock::Timestamp,
    store::{
        Cursor, Position, PublicId, ReadableRows, Record, Sample, ScanPage, SessionMeta,
        StoreError, StoreKey, estimate,
    },
};

use sqlx::SqlStr;

use crate::{
    dialect::Dialect,
    failure::Failure,
    lease::Lease,
    row::Columns,
    statements::{PARKED, Statements},
    value::Value,
};

pub(crate) async fn newest<D: Dialect>(
    lease: Lease<D>,
    statements: &Statements,
    after: Option<Position>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<SessionMeta>, Failure> {
    let list = List {
        page: &statements.newest,
        first: &[now.into()],
        third: None,
        user: None,
    };
    list.read(lease, after, limit).await
}

pub(crate) async fn of_user<D: Dialect>(
    lease: Lease<D>,
    statements: &Statements,
    user: &str,
    after: Option<Position>,
    limit: usize,
    now: Timestamp,
) -> Result<Vec<SessionMeta>, Failure> {
    let list = List {
        page: &statements.of_user,
        first: &[user.into(), user.into()],
        third: Some(now.into()),
        user: Some(user),
    };
    list.read(lease, after, limit).await
}

/// A list in descending order of ids.
///
/// Contains its statement, and the values before and after those of the position.
struct List<'l> {
    page: &'l SqlStr,
    first: &'l [Value<'l>],
    third: Option<Value<'l>>,
    /// The user who owns the listed sessions.
    user: Option<&'l str>,
}

impl List<'_> {
    /// Reads the list.
    ///
    /// Continues after the last row if some rows were unreadable, until the page is full or the
    /// list is exhausted.
    async fn read<D: Dialect>(
        &self,
        mut lease: Lease<D>,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<SessionMeta>, Failure> {
        let (mut renewed, mut public_id) = match after {
            Some(place) => (place.renewed.unix(), place.public_id.as_bytes().to_vec()),
            // Former keys are parked above this position in the index.
            None => (PARKED, Vec::new()),
        };
        let mut page = ReadableRows::default();
        while page.len() < limit {
            let (second, wanted) = (Value::Number(Some(renewed)), limit - page.len());
            let name = Value::Bytes(Some(&public_id));
            let mut values = [self.first, &[second, second, name]].concat();
            values.extend(self.third);
            values.push((wanted as u64).into());
            let rows = D::rows(&mut lease, self.page, &values).await?;
            let found = rows.len();
            if let Some(last) = rows.last() {
                (renewed, public_id) = (last.renewed, last.public_id.clone());
            }
            for columns in rows {
                let columns = match self.user {
                    Some(user) => columns.of(user)?,
                    None => columns,
                };
                page.push(columns.summary())?;
            }
            if found < wanted {
                break;
            }
        }
        lease.done();
        Ok(page.into_read())
    }
}

pub(crate) async fn find<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    public_id: &PublicId,
    now: Timestamp,
) -> Result<Option<Record>, Failure> {
    let values = [public_id.into(), now.into()];
    let rows = D::rows(&mut lease, &statements.find_by_public_id, &values).await?;
    lease.done();
    let record = rows.into_iter().next().map(Columns::record);
    Ok(record.transpose()?)
}

/// Samples a few rows from the random key `start` on and estimates the number of rows.
pub(crate) async fn sample<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    start: &StoreKey,
    limit: usize,
    now: Timestamp,
) -> Result<Sample, Failure> {
    let most = limit.max(Sample::ROWS);
    let (mut live, mut looked) = (ReadableRows::default(), 0);
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

/// Counts the rows; exact if fewer than `most`.
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
    StoreError::corrupt("a key does not have 32 bytes")
}

/// Returns records in key order.
pub(crate) async fn walk<D: Dialect>(
    mut lease: Lease<D>,
    statements: &Statements,
    after: Option<&StoreKey>,
    limit: usize,
) -> Result<ScanPage, Failure> {
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
    Ok(ScanPage {
        records: records?,
        next: next.as_ref().map(Cursor::behind),
    })
}
