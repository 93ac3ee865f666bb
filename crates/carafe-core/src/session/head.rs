//! Writes a session's header changes into a response's head, independent of the framework.
//!
//! An adapter implements [`ResponseHead`] for its framework's header map. This module decides the
//! values of the fields.

use std::error::Error;

use super::{CommitError, HeaderChanges, TokenHeader, header_changes::vary_with};
use crate::{
    cookie::{is_same_cookie, sets_cookie},
    error::{ErrorChain, Fault},
};

/// The further header of `Vary` that has a constant for a response without `Vary`.
const AUTHORIZATION: &str = "Authorization";

/// A header field that a commit may change.
///
/// Exhaustive, so that adapters fail to compile if a field is added.
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
///
/// An implementation for a list of lines, and the response to a request without a valid token:
///
/// ```
/// use carafe_core::session::{BearerChallenge, Field, ResponseHead};
///
/// #[derive(Default)]
/// struct Head(Vec<(String, String)>);
///
/// fn name(field: Field) -> &'static str {
///     match field {
///         Field::CacheControl => "cache-control",
///         Field::RetryAfter => "retry-after",
///         Field::SetCookie => "set-cookie",
///         Field::Vary => "vary",
///     }
/// }
///
/// impl ResponseHead for Head {
///     fn values(&self, field: Field) -> impl Iterator<Item = &[u8]> {
///         let lines = self.0.iter().filter(move |(known, _)| known == name(field));
///         lines.map(|(_, value)| value.as_bytes())
///     }
///
///     fn append(&mut self, field: Field, value: String) {
///         self.0.push((name(field).to_owned(), value));
///     }
///
///     fn replace(&mut self, field: Field, value: String) {
///         self.set(name(field), value);
///     }
///
///     fn set_if_absent(&mut self, field: Field, value: &'static str) -> bool {
///         let is_present = self.contains(name(field));
///         if !is_present {
///             self.append(field, value.to_owned());
///         }
///         is_present
///     }
///
///     fn contains(&self, name: &str) -> bool {
///         self.0.iter().any(|(known, _)| known == name)
///     }
///
///     fn set(&mut self, name: &str, value: String) {
///         self.0.retain(|(known, _)| known != name);
///         self.0.push((name.to_owned(), value));
///     }
///
///     fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
///         self.0.retain(|(known, value)| known != name(field) || keep(value.as_bytes()));
///     }
/// }
///
/// let mut head = Head::default();
/// let status = BearerChallenge::InvalidToken.response("shop").answer(&mut head);
/// assert_eq!(status, 401);
/// assert_eq!(head.0[0].1, r#"Bearer realm="shop", error="invalid_token""#);
/// assert_eq!(head.values(Field::CacheControl).next(), Some(&b"no-store"[..]));
/// ```
pub trait ResponseHead {
    /// Returns the values of a field, in order.
    fn values(&self, field: Field) -> impl Iterator<Item = &[u8]>;

    /// Appends a value after existing ones.
    fn append(&mut self, field: Field, value: String);

    /// Replaces all values of a field.
    fn replace(&mut self, field: Field, value: String);

    /// Sets the value unless the field is present. Returns whether the field was present.
    fn set_if_absent(&mut self, field: Field, value: &'static str) -> bool;

    /// Returns whether a header is present. `name` is in lower case.
    fn contains(&self, name: &str) -> bool;

    /// Replaces all values of the header `name`, which is in lower case.
    fn set(&mut self, name: &str, value: String);

    /// Retains only the values for which `keep` returns `true`, in order.
    fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool);
}

impl HeaderChanges {
    /// Writes the changes into the response's head. `cookie` is the name of the session's cookie.
    #[inline]
    pub fn apply(self, head: &mut impl ResponseHead, cookie: &str) {
        if let Some(text) = self.set_cookie {
            set_cookie(
                head,
                cookie,
                text,
                self.only_if_unset,
                self.former_removals.as_deref(),
            );
        }
        if let Some(text) = self.remember_cookie {
            let name = text.split('=').next().unwrap_or_default().to_owned();
            set_cookie(head, &name, text, true, None);
        }
        if let Some(TokenHeader { name, value }) = self.token
            && !(self.only_if_unset && head.contains(&name))
        {
            head.set(&name, value);
        }
        if let Some(value) = self.clear_site_data
            && !head.contains("clear-site-data")
        {
            head.set("clear-site-data", value.to_string());
        }
        let further = self.vary_headers.as_deref().unwrap_or_default();
        let whole = match (self.vary_cookie, further) {
            (true, []) => Some("Cookie"),
            (true, [only]) if only == AUTHORIZATION => Some("Cookie, Authorization"),
            (false, [only]) if only == AUTHORIZATION => Some(AUTHORIZATION),
            _ => None,
        };
        let is_merged = match whole {
            Some(whole) => head.set_if_absent(Field::Vary, whole),
            None => !further.is_empty(),
        };
        if is_merged {
            let cookie = self.vary_cookie.then_some("Cookie").into_iter();
            let names = cookie.chain(further.iter().map(String::as_str));
            let lines = head.values(Field::Vary);
            let merged = vary_with(lines.filter_map(|line| str::from_utf8(line).ok()), names);
            if let Some(merged) = merged {
                head.replace(Field::Vary, merged);
            }
        }
        if self.no_store {
            head.set_if_absent(Field::CacheControl, "no-store");
        }
    }
}

