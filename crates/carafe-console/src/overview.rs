//! `GET /`: the numbers and the newest sessions.

use axum::{extract::Extension, http::StatusCode, response::Response};
use carafe_core::clock::Timestamp;

use crate::{
    context::Context,
    view::{self, Section},
};

/// Number of sessions on the overview.
const NEWEST: usize = 8;

pub(super) async fn page(Extension(context): Extension<Context>) -> Response {
    let now = Timestamp::now();
    let answers = async {
        let statistics = context.statistics.get_or_ask(&context.store).await?;
        let newest = context.store.newest(None, NEWEST, now).await?;
        Ok((statistics, newest))
    };
    match answers.await {
        Err(error) => view::trouble(&context, Section::Overview, &error),
        Ok((statistics, newest)) => {
            context.trend.note(statistics.total, now);
            let trend = context.trend.slots(now);
            let body = view::overview(&context, &statistics, &trend, &newest, now);
            let section = Section::Overview;
            view::page(&context, StatusCode::OK, section, "Overview", &body)
        }
    }
}
