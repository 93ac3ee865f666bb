//! The cookie crate's signed and private jars, which axum-extra uses; the session as JSON text.

use cookie::{Cookie, CookieJar, Key};
use serde::Deserialize;
use serde_json::Value;

use super::Codec;
use crate::content::SECRET;

const NAME: &str = "session";

/// One of the two jars.
#[derive(Clone, Copy)]
pub(crate) enum Protection {
    Signed,
    Private,
}

/// A jar of one cookie, created for each call, as for each request.
pub(crate) struct Jar {
    key: Key,
    protection: Protection,
}

/// The only key that is read: serde skips the others without building values.
#[derive(Deserialize)]
struct Account {
    account: u64,
}

impl Jar {
    pub(crate) fn new(protection: Protection) -> Self {
        let key = Key::from(SECRET.as_bytes());
        Self { key, protection }
    }

    fn found(&self, cookie: &str) -> Cookie<'static> {
        let mut jar = CookieJar::new();
        jar.add_original(Cookie::new(NAME, cookie.to_owned()));
        let found = match self.protection {
            Protection::Signed => jar.signed(&self.key).get(NAME),
            Protection::Private => jar.private(&self.key).get(NAME),
        };
        found.expect("we sealed it")
    }
}

impl Codec for Jar {
    fn open(&self, cookie: &str) -> usize {
        self.found(cookie).value().len()
    }

    fn read(&self, cookie: &str, _account: &str) -> u64 {
        let found = self.found(cookie);
        let account: Account = serde_json::from_str(found.value()).expect("it is a session");
        account.account
    }

    fn seal(&self, payload: &str) -> String {
        let mut jar = CookieJar::new();
        let cookie = Cookie::new(NAME, payload.to_owned());
        match self.protection {
            Protection::Signed => jar.signed_mut(&self.key).add(cookie),
            Protection::Private => jar.private_mut(&self.key).add(cookie),
        }
        // One copy, like the copy into a header.
        jar.get(NAME).expect("we added it").value().to_owned()
    }

    fn encode(&self, dictionary: &Value) -> String {
        self.seal(&dictionary.to_string())
    }
}
