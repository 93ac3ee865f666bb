//! The URL of a store, parsed so that its user information is never printed.
//!
//! Drivers ignore unknown parameters and repeat parts of a URL in their errors. [`StoreUrl`]
//! prevents both: it checks the parameters, and [`StoreUrl::redact`] and `without_user_info` redact
//! the messages of a driver or a server. This module opens no connection. See `transport` for the
//! transport security of a store.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    error::Error,
    fmt::{self, Write as _},
};

/// Parameters that identify the sessions. Others may contain a secret and are not displayed.
const SHOWN: [&str; 3] = ["table", "prefix", "key_prefix"];
/// Parameters that drivers accept in place of a URL's user information.
const USERS: [&str; 2] = ["user", "username"];
const PASSWORDS: [&str; 2] = ["password", "pass"];
/// Words that precede the quoted name of a user in the messages of Postgres and MySQL.
const NAMING: [&str; 4] = ["user ", "User ", "role ", "USER "];
const MASK: &str = "***";
/// Shorter secrets, single words and numbers also occur in ordinary text.
const SHORTEST: usize = 4;
const LONGEST_WORD: usize = 16;

/// The URL of a store: `scheme://user:password@host:port/path?name=value`, or `sqlite:FILE`.
///
/// `Display` and `Debug` show neither the user information nor the driver's parameters.
///
/// ```
/// use carafe_core::store::StoreUrl;
///
/// let text = "postgres://app:secret@db.internal/shop?table=s&sslmode=verify-full";
/// let mut url = StoreUrl::parse(text)?;
/// assert_eq!(url.to_string(), "postgres://db.internal/shop?table=s");
/// url.check_parameters(&["table", "sslmode"])?;
/// assert_eq!(url.take("table").as_deref(), Some("s"));
/// assert!(StoreUrl::parse("postgres://db/shop?tabel=s")?.check_parameters(&["table"]).is_err());
/// # Ok::<(), carafe_core::store::InvalidStoreUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl {
    scheme: String,
    /// Percent-encoded, without its `@`.
    user_info: Option<String>,
    /// The text after the scheme's colon, without user information and parameters.
    place: String,
    /// Names are decoded, values are not.
    parameters: Vec<(String, String)>,
}

/// The reason why a text is not the URL of a store.
///
/// The message never shows a part of the text that may hold user information.
///
/// ```
/// use carafe_core::store::{InvalidStoreUrl, StoreUrl};
///
/// let error = StoreUrl::parse("postgres://app:p#ss@db.internal/shop").unwrap_err();
/// assert_eq!(error, InvalidStoreUrl::Unescaped);
/// assert!(error.to_string().contains("write / as %2F"), "{error}");
/// assert!(!error.to_string().contains("p#ss"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidStoreUrl {
    /// The scheme is missing or does not name this kind of store.
    Scheme(&'static str),
    /// An unescaped `/`, `?`, `#` or `@` makes the URL ambiguous.
    Unescaped,
    /// The host is not a name or address with an optional port.
    Host,
    /// The parameter is unknown.
    Parameter(String),
    /// The parameter occurs more than once.
    Repeated(String),
    /// The value of the parameter is invalid.
    Value {
        /// The parameter.
        name: &'static str,
        /// The possible values of the parameter.
        expected: &'static str,
    },
}

