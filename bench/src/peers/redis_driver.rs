//! The usual Redis driver alone: one `GET` to read, a `GET` and a `SET` to write.
//!
//! The cost that remains if a session library adds nothing but its round trips.

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use carafe_redis::redis::{AsyncTypedCommands, Client, aio::MultiplexedConnection};

use super::Answer;
use crate::{content::Login, harness::Outcome};

pub(crate) async fn alone(url: &str) -> Outcome<Router> {
    let connection = Client::open(url)?
        .get_multiplexed_async_connection()
        .await?;
    let untouched = async || super::OK;
    let routes = super::routes(
        get(start),
        get(untouched),
        get(read),
        get(write),
        get(write),
    );
    Ok(routes.with_state(connection))
}

async fn start(
    State(mut redis): State<MultiplexedConnection>,
    Path(browser): Path<(u32, usize)>,
) -> impl IntoResponse {
    let name = format!("browser={}", browser.0);
    let text = serde_json::to_string(&Login::of(browser)).expect("it is JSON");
    let answer: Answer = redis
        .set(&name, text)
        .await
        .map_or_else(failed, |()| super::OK);
    ([(header::SET_COOKIE, name)], answer)
}

async fn read(State(mut redis): State<MultiplexedConnection>, headers: HeaderMap) -> Answer {
    text_of(&mut redis, &headers).await.and(super::OK)
}

async fn write(State(mut redis): State<MultiplexedConnection>, headers: HeaderMap) -> Answer {
    let text = text_of(&mut redis, &headers).await?;
    let set = redis.set(name_of(&headers), text).await;
    set.map_or_else(failed, |()| super::OK)
}

async fn text_of(
    redis: &mut MultiplexedConnection,
    headers: &HeaderMap,
) -> Result<String, StatusCode> {
    let found = redis.get(name_of(headers)).await;
    found
        .ok()
        .flatten()
        .ok_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn name_of(headers: &HeaderMap) -> &[u8] {
    headers
        .get(header::COOKIE)
        .map_or(&[], |cookie| cookie.as_bytes())
}

fn failed<E>(_: E) -> Answer {
    Err(StatusCode::INTERNAL_SERVER_ERROR)
}
