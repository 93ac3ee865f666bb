//! Whose turn it is to sweep, among all processes on the table.

use carafe_core::clock::Timestamp;

use crate::{dialect::Dialect, failure::Failure, lease::Lease, statements::sql};

/// $1 is the new end, $2 the time; a claim that reaches past $3 was made under a clock that is wrong. The
/// row's lock decides between two that come at once: the second sees what the first has written.
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
    // Once an interval: not worth a place among the store's statements.
    let claimed = D::execute(&mut lease, &sql::<D>(CLAIM, table), &values).await?;
    lease.done();
    Ok(claimed > 0)
}