impl StoreUrl {
    /// Parses a URL. The URL of a file (`sqlite:`) has no user information.
    ///
    /// ```
    /// use carafe_core::store::{InvalidStoreUrl, StoreUrl};
    ///
    /// assert_eq!(StoreUrl::parse("sqlite:sessions.db")?.place(), "sessions.db");
    /// let url = StoreUrl::parse("redis://:p%23ss@[::1]:6379/0")?;
    /// assert_eq!((url.scheme(), url.place()), ("redis", "//[::1]:6379/0"));
    /// assert!(matches!(StoreUrl::parse("sessions.db"), Err(InvalidStoreUrl::Scheme(_))));
    /// assert_eq!(StoreUrl::parse("redis://a b/0"), Err(InvalidStoreUrl::Host));
    /// # Ok::<(), InvalidStoreUrl>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidStoreUrl::Unescaped`] if the end of the user information is ambiguous.
    pub fn parse(text: &str) -> Result<Self, InvalidStoreUrl> {
        let (scheme, rest) = text.split_once(':').unwrap_or_default();
        let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(is_scheme) {
            return Err(InvalidStoreUrl::Scheme("it begins with no scheme"));
        }
        let is_file = scheme.ends_with("sqlite");
        let (user_info, rest) = match rest.strip_prefix("//") {
            Some(rest) if !is_file => {
                let (user_info, rest) = split_user_info(rest, scheme.ends_with("unix"))?;
                (user_info, format!("//{rest}"))
            }
            _ => (None, rest.to_owned()),
        };
        let (place, query) = rest.split_once('?').unwrap_or((&rest, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let parameters = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name, true), value.to_owned())
        });
        Ok(Self {
            scheme: scheme.to_owned(),
            user_info: user_info.map(str::to_owned),
            place: place.to_owned(),
            parameters: parameters.collect(),
        })
    }

    /// Returns the scheme, without its colon.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns the same URL under another scheme.
    ///
    /// ```
    /// use carafe_core::store::StoreUrl;
    ///
    /// // Drivers do not know the schemes that select a layout.
    /// let url = StoreUrl::parse("flask-session+redis://cache.internal/0")?;
    /// assert_eq!(url.with_scheme("redis").for_driver(), "redis://cache.internal/0");
    /// # Ok::<(), carafe_core::store::InvalidStoreUrl>(())
    /// ```
    #[must_use]
    pub fn with_scheme(mut self, scheme: &str) -> Self {
        scheme.clone_into(&mut self.scheme);
        self
    }

    /// Returns the text between the scheme's colon and the parameters, without user information.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns the hosts, each with its port if any: several for a cluster or for sentinels.
    ///
    /// ```
    /// use carafe_core::store::StoreUrl;
    ///
    /// let url = StoreUrl::parse("redis-sentinel://:secret@a.internal,b.internal:26380/0")?;
    /// assert!(url.hosts().eq(["a.internal", "b.internal:26380"]));
    /// let first = url.of_host("a.internal").with_scheme("redis");
    /// assert_eq!(first.for_driver(), "redis://:secret@a.internal");
    /// # Ok::<(), carafe_core::store::InvalidStoreUrl>(())
    /// ```
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        let authority = self.place.strip_prefix("//").unwrap_or_default();
        let hosts = authority.split('/').next().unwrap_or_default();
        hosts.split(',').filter(|host| !host.is_empty())
    }

    /// Returns the URL of one of [`StoreUrl::hosts`], without path and parameters.
    ///
    /// The user information stays the same.
    #[must_use]
    pub fn of_host(&self, host: &str) -> Self {
        Self {
            scheme: self.scheme.clone(),
            user_info: self.user_info.clone(),
            place: format!("//{host}"),
            parameters: Vec::new(),
        }
    }

    /// Returns whether the URL contains a user or a password.
    ///
    /// Parameters such as `password` count, too, because drivers accept them:
    ///
    /// ```
    /// use carafe_core::store::StoreUrl;
    ///
    /// let has_user_info = |url: &str| StoreUrl::parse(url).map(|url| url.has_user_info());
    /// assert_eq!(has_user_info("postgres://app@db.internal/shop"), Ok(true));
    /// assert_eq!(has_user_info("postgres://db.internal/shop?password=secret"), Ok(true));
    /// assert_eq!(has_user_info("postgres://db.internal/shop"), Ok(false));
    /// ```
    #[must_use]
    pub fn has_user_info(&self) -> bool {
        self.has_user() || self.has_password()
    }

    /// Returns whether the URL contains a user.
    #[must_use]
    pub fn has_user(&self) -> bool {
        !self.users().is_empty()
    }

    /// Returns whether the URL contains a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        !self.passwords().is_empty()
    }

    /// Returns the decoded value of a parameter.
    ///
    /// ```
    /// use carafe_core::store::StoreUrl;
    ///
    /// let url = StoreUrl::parse("redis://cache.internal/0?prefix=my+shop%3A&prefix=other")?;
    /// assert_eq!(url.parameter("prefix").as_deref(), Some("my shop:"), "the first one");
    /// assert_eq!(url.parameter("table"), None);
    /// # Ok::<(), carafe_core::store::InvalidStoreUrl>(())
    /// ```
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        let found = self.parameters.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| decoded(value, true))
    }

    /// Removes a parameter, so that the driver does not see it, and returns its decoded value.
    ///
    /// ```
    /// use carafe_core::store::StoreUrl;
    ///
    /// let mut url = StoreUrl::parse("postgres://db.internal/shop?table=s&sslmode=require")?;
    /// assert_eq!(url.take("table").as_deref(), Some("s"));
    /// assert_eq!(url.for_driver(), "postgres://db.internal/shop?sslmode=require");
    /// # Ok::<(), carafe_core::store::InvalidStoreUrl>(())
    /// ```
    pub fn take(&mut self, name: &str) -> Option<String> {
        let value = self.parameter(name)?;
        self.parameters.retain(|(key, _)| key != name);
        Some(value)
    }

    /// Rejects parameters that are not `known`.
    ///
    /// A known name that ends with `[` matches all names with this prefix.
    ///
    /// ```
    /// use carafe_core::store::{InvalidStoreUrl, StoreUrl};
    ///
    /// let known = ["table", "options["];
    /// let check = |query: &str| {
    ///     let url = StoreUrl::parse(&format!("postgres://db.internal/shop?{query}"))?;
    ///     url.check_parameters(&known)
    /// };
    /// assert_eq!(check("table=s&options[search_path]=shop"), Ok(()));
    /// let typo = check("tabel=s").unwrap_err().to_string();
    /// assert!(typo.ends_with("has no parameter `tabel`; it takes table, options[…]"), "{typo}");
    /// assert_eq!(check("table=a&table=b"), Err(InvalidStoreUrl::Repeated("table".to_owned())));
    /// ```
    ///
    /// # Errors
    /// [`InvalidStoreUrl::Parameter`], which lists the known ones, and
    /// [`InvalidStoreUrl::Repeated`].
    pub fn check_parameters(&self, known: &[&str]) -> Result<(), InvalidStoreUrl> {
        let is_known = |name: &str| {
            let matches =
                |known: &&str| *known == name || known.ends_with('[') && name.starts_with(*known);
            known.iter().any(matches)
        };
        let mut seen = BTreeSet::new();
        for (name, _) in &self.parameters {
            if !is_known(name) {
                return Err(InvalidStoreUrl::Parameter(unknown(name, known)));
            }
            if !seen.insert(name) {
                return Err(InvalidStoreUrl::Repeated(name.clone()));
            }
        }
        Ok(())
    }

    /// Returns the URL for a driver, with all parameters that were not taken.
    ///
    /// The result contains the user information, so it must never be printed.
    #[must_use]
    pub fn for_driver(&self) -> String {
        let mut text = format!("{}:", self.scheme);
        let place = match (&self.user_info, self.place.strip_prefix("//")) {
            (Some(user_info), Some(rest)) => format!("//{user_info}@{rest}"),
            _ => self.place.clone(),
        };
        text.push_str(&place);
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.extend(name.bytes().map(encoded));
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// Returns `text` from a driver or a server without user information, of this URL or any other.
    ///
    /// Other text stays unchanged: a user or a password that is an ordinary word is only replaced
    /// if the text marks it as the name of a user, or in a URL.
    ///
    /// ```
    /// use carafe_core::store::StoreUrl;
    ///
    /// let url = StoreUrl::parse("postgres://app:s3cr3t%21@db.internal/shop")?;
    /// let error = r#"password authentication failed for user "app" (s3cr3t!)"#;
    /// let redacted = url.redact(error);
    /// assert_eq!(redacted, r#"password authentication failed for user "***" (***)"#);
    /// assert_eq!(url.redact("the app has no table"), "the app has no table");
    /// # Ok::<(), carafe_core::store::InvalidStoreUrl>(())
    /// ```
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for user in &self.users() {
            for (naming, quote) in NAMING
                .iter()
                .flat_map(|naming| [(naming, '"'), (naming, '\'')])
            {
                let named = format!("{naming}{quote}{user}{quote}");
                text = text.replace(&named, &format!("{naming}{quote}{MASK}{quote}"));
            }
        }
        let mut text = without_user_info(&text).into_owned();
        let shown = self.to_string();
        let mut secrets: Vec<String> = self.users().into_iter().chain(self.passwords()).collect();
        // Longest first, because one secret may contain another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        for secret in secrets {
            if is_distinct(&secret) && !tokens(&shown, &secret).any(|_| true) {
                text = replaced(&text, &secret);
            }
        }
        text
    }

    fn users(&self) -> BTreeSet<String> {
        let user = self
            .user_info
            .as_deref()
            .map(|info| info.split(':').next().unwrap_or(info));
        self.forms(user, &USERS)
    }

    fn passwords(&self) -> BTreeSet<String> {
        let info = self
            .user_info
            .as_deref()
            .and_then(|info| info.split_once(':'));
        self.forms(info.map(|(_, password)| password), &PASSWORDS)
    }

    /// Returns a secret as written and in decoded form, as the server knows it.
    fn forms(&self, secret: Option<&str>, names: &[&str]) -> BTreeSet<String> {
        let parameters = self.parameters.iter();
        let parameters = parameters.filter(|(name, _)| names.contains(&name.as_str()));
        let values = parameters.flat_map(|(_, value)| [value.clone(), decoded(value, true)]);
        let written = secret.into_iter();
        let written = written.flat_map(|secret| [secret.to_owned(), decoded(secret, false)]);
        let forms = written.chain(values);
        forms.filter(|form| !form.is_empty()).collect()
    }
}

