//! The `Cookie` and `Set-Cookie` headers.

use carafe_core::{
    clock::Timestamp,
    cookie::{
        CookiePolicy, CookiePolicyBuilder, Grammar, MAX_CANDIDATES, MAX_COOKIE_BYTES,
        MAX_HEADER_BYTES, MAX_PAIRS, Pair, Persistence, RequestCookies, SameSite, SetCookie, pairs,
        sets_cookie, values_of,
    },
};

use super::input::{Input, NOW};

/// Checks `Cookie` headers, one per line.
///
/// The pairs of either grammar are slices of the lines, in order, and have the documented shape;
/// the three readers agree.
pub fn cookie_header(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
    for grammar in [Grammar::Strict, Grammar::Lenient] {
        for line in std::iter::once(data).chain(lines.iter().copied()) {
            pairs_lie_in_order(line, grammar);
        }
        readers_agree(&lines, grammar);
    }
    for line in lines {
        pairs(line, Grammar::Strict).for_each(is_well_formed);
        strict_is_within_lenient(line);
    }
}

fn pairs_lie_in_order(line: &[u8], grammar: Grammar) {
    let (mut at, mut count) = (line.as_ptr().addr(), 0);
    let end = at + line.len();
    for pair in pairs(line, grammar) {
        assert!(!pair.name().is_empty() && !pair.name().contains(&b';'));
        for part in [pair.name(), pair.raw_value()]
            .into_iter()
            .filter(|part| !part.is_empty())
        {
            assert!(part.as_ptr().addr() >= at, "a pair is read twice");
            at = part.as_ptr().addr() + part.len();
        }
        assert!(pair.value().len() <= pair.raw_value().len());
        count += 1;
    }
    assert!(at <= end && count <= MAX_PAIRS);
}

fn is_well_formed(pair: Pair<'_>) {
    let ends = |byte: &u8| b" \t\";".contains(byte);
    assert!(!pair.name().iter().any(|byte| ends(byte) || *byte == b'='));
    match pair.raw_value() {
        [b'"', .., b'"'] => assert!(pair.is_quoted()),
        plain => assert!(!plain.iter().any(ends) && !pair.is_quoted()),
    }
}

/// Checks that the older grammar reads all pairs of the newer one.
///
/// The line must contain neither quotation marks nor control bytes.
fn strict_is_within_lenient(line: &[u8]) {
    if line
        .iter()
        .any(|byte| *byte == b'"' || byte.is_ascii_control())
        || line.len() > MAX_HEADER_BYTES
    {
        return;
    }
    let mut lenient = pairs(line, Grammar::Lenient);
    // The limit counts pairs, and the older grammar reads more of them.
    if lenient.clone().count() < MAX_PAIRS {
        let found = |pair: Pair<'_>| lenient.any(|other| other == pair);
        assert!(pairs(line, Grammar::Strict).all(found));
    }
}

fn readers_agree(lines: &[&[u8]], grammar: Grammar) {
    let cookies = RequestCookies::parse(lines.iter().copied(), grammar);
    assert!(cookies.len() <= MAX_PAIRS);
    let size: usize = lines.iter().map(|line| line.len()).sum();
    if size <= MAX_HEADER_BYTES {
        let all = lines
            .iter()
            .flat_map(|line| pairs(line, grammar))
            .take(MAX_PAIRS);
        let named = all.filter_map(|pair| Some((str::from_utf8(pair.name()).ok()?, pair.value())));
        let named = named.map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()));
        assert!(named.eq(cookies.iter().map(|(name, value)| (name, value.to_owned()))));
    }
    // Each lookup scans all lines, so a few lookups must suffice.
    for (name, value) in cookies.iter().take(8) {
        let all: Vec<_> = cookies.get_all(name).take(MAX_CANDIDATES).collect();
        let found = values_of(lines.iter().copied(), name, grammar);
        assert!(
            found
                .iter()
                .map(|value| String::from_utf8_lossy(value))
                .eq(all)
        );
        assert!(cookies.get_all(name).any(|known| known == value));
    }
}

