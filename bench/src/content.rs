//! The content of the measured sessions. Reproducible: all digits are derived from numbers.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A key that every peer accepts; cookie requires 64 bytes.
pub(crate) const SECRET: &str = "4cbd5c8cd0a4e2ed1fd3c9cb6a07c9d1b0ff4d4e1c8f4c5b9e3a2d1c0b9a8f7e";

/// The first user. Every user's number has five digits.
pub(crate) const USER: u64 = 12_345;
const USERS: u64 = 10_000;
pub(crate) const NAME: &str = "alice";
pub(crate) const COUNT: u64 = 7;

/// The session of a logged-in user, as in most requests.
///
/// 44 bytes of JSON and the digits of the token.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Login {
    pub(crate) csrf: String,
    pub(crate) n: u64,
    pub(crate) name: String,
    pub(crate) uid: u64,
}

impl Login {
    /// Returns the session of one browser.
    ///
    /// Sessions differ in their user, and in their token, which has the given number of digits.
    pub(crate) fn of((browser, digits): (u32, usize)) -> Self {
        Self {
            csrf: self::digits(browser.into(), digits),
            n: COUNT,
            name: NAME.to_owned(),
            uid: USER + u64::from(browser) % USERS,
        }
    }
}

pub(crate) const ISSUER: &str = "https://login.example";
pub(crate) const AUDIENCE: &str = "https://api.example";

/// The claims of an access token, as carafe-tokens issues them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct AccessClaims {
    pub(crate) iss: String,
    pub(crate) aud: String,
    pub(crate) sub: String,
    pub(crate) sid: String,
    pub(crate) iat: u64,
    pub(crate) exp: u64,
    pub(crate) jti: String,
}

impl AccessClaims {
    /// Returns the claims of a token that is issued now and valid for a day.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let iat = since.map_or(0, |since| since.as_secs());
        Self {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: NAME.to_owned(),
            sid: digits(1, 22),
            iat,
            exp: iat + 86_400,
            jti: digits(2, 22),
        }
    }
}

/// Sizes of JSON text, as named in the tables.
pub(crate) const SIZES: [(&str, usize); 3] = [("60 B", 60), ("1 KB", 1024), ("3.5 KB", 3584)];

/// The number under the first key of [`dictionary`].
pub(crate) const ACCOUNT: u64 = 12_345;

/// Returns a dictionary with a JSON text of exactly `bytes` bytes.
///
/// The dictionary consists of an account and, from 1 KB on, a list of goods and a long token.
pub(crate) fn dictionary(bytes: usize) -> Value {
    if bytes < 100 {
        return json!({ "account": ACCOUNT, "fresh": true, "token": digits(1, bytes - 41) });
    }
    let with = |goods: &[Value], note: usize| json!({ "account": ACCOUNT, "fresh": true, "goods": goods, "note": "x".repeat(note), "token": digits(1, 500) });
    let mut goods = Vec::new();
    while with(&goods, 0).to_string().len() + 60 < bytes {
        goods.push(item(goods.len() as u64));
    }
    with(&goods, bytes - with(&goods, 0).to_string().len())
}

fn item(number: u64) -> Value {
    let price = format!("{}.{:02}", number * 7 % 90 + 10, number * 37 % 100);
    json!({ "price": price, "quantity": number % 5 + 1, "sku": digits(number + 2, 8) })
}

/// Returns hexadecimal digits without a pattern: Steele's `SplitMix64`, seeded with `start`.
fn digits(start: u64, count: usize) -> String {
    let mut state = start;
    let mut text = String::new();
    while text.len() < count {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        text.push_str(&format!("{:016x}", mixed ^ mixed >> 31));
    }
    text.truncate(count);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_the_size_that_it_is_said_to_have() {
        let text = serde_json::to_string(&Login::of((1, 40))).expect("it is JSON");
        assert_eq!(text.len(), 84);
    }

    #[test]
    fn dictionaries_have_the_size_that_was_asked_for() {
        for (name, bytes) in SIZES {
            assert_eq!(dictionary(bytes).to_string().len(), bytes, "{name}");
        }
    }
}