impl fmt::Display for StoreUrl {
    /// Displays the URL without user information and without the driver's parameters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.scheme, self.place)?;
        let shown = self.parameters.iter();
        let shown = shown.filter(|(name, _)| SHOWN.contains(&name.as_str()));
        for (at, (name, value)) in shown.enumerate() {
            write!(f, "{}{name}={value}", if at == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

impl fmt::Display for InvalidStoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(why) => write!(f, "not the URL of a store: {why}"),
            Self::Unescaped => f.write_str(
                "the URL of the store is ambiguous: in a user, a password or a parameter write / as %2F, ? as %3F, \
                 # as %23 and @ as %40",
            ),
            Self::Host => f.write_str(
                "the URL of the store has no usable host: write host or host:port, an IPv6 address in [ ], and \
                 : / ? # @ in a user or password percent-encoded",
            ),
            Self::Parameter(text) => f.write_str(text),
            Self::Repeated(name) => write!(f, "the URL of the store has the parameter `{name}` more than once"),
            Self::Value { name, expected } => {
                write!(f, "the parameter `{name}` of the URL of the store is {expected}")
            }
        }
    }
}

impl Error for InvalidStoreUrl {}

/// Returns `text` from a driver or a server without information about users.
///
/// Removes the user information of URLs, and the names of users in the messages of Postgres, MySQL
/// and Redis.
#[must_use]
pub(crate) fn without_user_info(text: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(text);
    for quote in ['"', '\''] {
        for naming in NAMING {
            let lead = format!("{naming}{quote}");
            masked(&mut out, &lead, |rest| quoted_length(rest, quote));
        }
    }
    masked(&mut out, "User ", |rest| {
        let length = rest.find(' ')?;
        rest[length..]
            .starts_with(" has no permissions")
            .then_some(length)
    });
    masked(&mut out, "://", |rest| {
        let end = rest.find(|c: char| c.is_whitespace() || c == '"' || c == '`');
        rest[..end.unwrap_or(rest.len())].rfind('@')
    });
    out
}