/// Checks a cookie with arbitrary name, value and attributes.
///
/// The rendered text is one printable header, and both grammars read the value back.
pub fn set_cookie(data: &[u8]) {
    let wish = Wish::read(Input(data));
    if let Ok(text) = wish.cookie().render(NOW) {
        is_one_cookie(&text, &wish.name, &wish.value);
    }
    if let Ok(policy) = wish.policy().build() {
        policy_renders(&policy, &wish.value, wish.at);
    }
}

/// The input of a cookie.
///
/// Two bytes of flags, two times, and one line each for name, domain, path and value.
struct Wish {
    flags: u8,
    same_site: Option<SameSite>,
    age: i64,
    at: i64,
    name: String,
    domain: String,
    path: String,
    value: String,
}

impl Wish {
    fn read(mut input: Input<'_>) -> Self {
        let words = [
            None,
            Some(SameSite::Lax),
            Some(SameSite::Strict),
            Some(SameSite::None),
        ];
        Self {
            flags: input.byte(),
            same_site: words[usize::from(input.byte() & 3)],
            age: input.i64(),
            at: input.i64(),
            name: input.line().into_owned(),
            domain: input.line().into_owned(),
            path: input.line().into_owned(),
            value: String::from_utf8_lossy(input.0).into_owned(),
        }
    }

    fn on(&self, bit: u8) -> bool {
        self.flags >> bit & 1 == 1
    }

    fn cookie(&self) -> SetCookie {
        let mut cookie = SetCookie::new(self.name.clone(), self.value.clone())
            .secure(self.on(0))
            .http_only(self.on(1))
            .partitioned(self.on(2));
        if self.on(3) {
            cookie = cookie.max_age_seconds(self.age);
        }
        if self.on(4) {
            cookie = cookie.expires(Timestamp::from_unix(self.at));
        }
        if self.on(5) {
            cookie = cookie.domain(self.domain.clone());
        }
        if self.on(6) {
            cookie = cookie.path(self.path.clone());
        }
        self.same_site
            .into_iter()
            .fold(cookie, SetCookie::same_site)
    }

    fn policy(&self) -> CookiePolicyBuilder {
        let mut policy = CookiePolicy::builder(self.name.clone())
            .secure(self.on(0))
            .http_only(self.on(1))
            .partitioned(self.on(2))
            .same_site(self.same_site);
        if self.on(5) {
            policy = policy.domain(self.domain.clone());
        }
        if self.on(6) {
            policy = policy.path(self.path.clone());
        }
        policy
    }
}

fn policy_renders(policy: &CookiePolicy, value: &str, at: i64) {
    is_one_cookie(policy.removal(), policy.name(), "");
    let until = Persistence::Expires(Timestamp::from_unix(at));
    for persistence in [Persistence::BrowserSession, Persistence::MaxAge(at), until] {
        if let Ok(text) = policy.set(value, persistence) {
            is_one_cookie(&text, policy.name(), value);
        }
    }
}

fn is_one_cookie(text: &str, name: &str, value: &str) {
    assert!(
        text.bytes().all(|byte| (b' '..0x7f).contains(&byte)),
        "{text:?}"
    );
    assert!(sets_cookie(text.as_bytes(), name));
    let pair = text.split(';').next().unwrap_or_default();
    assert!(pair.len() <= MAX_COOKIE_BYTES + 1);
    for grammar in [Grammar::Strict, Grammar::Lenient] {
        let cookies = RequestCookies::parse([pair.as_bytes()], grammar);
        assert!(cookies.iter().eq([(name, value)]), "{text:?}");
    }
    attributes_are_known(text);
}

fn attributes_are_known(text: &str) {
    let mut attributes: Vec<_> = text
        .split(';')
        .skip(1)
        .map(|part| part.split('=').next())
        .collect();
    let known = [
        "Domain",
        "Expires",
        "HttpOnly",
        "Max-Age",
        "Partitioned",
        "Path",
        "SameSite",
        "Secure",
    ];
    let is_known = |name: &&str| {
        name.strip_prefix(' ')
            .is_some_and(|name| known.contains(&name))
    };
    assert!(attributes.iter().flatten().all(is_known), "{text:?}");
    let count = attributes.len();
    attributes.sort_unstable();
    attributes.dedup();
    assert_eq!(
        attributes.len(),
        count,
        "an attribute stands twice: {text:?}"
    );
}
