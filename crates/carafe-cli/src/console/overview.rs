//! `GET /`: the numbers, and the newest sessions.

use axum::{
    extract::{Extension, State},
    http::StatusCode,
    response::Response,
};
use carafe::Timestamp;

use super::{
    Shared,
    operator::Operator,
    view::{self, Section},
};

/// Sessions on the overview.
const NEWEST: usize = 8;

pub(super) async fn page(
    State(console): State<Shared>,
    Extension(operator): Extension<Operator>,
) -> Response {
    let now = Timestamp::now();
    let answers = async {
        let statistics = console.statistics.get_or_ask(&console.store).await?;
        let newest = console.store.newest(None, NEWEST, now).await?;
        Ok((statistics, newest))
    };
    match answers.await {
        Err(error) => view::trouble(&console, &operator, Section::Overview, &error),
        Ok((statistics, newest)) => {
            console.trend.note(statistics.total, now);
            let trend = console.trend.slots(now);
            let body = view::overview(&console, &statistics, &trend, &newest, now);
            let section = Section::Overview;
            view::page(
                &console,
                &operator,
                StatusCode::OK,
                section,
                "Overview",
                &body,
            )
        }
    }
}