/// Returns the error of a driver as the source of a [`StoreError`](super::StoreError).
///
/// The source is the error itself. If its text is long, or contains user information of a URL, the
/// source is the start of the text with the user information removed.
///
/// ```
/// use carafe_core::{error::ErrorChain, store::{StoreError, redacted}};
///
/// let driver = std::io::Error::other("cannot connect to redis://app:secret@cache.internal/0");
/// let error = StoreError::unavailable(redacted(driver));
/// assert_eq!(
///     ErrorChain::of(&error).to_string(),
///     "the session store is unavailable: cannot connect to redis://***@cache.internal/0",
/// );
/// ```
#[must_use]
pub fn redacted<E: Error + Send + Sync + 'static>(error: E) -> Box<dyn Error + Send + Sync> {
    let mut start = Start(String::new());
    let is_whole = write!(start, "{error}").is_ok();
    match without_user_info(&start.0) {
        Cow::Borrowed(_) if is_whole => error.into(),
        Cow::Borrowed(text) => format!("{text}…").into(),
        Cow::Owned(text) => text.into(),
    }
}

/// The start of an error's text. The full text may repeat a whole reply.
struct Start(String);

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const MOST: usize = 4_096;
        let mut ends = (0..=text.len().min(MOST - self.0.len().min(MOST))).rev();
        let end = ends.find(|&end| text.is_char_boundary(end)).unwrap_or(0);
        self.0.push_str(&text[..end]);
        match end == text.len() {
            true => Ok(()),
            false => Err(fmt::Error),
        }
    }
}

