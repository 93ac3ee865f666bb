//! Conversions from and to the `cookie` crate's `Cookie`.
//!
//! `cookie::Cookie` prints its value unquoted. The conversion to `Cookie` therefore yields the
//! value as [`SetCookie`] would render it, and the conversion from `Cookie` removes quotation
//! marks.

use ::cookie::{Cookie, Expiration, time::OffsetDateTime};

use super::{
    CookieError, SameSite, SetCookie,
    set_cookie::{append_name_value, clamp_max_age},
    value::unescape,
};
use crate::clock::Timestamp;

/// Keeps all attributes. A `Max-Age` gets no `Expires`, and a missing path stays missing.
///
/// ```
/// use carafe_core::{clock::Timestamp, cookie::SetCookie};
/// let theirs = cookie::Cookie::build(("theme", "dark")).path("/app").secure(true);
/// let ours = SetCookie::from(theirs.build());
/// assert_eq!(ours.render(Timestamp::from_unix(0))?, "theme=dark; Secure; Path=/app");
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
impl From<Cookie<'_>> for SetCookie {
    fn from(theirs: Cookie<'_>) -> Self {
        let mut ours = Self::new(theirs.name(), unquoted(theirs.value())).without_expires();
        ours.max_age = theirs
            .max_age()
            .map(|age| clamp_max_age(age.whole_seconds()));
        ours.expires = theirs
            .expires_datetime()
            .map(|at| Timestamp::from_unix(at.unix_timestamp()));
        ours.attributes.path = theirs.path().map(str::to_owned);
        ours.attributes.domain = theirs.domain().map(str::to_owned);
        ours.attributes.http_only = theirs.http_only().unwrap_or(false);
        ours.attributes.same_site = theirs.same_site().map(SameSite::from);
        ours.attributes.partitioned = theirs.partitioned().unwrap_or(false);
        // As `cookie` prints it: `SameSite=None` implies `Secure` unless `Secure` was set
        // explicitly.
        ours.attributes.secure = theirs
            .secure()
            .unwrap_or(theirs.same_site() == Some(::cookie::SameSite::None));
        ours
    }
}

/// Validates the cookie. The value of the result is the text that would be rendered.
///
/// ```
/// use carafe_core::cookie::SetCookie;
/// let theirs = cookie::Cookie::try_from(SetCookie::new("note", "a;b"))?;
/// assert_eq!(theirs.to_string(), r#"note="a\073b"; Path=/"#);
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
impl TryFrom<SetCookie> for Cookie<'static> {
    type Error = CookieError;

    fn try_from(ours: SetCookie) -> Result<Self, CookieError> {
        let checked = ours.attributes.checked(&ours.name)?;
        let mut text = String::new();
        append_name_value(&ours.name, &ours.value, &mut text)?;
        let value = text.split_off(ours.name.len() + 1);
        let mut theirs = Cookie::new(ours.name, value);
        theirs.set_max_age(ours.max_age.map(::cookie::time::Duration::seconds));
        if let Some(at) = ours.expires {
            theirs.set_expires(Expiration::DateTime(date(at)?));
        }
        checked
            .path
            .into_iter()
            .for_each(|path| theirs.set_path(path));
        checked
            .domain
            .into_iter()
            .for_each(|domain| theirs.set_domain(domain));
        theirs.set_secure(checked.secure);
        theirs.set_http_only(checked.http_only);
        theirs.set_same_site(checked.same_site.map(::cookie::SameSite::from));
        theirs.set_partitioned(checked.partitioned);
        Ok(theirs)
    }
}

impl From<::cookie::SameSite> for SameSite {
    fn from(theirs: ::cookie::SameSite) -> Self {
        match theirs {
            ::cookie::SameSite::Strict => Self::Strict,
            ::cookie::SameSite::Lax => Self::Lax,
            ::cookie::SameSite::None => Self::None,
        }
    }
}

impl From<SameSite> for ::cookie::SameSite {
    fn from(ours: SameSite) -> Self {
        match ours {
            SameSite::Strict => Self::Strict,
            SameSite::Lax => Self::Lax,
            SameSite::None => Self::None,
        }
    }
}

fn unquoted(value: &str) -> String {
    let inside = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let bytes = inside.map_or(value.as_bytes().into(), |inside| {
        unescape(inside.as_bytes())
    });
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Applies the limits of Carafe's own dates, so that both types reject the same times.
fn date(at: Timestamp) -> Result<OffsetDateTime, CookieError> {
    super::http_date(at)?;
    OffsetDateTime::from_unix_timestamp(at.unix())
        .map_err(|_| CookieError::Date { unix: at.unix() })
}

#[cfg(test)]
mod tests {
    use ::cookie::Cookie;
    use proptest::prelude::*;

    use super::{SameSite, SetCookie};
    use crate::clock::Timestamp;

    proptest! {
        #[test]
        fn there_and_back_is_the_same_cookie(value in any::<String>(), age in prop::option::of(-9_i64..9), secure: bool) {
            let mut ours = SetCookie::new("k", value).secure(secure).same_site(SameSite::Strict).without_expires();
            ours.max_age = age;
            let back = SetCookie::from(Cookie::try_from(ours.clone()).unwrap());
            prop_assert_eq!(back, ours);
        }
    }

    #[test]
    fn a_conversion_to_the_cookie_crate_refuses_injections() {
        assert!(Cookie::try_from(SetCookie::new("a;b", "")).is_err());
        assert!(Cookie::try_from(SetCookie::new("a", "").domain("b; Secure")).is_err());
        assert!(
            Cookie::try_from(SetCookie::new("a", "").expires(Timestamp::from_unix(i64::MAX)))
                .is_err()
        );
    }

    #[test]
    fn all_attributes_of_a_foreign_cookie_are_kept() {
        let text = "k=v; HttpOnly; SameSite=None; Secure; Path=/p; Domain=a.example; Max-Age=5; Expires=Tue, 14 Nov 2023 22:13:20 GMT";
        let ours = SetCookie::from(Cookie::parse(text).unwrap());
        let want = "k=v; Domain=a.example; Expires=Tue, 14 Nov 2023 22:13:20 GMT; Max-Age=5; Secure; HttpOnly; Path=/p; SameSite=None";
        assert_eq!(ours.render(Timestamp::from_unix(0)).unwrap(), want);
    }
}
