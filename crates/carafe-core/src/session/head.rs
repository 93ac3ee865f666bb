//! What the end of a request writes into the head of its response, in whatever type a framework keeps it.
//!
//! An adapter implements [`ResponseHead`] for its framework's header map; which field gets what is decided here.

use super::{CommitError, Effects, vary_with_cookie};
use crate::cookie::sets_cookie;

/// A header field that the end of a request may touch. Exhaustive: an adapter names each of them, and a new one must not
/// pass unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `Cache-Control`
    CacheControl,
    /// `Retry-After`
    RetryAfter,
    /// `Set-Cookie`
    SetCookie,
    /// `Vary`
    Vary,
}

/// The head of a response. Values are text without control characters.
pub trait ResponseHead {
    /// The values of a field, in order.
    fn values(&self, field: Field) -> impl Iterator<Item = &[u8]>;

    /// Adds a value behind those that are there.
    fn append(&mut self, field: Field, value: String);

    /// Takes away what is there, and sets this one.
    fn replace(&mut self, field: Field, value: String);

    /// Sets this value unless the field is there already. Whether it was.
    fn set_if_absent(&mut self, field: Field, value: &'static str) -> bool;

    /// Takes those values away that are not to be kept; the others stay in order.
    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool);
}

impl Effects {
    /// Writes them into the response's head. `cookie` is the name of the session's cookie.
    #[inline]
    pub fn apply(self, head: &mut impl ResponseHead, cookie: &str) {
        if let Some(text) = self.set_cookie {
            set_cookie(head, cookie, text, self.gives_way);
        }
        if self.vary_cookie && head.set_if_absent(Field::Vary, "Cookie") {
            let lines = head.values(Field::Vary);
            let merged = vary_with_cookie(lines.filter_map(|line| str::from_utf8(line).ok()));
            if let Some(merged) = merged {
                head.replace(Field::Vary, merged);
            }
        }
        if self.no_store {
            head.set_if_absent(Field::CacheControl, "no-store");
        }
    }
}

/// A response has one `Set-Cookie` of a name (RFC 6265bis §4.1.1); those of other names stay, in order.
fn set_cookie(head: &mut impl ResponseHead, cookie: &str, text: String, gives_way: bool) {
    let is_ours = |value: &[u8]| sets_cookie(value, cookie);
    if head.values(Field::SetCookie).any(is_ours) {
        if gives_way {
            return;
        }
        head.retain(Field::SetCookie, |value| !is_ours(value));
    }
    head.append(Field::SetCookie, text);
}

impl CommitError {
    /// Makes an empty head that of the answer which takes the place of the handler's, with one log event; the
    /// answer's status. Nothing of the handler's belongs into it: that would claim what did not happen.
    #[must_use]
    pub fn answer(self, head: &mut impl ResponseHead) -> u16 {
        tracing::error!("the session was not saved, so the response was replaced: {self}");
        head.set_if_absent(Field::CacheControl, "no-store");
        let status = self.status();
        if status == 503 {
            head.set_if_absent(Field::RetryAfter, "1");
        }
        if let Self::Store {
            set_cookie: Some(removal),
            ..
        } = self
        {
            head.append(Field::SetCookie, removal);
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{clock::Timestamp, cookie::SetCookie};

    /// A head as a list.
    #[derive(Default)]
    struct Lines(Vec<(Field, String)>);

    impl ResponseHead for Lines {
        fn values(&self, field: Field) -> impl Iterator<Item = &[u8]> {
            let ours = self.0.iter().filter(move |(name, _)| *name == field);
            ours.map(|(_, value)| value.as_bytes())
        }

        fn append(&mut self, field: Field, value: String) {
            self.0.push((field, value));
        }

        fn replace(&mut self, field: Field, value: String) {
            self.retain(field, |_| false);
            self.append(field, value);
        }

        fn set_if_absent(&mut self, field: Field, value: &'static str) -> bool {
            let is_there = self.values(field).next().is_some();
            if !is_there {
                self.append(field, value.to_owned());
            }
            is_there
        }

        fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
            self.0
                .retain(|(name, value)| *name != field || keep(value.as_bytes()));
        }
    }

    fn ours(gives_way: bool) -> Effects {
        Effects {
            set_cookie: Some("s=ours".to_owned()),
            gives_way,
            ..Effects::default()
        }
    }

    proptest! {
        #[test]
        fn ckw_6_one_cookie_of_our_name_is_left_and_foreign_ones_stay(
            headers in prop::collection::vec(("[sa]{1,2}", ".*").prop_map(|(n, v)| {
                SetCookie::new(n, v).render(Timestamp::from_unix(0)).unwrap()
            }), 0..8),
        ) {
            let set = |gives_way| {
                let lines = headers.iter().map(|line| (Field::SetCookie, line.clone()));
                let mut head = Lines(lines.collect());
                ours(gives_way).apply(&mut head, "s");
                head.0.into_iter().map(|(_, line)| line).collect::<Vec<_>>()
            };
            let mut replaced = headers.clone();
            replaced.retain(|line| !line.starts_with("s="));
            let is_there = replaced.len() < headers.len();
            replaced.push("s=ours".to_owned());
            prop_assert_eq!(set(false), replaced.clone());
            prop_assert_eq!(set(true), if is_there { headers } else { replaced });
        }
    }
}