/// Splits the text after `//` at the `@` that terminates the user information.
fn split_user_info(rest: &str, is_path: bool) -> Result<(Option<&str>, &str), InvalidStoreUrl> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    if is_path && authority.is_empty() {
        return Ok((None, rest));
    }
    // Store URLs have no fragment, so a `#` is part of another component.
    if behind.contains(['@', '#']) {
        return Err(InvalidStoreUrl::Unescaped);
    }
    let (user_info, hosts) = match authority.rsplit_once('@') {
        Some((user_info, hosts)) => (Some(user_info), hosts),
        None => (None, authority),
    };
    if !hosts.split(',').all(is_host) {
        return Err(InvalidStoreUrl::Host);
    }
    let from = authority.len() - hosts.len();
    Ok((user_info, &rest[from..]))
}

fn is_host(host: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || ".-_%".contains(c);
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let is_name = match name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
    {
        Some(address) => address.chars().all(|c| is_part(c) || c == ':'),
        None => name.chars().all(is_part),
    };
    is_name && (port.is_empty() || port.parse::<u16>().is_ok())
}

fn unknown(name: &str, known: &[&str]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let shown = match name.len() <= 32 && name.chars().all(is_plain) {
        true => format!("no parameter `{name}`"),
        false => "no such parameter".to_owned(),
    };
    let known = match known {
        [] => "it takes none".to_owned(),
        known => format!("it takes {}", known.join(", ").replace('[', "[…]")),
    };
    format!("the URL of the store has {shown}; {known}")
}

/// Replaces the text after each `lead` by a mask, unless the text is empty.
///
/// `length` returns the length of the text.
fn masked(text: &mut Cow<'_, str>, lead: &str, length: impl Fn(&str) -> Option<usize>) {
    let mut from = 0;
    while let Some(at) = text[from..].find(lead) {
        from += at + lead.len();
        if let Some(length) = length(&text[from..]).filter(|length| *length > 0) {
            if &text[from..from + length] != MASK {
                text.to_mut().replace_range(from..from + length, MASK);
            }
            from += MASK.len();
        }
    }
}