/// Sets a cookie. A response has at most one `Set-Cookie` per cookie (RFC 6265bis §4.1.1).
///
/// Cookies with other names are kept, in order. Cookies with the same name for another domain, path
/// or partition are different cookies and are kept, too.
fn set_cookie(
    head: &mut impl ResponseHead,
    cookie: &str,
    text: String,
    only_if_unset: bool,
    former: Option<&[String]>,
) {
    let is_named = |value: &[u8]| sets_cookie(value, cookie);
    if head.values(Field::SetCookie).any(is_named) {
        if only_if_unset {
            return;
        }
        head.retain(Field::SetCookie, |value| {
            !is_same_cookie(value, text.as_bytes())
        });
    }
    head.append(Field::SetCookie, text);
    for removal in former.unwrap_or_default() {
        head.append(Field::SetCookie, removal.clone());
    }
}

/// Logs an error and writes the headers of its response.
pub(crate) fn answer_error(
    error: &(dyn Error + 'static),
    fault: Fault,
    head: &mut impl ResponseHead,
) {
    tracing::error!("{}", ErrorChain::of(error));
    head.set_if_absent(Field::CacheControl, "no-store");
    if fault == Fault::Store {
        head.set_if_absent(Field::RetryAfter, "1");
    }
}

impl CommitError {
    /// Writes the replacement response into an empty head and logs one event. Returns the status.
    ///
    /// The head must not contain the handler's headers, because they would claim a change that did
    /// not happen.
    #[must_use]
    pub fn answer(&self, head: &mut impl ResponseHead) -> u16 {
        let error = ErrorChain::of(self);
        tracing::error!("the session was not saved, so the response was replaced: {error}");
        head.set_if_absent(Field::CacheControl, "no-store");
        let status = self.status();
        if self.fault() == Fault::Store {
            head.set_if_absent(Field::RetryAfter, "1");
        }
        if let Self::Store {
            set_cookie,
            remember_cookie,
            token,
            ..
        } = self
        {
            if let Some(TokenHeader { name, value }) = token {
                head.set(name, value.clone());
            }
            for removal in set_cookie.iter().chain(remember_cookie) {
                head.append(Field::SetCookie, removal.clone());
            }
        }
        status
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{clock::Timestamp, cookie::SetCookie};

    /// A head as a list of fields.
    #[derive(Default)]
    struct Lines(Vec<(Field, String)>, Vec<(String, String)>);

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

        fn contains(&self, name: &str) -> bool {
            self.1.iter().any(|(known, _)| known == name)
        }

        fn set(&mut self, name: &str, value: String) {
            self.1.retain(|(known, _)| known != name);
            self.1.push((name.to_owned(), value));
        }

        fn retain(&mut self, field: Field, keep: impl Fn(&[u8]) -> bool) {
            self.0
                .retain(|(name, value)| *name != field || keep(value.as_bytes()));
        }
    }

    fn ours(gives_way: bool) -> HeaderChanges {
        HeaderChanges {
            set_cookie: Some("s=ours".to_owned()),
            only_if_unset: gives_way,
            ..HeaderChanges::default()
        }
    }

    #[test]
    fn vary_lists_the_headers_of_every_transport_beside_the_handlers() {
        for (vary_cookie, further, existing, expected) in [
            (false, &[][..], None, None),
            (true, &[], None, Some("Cookie")),
            (
                true,
                &["Authorization"],
                None,
                Some("Cookie, Authorization"),
            ),
            (false, &["Authorization"], None, Some("Authorization")),
            (false, &["x-a"], None, Some("x-a")),
            (
                true,
                &["Authorization", "x-a"],
                None,
                Some("Cookie, Authorization, x-a"),
            ),
            (
                false,
                &["Authorization"],
                Some("Accept"),
                Some("Accept, Authorization"),
            ),
            (
                true,
                &["Authorization"],
                Some("cookie"),
                Some("cookie, Authorization"),
            ),
            (
                true,
                &["Authorization"],
                Some("authorization, Cookie"),
                Some("authorization, Cookie"),
            ),
        ] {
            let mut head = Lines::default();
            if let Some(existing) = existing {
                head.append(Field::Vary, existing.to_owned());
            }
            let further = further.iter().map(|name| (*name).to_owned());
            let changes = HeaderChanges {
                vary_cookie,
                vary_headers: Some(further.collect()),
                ..HeaderChanges::default()
            };
            changes.apply(&mut head, "s");
            let found: Vec<_> = head.values(Field::Vary).collect();
            let expected: Vec<_> = expected.iter().map(|vary| vary.as_bytes()).collect();
            assert_eq!(found, expected, "{vary_cookie} {existing:?}");
        }
    }

    #[test]
    fn cookies_of_the_same_name_and_another_scope_stay() {
        let removal = "s=; Max-Age=0; Path=/app; Domain=example.com";
        let mut head = Lines::default();
        head.append(Field::SetCookie, removal.to_owned());
        head.append(Field::SetCookie, "s=theirs; Path=/".to_owned());
        let mut effects = ours(false);
        effects.set_cookie = Some("s=ours; Path=/".to_owned());
        effects.former_removals = Some(["s=; Max-Age=0; Path=/old".to_owned()].into());
        effects.apply(&mut head, "s");
        let lines: Vec<_> = head.0.into_iter().map(|(_, line)| line).collect();
        assert_eq!(
            lines,
            [removal, "s=ours; Path=/", "s=; Max-Age=0; Path=/old"]
        );
    }

    proptest! {
        #[test]
        fn one_cookie_of_our_name_is_left_and_foreign_ones_stay(
            headers in prop::collection::vec(("[sa]{1,2}", ".*").prop_map(|(n, v)| {
                SetCookie::new(n, v).render(Timestamp::from_unix(0)).unwrap()
            }), 0..8),
        ) {
            let set = |gives_way| {
                let lines = headers.iter().map(|line| (Field::SetCookie, line.clone()));
                let mut head = Lines(lines.collect(), Vec::new());
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
