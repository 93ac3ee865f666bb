//! actix-web-httpauth: its extractor of bearer tokens, over a map of sessions.
//!
//! The crate reads the header and leaves the rest to the application: here one lock, one map from
//! tokens as they are, and a fixed struct. There is no expiry, no hash and no merge.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use actix_web::{
    App, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use actix_web_httpauth::extractors::bearer::BearerAuth;
use base64_simd::URL_SAFE_NO_PAD;

use super::{
    TOKEN,
    actix_alone::{Routes, Site, started, verdict},
};
use crate::content::Login;

type Sessions = Mutex<HashMap<String, Login>>;

pub(crate) fn in_a_map() -> Site {
    let routes = Routes {
        start,
        read,
        write,
        log_in,
    };
    started(
        App::new()
            .app_data(Data::new(Sessions::default()))
            .configure(|config| routes.add(config)),
    )
}

fn lock(sessions: &Sessions) -> MutexGuard<'_, HashMap<String, Login>> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn start(sessions: Data<Sessions>, browser: Path<(u32, usize)>) -> HttpResponse {
    begin(&sessions, Login::of(browser.into_inner()))
}

async fn read(sessions: Data<Sessions>, auth: BearerAuth) -> (&'static str, StatusCode) {
    let user = lock(&sessions).get(auth.token()).map(|login| login.uid);
    verdict(user)
}

async fn write(sessions: Data<Sessions>, auth: BearerAuth) -> (&'static str, StatusCode) {
    let mut sessions = lock(&sessions);
    let user = sessions.get_mut(auth.token()).map(|login| {
        login.n += 1;
        login.uid
    });
    verdict(user)
}

async fn log_in(sessions: Data<Sessions>, auth: BearerAuth) -> HttpResponse {
    let login = lock(&sessions).remove(auth.token());
    let login = login.expect("the client has a session");
    begin(&sessions, login)
}

/// Stores a session under a new token and returns the token.
fn begin(sessions: &Sessions, login: Login) -> HttpResponse {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    let token = URL_SAFE_NO_PAD.encode_to_string(bytes);
    lock(sessions).insert(token.clone(), login);
    HttpResponse::Ok().insert_header((TOKEN, token)).body("ok")
}