/// Returns the index of the closing quote.
///
/// The closing quote is the first one at the end of the text or before whitespace or punctuation.
fn quoted_length(rest: &str, quote: char) -> Option<usize> {
    let ends = |at: usize| {
        let next = rest[at + 1..].chars().next();
        next.is_none_or(|c| c.is_whitespace() || "@,;:.)]".contains(c))
    };
    rest.match_indices(quote)
        .map(|(at, _)| at)
        .find(|at| ends(*at))
}

/// Returns whether a secret is unlikely to occur in ordinary text.
fn is_distinct(secret: &str) -> bool {
    let is_word = secret.chars().all(char::is_alphabetic);
    let is_number = secret.chars().all(|c| c.is_ascii_digit());
    secret.len() >= SHORTEST && (!(is_word || is_number) || secret.len() >= LONGEST_WORD)
}

/// Returns the positions of `word` in `text` where it is not part of a longer word.
fn tokens<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let joins = move |one: Option<char>, other: Option<char>| {
        one.is_some_and(is_part) && other.is_some_and(is_part)
    };
    let places = text.match_indices(word).map(|(at, _)| at);
    places.filter(move |at| {
        let (before, behind) = (&text[..*at], &text[at + word.len()..]);
        !joins(before.chars().next_back(), word.chars().next())
            && !joins(word.chars().next_back(), behind.chars().next())
    })
}

fn replaced(text: &str, word: &str) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for at in tokens(text, word) {
        out.push_str(&text[from..at]);
        out.push_str(MASK);
        from = at + word.len();
    }
    out.push_str(&text[from..]);
    out
}

