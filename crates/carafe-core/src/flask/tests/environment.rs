//! Flask's environment vectors.

use std::{fs, path::PathBuf};

use serde_json::Value as Json;

use super::{SECRET, first_cookie};
use crate::{
    flask::{FlaskConfig, FlaskConfigLoader},
    json::Value,
};

/// Settings that Flask accepts and Carafe rejects, each with the reason.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "a switch is true or false: in Flask anything else switches the attribute on, even 0",
        &[
            "E004", "E005", "E006", "E007", "E008", "E009", "E011", "E013", "E014", "E015", "E018",
            "E019", "E020", "E021", "E022", "E023", "E025", "E027", "E028", "E029", "E032", "E033",
            "E034", "E035", "E036", "E037", "E039", "E041", "E042", "E043", "E046", "E047", "E048",
            "E049", "E050", "E051", "E053", "E055", "E056", "E057",
        ],
    ),
    (
        "a switch is not null, which for HttpOnly would be the unsafe one",
        &["E010", "E024", "E038", "E052"],
    ),
    (
        "fallbacks are a list: Flask accepts each character of a text, and each key of an object",
        &["E070", "E072", "E073", "E076", "E079", "E080"],
    ),
    (
        "a fallback is not empty: Flask accepts cookies signed with the empty key",
        &["E075"],
    ),
    (
        "a name is one that browsers keep: none is not, with a blank is not, and prefixes have rules",
        &["E084", "E086", "E087"],
    ),
    (
        "a domain is a host name: Flask sends `Domain=`, `Domain=False`, `Domain=None`",
        &["E091", "E094", "E095"],
    ),
    (
        "a cookie for an IP address is for that host only",
        &["E096"],
    ),
    (
        "a path begins with a slash, or browsers ignore it",
        &["E101"],
    ),
    (
        "SameSite=None needs Secure, or browsers drop the cookie",
        &["E107", "E108"],
    ),
    ("a lifetime is a number over 0", &["E115", "E116", "E123"]),
    ("a size is not negative", &["E127"]),
    (
        "the application's root is a path: Flask sends `Path=` or none",
        &["E131", "E132", "E137"],
    ),
    (
        "a cookie that was written not to be secure is not made so by Partitioned",
        &["E140"],
    ),
];

fn vectors() -> Vec<Json> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../testdata/vectors/flask_environment.jsonl");
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Loads an application that had the vectors' key before its environment was read.
fn under(env: &Json) -> FlaskConfigLoader {
    let pairs = env.as_object().unwrap().iter();
    let variables = pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    FlaskConfig::loader()
        .map([("SECRET_KEY", Value::from(SECRET))])
        .variables("FLASK", variables)
}

#[test]
fn every_environment_gives_flasks_cookie_or_is_refused_for_a_reason() {
    let mut listed = REFUSED
        .iter()
        .flat_map(|(_, ids)| ids.iter().copied())
        .collect::<Vec<_>>();
    for vector in vectors() {
        let id = vector["id"].as_str().unwrap();
        let is_trap = listed.iter().position(|known| *known == id);
        match under(&vector["env"]).allow_weak_keys().load() {
            Ok(flask) => {
                assert_eq!(is_trap, None, "{id} is not refused any more");
                assert_eq!(
                    first_cookie(&flask).as_deref(),
                    vector["set_cookie"].as_str(),
                    "{id}"
                );
            }
            Err(error) => {
                let flask_fails = vector["status"] == 500;
                assert!(flask_fails || is_trap.is_some(), "{id}: {error}");
                assert_eq!(error.problems().len(), 1, "{id}: {error}");
                assert!(
                    error.problems()[0].key().starts_with("FLASK_"),
                    "{id}: {error}"
                );
            }
        }
        is_trap.map(|position| listed.swap_remove(position));
    }
    assert!(
        listed.is_empty(),
        "listed twice or not in the file: {listed:?}"
    );
}

#[test]
fn guessable_keys_are_refused_unless_asked_for_by_name() {
    for id in ["E058", "E063", "E069", "E071", "E141"] {
        let vectors = vectors();
        let vector = vectors.iter().find(|vector| vector["id"] == id).unwrap();
        let loader = under(&vector["env"]);
        let error = loader.clone().load().unwrap_err().to_string();
        assert!(error.contains("SECRET_KEY"), "{id}: {error}");
        assert!(loader.allow_weak_keys().load().is_ok(), "{id}");
    }
    let empty = FlaskConfig::loader()
        .json(r#"{"SECRET_KEY":""}"#)
        .allow_weak_keys()
        .load();
    assert!(empty.is_err());
}
