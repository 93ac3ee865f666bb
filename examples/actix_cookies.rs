//! Sets, gets and deletes cookies and session values, with actix-web.
//!
//! ```text
//! SECRET_KEY=$(cargo run -q --bin carafe -- key) cargo run --example actix_cookies
//! curl -i http://127.0.0.1:5000/set_session
//! ```

use std::{process::ExitCode, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, Responder, get, web::Html};
use anyhow::{Context, Result};
use carafe_actix::{
    ClientSide, Cookies, SecretKey, Session, SessionConfig, SessionError, SessionMiddleware,
    SetCookie,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Info {
    name: String,
    age: u8,
}

#[get("/set_cookie")]
async fn set_cookie() -> impl Responder {
    let for_the_browser_session = SetCookie::new("username", "xiaoming");
    let for_half_a_minute = SetCookie::new("user", "xiaoming").max_age(Duration::from_secs(30));
    Html::new("默认首页")
        .customize()
        .append_header(for_the_browser_session)
        .append_header(for_half_a_minute)
}

#[get("/get_cookie")]
async fn get_cookie(cookies: Cookies) -> Html {
    let value = |name| cookies.get(name).unwrap_or("None");
    println!("username={},user={}", value("username"), value("user"));
    Html::new("get cookie")
}

#[get("/del_cookie")]
async fn del_cookie() -> impl Responder {
    let removal = SetCookie::removal("answer");
    Html::new("Delete cookie")
        .customize()
        .append_header(removal)
}

/// A response builder accepts cookies too.
#[get("/del_cookie2")]
async fn del_cookie2() -> HttpResponse {
    let expired = |name| SetCookie::new(name, "").max_age(Duration::ZERO);
    HttpResponse::Ok()
        .append_header(expired("user"))
        .append_header(expired("username"))
        .content_type("text/html; charset=utf-8")
        .body("del cookie")
}

#[get("/set_session")]
async fn set_session(session: Session) -> Result<Html, SessionError> {
    session.insert("username", "xiaoming")?;
    let info = Info {
        name: "xiaohong".to_owned(),
        age: 16,
    };
    session.insert("info", &info)?;
    Ok(Html::new("set_session"))
}

#[get("/get_session")]
async fn get_session(session: Session) -> Result<Html, SessionError> {
    match session.get::<String>("username")? {
        Some(username) => println!("{username}"),
        None => println!("None"),
    }
    match session.get::<Info>("info")? {
        Some(Info { name, age }) => println!("{{'age': {age}, 'name': '{name}'}}"),
        None => println!("None"),
    }
    Ok(Html::new("get session"))
}

#[get("/del_session")]
async fn del_session(session: Session) -> Result<Html, SessionError> {
    session.remove("username")?;
    session.remove("info")?;
    Ok(Html::new("del_session"))
}

#[actix_web::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let key = SecretKey::short(
        std::env::var("SECRET_KEY")
            .ok()
            .context("set SECRET_KEY; `carafe key` makes one")?,
    )?;
    let sessions = SessionMiddleware::with_config(ClientSide::signed(key), SessionConfig::flask())?;
    let app = move || {
        App::new()
            .wrap(sessions.clone())
            .service((set_cookie, get_cookie, del_cookie, del_cookie2))
            .service((set_session, get_session, del_session))
    };

    let port = std::env::var("PORT").unwrap_or_else(|_| "5000".to_owned());
    let server = HttpServer::new(app).bind(format!("127.0.0.1:{port}"))?;
    println!("listening on http://{}", server.addrs()[0]);
    Ok(server.run().await?)
}