/// Decodes percent escapes; in parameters, a `+` is a space.
fn decoded(text: &str, is_parameter: bool) -> String {
    let (mut out, mut bytes) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, rest @ ..] = bytes {
        let hex = |at: usize| {
            rest.get(at)
                .and_then(|digit| char::from(*digit).to_digit(16))
        };
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                out.extend(u8::try_from(high * 16 + low));
                bytes = &rest[2..];
            }
            (b'+', ..) if is_parameter => {
                out.push(b' ');
                bytes = rest;
            }
            _ => {
                out.push(*first);
                bytes = rest;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Encodes one byte of a parameter's name.
fn encoded(byte: u8) -> Cow<'static, str> {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'[' | b']' | b'.' => {
            char::from(byte).to_string().into()
        }
        _ => format!("%{byte:02X}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> StoreUrl {
        StoreUrl::parse(text).expect("a good URL")
    }

    #[test]
    fn neither_display_nor_debug_shows_user_information() {
        for (url, shown) in [
            ("sqlite:a.db", "sqlite:a.db"),
            ("sqlite://me@home.db", "sqlite://me@home.db"),
            ("redis://:hunter2@h:1/0", "redis://h:1/0"),
            ("redis://hunter2@h", "redis://h"),
            (
                "postgres://hunter2:hunter2@h/db?sslmode=require",
                "postgres://h/db",
            ),
            ("mysql://u:hunter2@hunter2@h/db", "mysql://h/db"),
            ("mysql://hunter%322:hunter%2F2@h/db", "mysql://h/db"),
            (
                "postgres://h/db?password=hunter2&user=hunter2&table=t",
                "postgres://h/db?table=t",
            ),
            (
                "redis+cluster://hunter2:hunter2@a:1,[::1]:2",
                "redis+cluster://a:1,[::1]:2",
            ),
            (
                "redis+unix:///run/a@b?pass=hunter2",
                "redis+unix:///run/a@b",
            ),
        ] {
            assert_eq!(parsed(url).to_string(), shown);
            assert_eq!(format!("{:?}", parsed(url)), format!("StoreUrl({shown})"));
            assert_eq!(parsed(url).for_driver(), url, "the driver gets all of it");
        }
    }

    #[test]
    fn user_information_whose_end_is_a_guess_is_refused_and_not_repeated() {
        for url in [
            "redis://u:SECRET?x@h/0",
            "redis://u:SECRET#x@h/0",
            "redis://u:SECRET/x@h/0",
            "postgres://u:a@SECRET/x@h/db",
            "postgres:///SECRET@h/db",
            "redis://u:SECRET",
            "redis://u:p@h:SECRET/0",
            "redis://h/0#SECRET",
            "redis://u:SECRET@@@[",
            "SECRET",
            "SEC RET://h",
            "postgres://u:p@h/db?SECRET=1&SECRET$=2",
        ] {
            let refused =
                StoreUrl::parse(url).and_then(|url| url.check_parameters(&["a"]).map(|()| url));
            match refused {
                Err(InvalidStoreUrl::Parameter(text)) => {
                    assert!(text.contains("it takes a"), "{text}");
                }
                Err(error) => {
                    let said = format!("{error} {error:?}");
                    assert!(!said.contains("SECRET"), "{said}");
                }
                Ok(url) => panic!("{url} is accepted"),
            }
        }
    }

    #[test]
    fn unknown_parameters_are_refused_with_the_known_ones() {
        let known = ["table", "options["];
        let check = |url: &str| {
            parsed(url)
                .check_parameters(&known)
                .map_err(|error| error.to_string())
        };
        assert_eq!(
            check("postgres://h/db?table=a&options[search_path]=b"),
            Ok(())
        );
        let text = "the URL of the store has no parameter `tabel`; it takes table, options[…]";
        assert_eq!(check("postgres://h/db?tabel=a"), Err(text.to_owned()));
        assert!(check("postgres://h/db?table=a&table=b").is_err());
        assert!(parsed("redis://h?x").check_parameters(&[]).is_err());
    }

    #[test]
    fn parameters_are_decoded_for_us_and_passed_on_as_they_are() {
        let mut url = parsed("postgres://h/db?table=a%5fb&options=-c%20x&application_name=a+b");
        assert_eq!(url.take("table").as_deref(), Some("a_b"));
        assert_eq!(url.take("table"), None);
        assert_eq!(url.parameter("options").as_deref(), Some("-c x"));
        assert_eq!(
            url.for_driver(),
            "postgres://h/db?options=-c%20x&application_name=a+b"
        );
    }

    #[test]
    fn the_user_and_the_password_of_a_url_are_removed_from_what_a_server_says() {
        for (url, said, redacted) in [
            (
                "postgres://postgres:postgres@h/postgres",
                "error: password authentication failed for user \"postgres\"; database \"postgres\"",
                "error: password authentication failed for user \"***\"; database \"postgres\"",
            ),
            ("redis://u:ro@h", "error at h", "error at h"),
            ("redis://u:error@h", "error at h", "error at h"),
            (
                "redis://u:s3cret@h",
                "AUTH s3cret, s3crets",
                "AUTH ***, s3crets",
            ),
            ("mysql://u:a%2Fb+c@h/db", "a/b+c, a%2Fb+c", "***, ***"),
            (
                "mysql://app:x@h",
                "Access denied for user 'app'@'localhost' (using password: YES)",
                "Access denied for user '***'@'localhost' (using password: YES)",
            ),
            (
                "postgres://a%22%20b:x@h",
                "role \"a\" b\" does not exist",
                "role \"***\" does not exist",
            ),
            (
                "redis://h",
                "NOPERM User app has no permissions to run the 'get' command",
                "NOPERM User *** has no permissions to run the 'get' command",
            ),
            (
                "redis://h",
                "at redis://u:p@h:1, at a@b",
                "at redis://***@h:1, at a@b",
            ),
        ] {
            assert_eq!(parsed(url).redact(said), redacted, "{url}");
        }
    }

    #[test]
    fn an_error_without_user_information_keeps_its_type() {
        let kept = redacted(std::io::Error::other("connection refused"));
        assert!(kept.is::<std::io::Error>());
        let masked = redacted(std::io::Error::other(
            "role \"app\" is not permitted to log in",
        ));
        assert_eq!(
            format!("{masked:?}"),
            "\"role \\\"***\\\" is not permitted to log in\""
        );
    }
}
