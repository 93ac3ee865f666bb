//! Public suffixes: domains below which unrelated parties register names.
//!
//! Browsers drop a cookie for a public suffix (RFC 6265bis §5.7, step 9).
//!
//! Browsers use the Public Suffix List, ten thousand entries that change every week. This module
//! contains a fixed part of the list: the second levels of the large country registries, and
//! hosting platforms. (Top-level domains are rejected because they contain no dot.) For a suffix
//! that is missing here, the policy builds, and the browser drops the cookie.

/// Second levels of registries that register names on the third level.
const REGISTRIES: [(&str, &[&str]); 30] = [
    ("ar", &["com", "edu", "gob", "net", "org"]),
    ("au", &["asn", "com", "edu", "gov", "id", "net", "org"]),
    ("bd", &["com", "edu", "gov", "net", "org"]),
    (
        "br",
        &[
            "app", "art", "blog", "com", "dev", "edu", "gov", "net", "org",
        ],
    ),
    ("cn", &["ac", "com", "edu", "gov", "net", "org"]),
    ("co", &["com", "edu", "gov", "net", "org"]),
    ("eg", &["com", "edu", "gov", "net", "org"]),
    ("hk", &["com", "edu", "gov", "idv", "net", "org"]),
    ("id", &["ac", "co", "go", "net", "or", "sch", "web"]),
    ("il", &["ac", "co", "gov", "net", "org"]),
    (
        "in",
        &["ac", "co", "edu", "firm", "gov", "ind", "net", "org"],
    ),
    (
        "jp",
        &["ac", "ad", "co", "ed", "go", "gr", "lg", "ne", "or"],
    ),
    ("ke", &["ac", "co", "go", "ne", "or"]),
    ("kr", &["ac", "co", "go", "ne", "or", "pe", "re"]),
    ("mx", &["com", "edu", "gob", "net", "org"]),
    ("my", &["com", "edu", "gov", "net", "org"]),
    ("ng", &["com", "edu", "gov", "net", "org"]),
    (
        "nz",
        &[
            "ac", "co", "geek", "govt", "kiwi", "maori", "net", "org", "school",
        ],
    ),
    ("pe", &["com", "edu", "gob", "net", "org"]),
    ("ph", &["com", "edu", "gov", "net", "org"]),
    ("pk", &["com", "edu", "gov", "net", "org"]),
    ("sa", &["com", "edu", "gov", "net", "org"]),
    ("sg", &["com", "edu", "gov", "net", "org", "per"]),
    ("th", &["ac", "co", "go", "in", "net", "or"]),
    ("tr", &["com", "edu", "gov", "net", "org", "web"]),
    ("tw", &["com", "edu", "gov", "idv", "net", "org"]),
    ("ua", &["com", "edu", "gov", "in", "net", "org"]),
    (
        "uk",
        &[
            "ac", "co", "gov", "ltd", "me", "net", "nhs", "org", "plc", "police", "sch",
        ],
    ),
    ("vn", &["com", "edu", "gov", "net", "org"]),
    ("za", &["ac", "co", "gov", "net", "org", "web"]),
];

/// Platforms that give each application a subdomain.
const PLATFORMS: [&str; 32] = [
    "a.run.app",
    "amplifyapp.com",
    "appspot.com",
    "azurestaticapps.net",
    "azurewebsites.net",
    "cloudapp.azure.com",
    "cloudfront.net",
    "deno.dev",
    "elasticbeanstalk.com",
    "eu.pythonanywhere.com",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "githubpreview.dev",
    "gitlab.io",
    "herokuapp.com",
    "koyeb.app",
    "netlify.app",
    "ngrok-free.app",
    "ngrok-free.dev",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "onrender.com",
    "ondigitalocean.app",
    "pages.dev",
    "pythonanywhere.com",
    "up.railway.app",
    "vercel.app",
    "web.app",
    "workers.dev",
    "trycloudflare.com",
];

/// Returns whether `host` is one of the public suffixes above.
pub(super) fn is_public_suffix(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let registers = |(second, top): (&str, &str)| {
        let mut registries = REGISTRIES.iter();
        registries.any(|(country, seconds)| *country == top && seconds.contains(&second))
    };
    host.split_once('.').is_some_and(registers) || PLATFORMS.contains(&host.as_str())
}
