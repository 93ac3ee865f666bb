//! The responses of the demo: the page, the way back to it, and an error.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};

use super::{
    devices::Devices,
    mode_id::ModeId,
    page::{Page, Problem},
    panel::{Panel, Seen},
    reader::Reader,
    state::Demo,
    view,
    visit::Visit,
};

/// Returns the page with a problem.
pub(super) async fn refused(demo: &Demo, headers: &HeaderMap, problem: Problem) -> Response {
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    page(demo, headers, status, &Reader::default(), Some(problem)).await
}

/// Returns the page.
pub(super) async fn page(
    demo: &Demo,
    headers: &HeaderMap,
    status: StatusCode,
    reader: &Reader,
    problem: Option<Problem>,
) -> Response {
    made(demo, headers, status, reader, problem)
        .await
        .unwrap_or_else(|trouble| unavailable(&trouble))
}

/// Redirects to an anchor of the page.
pub(super) fn back_to(place: &'static str, mut headers: HeaderMap) -> Response {
    headers.insert(header::LOCATION, HeaderValue::from_static(place));
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Returns a 503 for a failed store. The browser keeps its cookies.
pub(super) fn unavailable(trouble: &dyn std::fmt::Display) -> Response {
    let text = format!("The demo cannot do this now: {trouble}\n");
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn made(
    demo: &Demo,
    headers: &HeaderMap,
    status: StatusCode,
    reader: &Reader,
    problem: Option<Problem>,
) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let modes = demo.modes();
    let visit = Visit::begin(&modes, headers).await?;
    let mut seen = visit.turns.each_ref().map(|turn| Seen::of(&turn.session));
    let ended = visit.end(status).await?;
    let mut panels = Vec::new();
    for ((turn, seen), held) in visit.turns.iter().zip(&mut seen).zip(ended.held) {
        panels.push(Panel::new(turn, seen, held, visit.now).await?);
    }
    let [.., stored] = seen;
    let note = stored.device_note();
    let manager = &modes.mode(ModeId::Stored).manager;
    let devices = Devices::of(manager, stored.user, stored.public_id, note, visit.now).await?;
    let page = Page {
        address: &demo.address,
        place: &demo.place,
        panels,
        race: stored.race,
        devices,
        keys: &modes.keys,
        reader,
        log_in: None,
    };
    let html = view::page(&page.with(problem));
    Ok((status, ended.headers, Html(html.into_string())).into_response())
}
