//! axum-extra's signed and private cookie jars, with the session as JSON in one cookie.
//!
//! A jar is an extractor, not a layer: a handler without a jar has no cost. To compare with layers,
//! the untouched handler extracts the jar and returns it. The handlers use the session as a
//! dictionary, like Carafe's handlers, or as one fixed struct, which is the fastest that serde
//! supports.

use axum::{
    Router,
    extract::{FromRef, FromRequestParts, Path},
    response::IntoResponseParts,
    routing::get,
};
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar, SignedCookieJar};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::Answer;
use crate::content::{Login, SECRET};

const COOKIE: &str = "session";

pub(crate) fn signed() -> Router {
    site::<SignedCookieJar, Map<String, Value>>()
}

pub(crate) fn signed_struct() -> Router {
    site::<SignedCookieJar, Login>()
}

pub(crate) fn private() -> Router {
    site::<PrivateCookieJar, Map<String, Value>>()
}

pub(crate) fn private_struct() -> Router {
    site::<PrivateCookieJar, Login>()
}

fn site<J, D>() -> Router
where
    J: Jar + FromRequestParts<Keys> + IntoResponseParts + Send + 'static,
    D: Dictionary,
{
    let key = Key::from(SECRET.as_bytes());
    let untouched = async |jar: J| (jar, super::OK);
    let (read, write) = (get(read::<J, D>), get(write::<J, D>));
    // A cookie that contains the session has no id to renew: a login only writes the cookie.
    let routes = super::routes(get(start::<J>), get(untouched), read, write.clone(), write);
    routes.with_state(Keys(key))
}

async fn start<J: Jar>(jar: J, Path(browser): Path<(u32, usize)>) -> (J, Answer) {
    (put(jar, &Login::of(browser)), super::OK)
}

async fn read<J: Jar, D: Dictionary>(jar: J) -> (J, Answer) {
    let verdict = super::verdict(parsed::<D>(&jar).map(|session| session.user()));
    (jar, verdict)
}

async fn write<J: Jar, D: Dictionary>(jar: J) -> (J, Answer) {
    let Some(mut session) = parsed::<D>(&jar) else {
        return (jar, super::verdict(None));
    };
    session.count();
    let verdict = super::verdict(Some(session.user()));
    (put(jar, &session), verdict)
}

fn parsed<D: Dictionary>(jar: &impl Jar) -> Option<D> {
    serde_json::from_str(jar.value()?.value()).ok()
}

fn put<J: Jar>(jar: J, session: &impl Serialize) -> J {
    let text = serde_json::to_string(session).expect("it is JSON");
    jar.with(
        Cookie::build((COOKIE, text))
            .path("/")
            .http_only(true)
            .into(),
    )
}

/// The key in the state from which the jars extract it.
#[derive(Clone)]
struct Keys(Key);

impl FromRef<Keys> for Key {
    fn from_ref(keys: &Keys) -> Self {
        keys.0.clone()
    }
}

/// The two jars have the same methods without a common trait.
trait Jar: Sized {
    fn value(&self) -> Option<Cookie<'static>>;
    fn with(self, cookie: Cookie<'static>) -> Self;
}

impl Jar for SignedCookieJar {
    fn value(&self) -> Option<Cookie<'static>> {
        self.get(COOKIE)
    }

    fn with(self, cookie: Cookie<'static>) -> Self {
        self.add(cookie)
    }
}

impl Jar for PrivateCookieJar {
    fn value(&self) -> Option<Cookie<'static>> {
        self.get(COOKIE)
    }

    fn with(self, cookie: Cookie<'static>) -> Self {
        self.add(cookie)
    }
}

/// The operations of the handlers on a session.
trait Dictionary: Serialize + DeserializeOwned + 'static {
    fn user(&self) -> u64;
    fn count(&mut self);
}

impl Dictionary for Login {
    fn user(&self) -> u64 {
        self.uid
    }

    fn count(&mut self) {
        self.n += 1;
    }
}

impl Dictionary for Map<String, Value> {
    fn user(&self) -> u64 {
        self.get("uid").and_then(Value::as_u64).unwrap_or(0)
    }

    fn count(&mut self) {
        let n = self.get("n").and_then(Value::as_u64).unwrap_or(0);
        self.insert("n".to_owned(), (n + 1).into());
    }
}
