//! Compiles and runs the six lines at the foot of the demo page.

use axum::{Router, routing::get};
use carafe::{
    ClientSide, CookieError, SecretKey, Session, SessionConfig, SessionError, SessionLayer,
};

async fn visits(session: Session) -> Result<String, SessionError> {
    let visits = session.update("visits", |n: Option<u64>| n.unwrap_or(0) + 1)?;
    Ok(format!("visit number {visits}"))
}

fn application(key: SecretKey) -> Result<Router, CookieError> {
    let sessions = SessionLayer::with_config(ClientSide::signed(key), SessionConfig::flask())?;
    let app = Router::new().route("/", get(visits)).layer(sessions);
    Ok(app)
}

#[test]
fn the_page_shows_lines_that_compile() {
    let key = SecretKey::short("flask-spec-secret").unwrap();
    assert!(application(key).is_ok());
    let here: Vec<_> = include_str!("footer_code.rs")
        .lines()
        .map(str::trim)
        .collect();
    for line in include_str!("../../src/view/six_lines.txt").lines() {
        assert!(here.contains(&line.trim()), "{line}");
    }
}
