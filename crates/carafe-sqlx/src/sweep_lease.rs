//! The lease that lets one of all processes that share the table sweep.

use carafe_core::clock::Timestamp;

use crate::{dialect::Dialect, failure::Failure, lease::Lease, statements::sql};

/// Acquires the lease until $1. $2 is the current time.
///
/// A lease that expires after $3 was acquired under a wrong clock. The row lock serializes
/// concurrent attempts: the second one sees the result of the first.
const CLAIM: &str = "UPDATE carafe_sessions_sweep SET claimed_until = $1 \
     WHERE claimed_until <= $2 OR claimed_until > $3";

pub(crate) async fn sweep<D: Dialect>(
    mut lease: Lease<D>,
    table: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, Failure> {
    let twice = until.saturating_add(until.seconds_since(now));
    let values = [until.into(), now.into(), twice.into()];
    // Runs once per interval, so it is not cached among the store's statements.
    let claimed = D::execute(&mut lease, &sql::<D>(CLAIM, table), &values).await?;
    lease.done();
    Ok(claimed > 0)
}
