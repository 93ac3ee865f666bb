//! Flask-Session's records: read with the same meaning, and written byte for byte.

use std::{borrow::Cow, time::Duration};

use carafe_core::{
    clock::Timestamp,
    flask::stored::{FlaskSession, Format},
    json::{JsonDialect, Value, string, to_text},
    key::{KeyRing, SecretKey},
    session::SessionData,
    store::{KeyScheme, Record, StoreKey},
    token::{
        SessionId,
        signed::{Signer, SignerSettings},
    },
};
use serde_json::Value as Line;

use super::{id, lines, text};

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);

struct Row<'l> {
    layout: FlaskSession,
    key: StoreKey,
    value: Vec<u8>,
    line: &'l Line,
}

impl<'l> Row<'l> {
    fn of(line: &'l Line) -> Self {
        let format = match text(line, "format") {
            "msgpack" => Format::MsgPack,
            _ => Format::Json,
        };
        let name = text(line, "name");
        let sid = name.strip_prefix("session:").unwrap();
        let hex = text(line, "value");
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        Self {
            layout: FlaskSession::new(format),
            key: SessionId::parse(sid.as_bytes())
                .unwrap()
                .store_key_as(KeyScheme::RawId),
            value: (0..hex.len()).step_by(2).map(byte).collect(),
            line,
        }
    }

    fn record(&self) -> Record {
        let expires = NOW.saturating_add(self.line["seconds"].as_i64().unwrap());
        let record = self.layout.record(&self.key, &self.value, expires, NOW);
        record.unwrap_or_else(|error| panic!("{}: {error}", id(self.line)))
    }
}

/// Returns the members with their text in a canonical form.
fn meaning(data: &SessionData) -> Vec<(Cow<'_, str>, String)> {
    let spelled = |text| to_text(&Value::parse(text, true).unwrap(), JsonDialect::QUART).unwrap();
    let members = data.iter();
    members
        .map(|(key, value)| (string::decode(key).unwrap(), spelled(value)))
        .collect()
}

#[test]
fn every_line_comes_back_to_the_byte() {
    let lines = lines("flask_session.jsonl");
    assert!(lines.len() > 40);
    for line in &lines {
        let row = Row::of(line);
        assert_eq!(
            row.layout.name(&row.key),
            text(line, "name"),
            "{}",
            id(line)
        );
        let again = row.layout.value(&row.key, &row.record()).unwrap();
        assert_eq!(again, row.value, "{}", id(line));
    }
}

#[test]
fn every_line_means_what_flask_session_reads() {
    let mut compared = 0;
    for line in &lines("flask_session.jsonl") {
        let (row, record) = (Row::of(line), Row::of(line).record());
        assert_eq!(record.meta.last_seen, NOW, "the last use, of {}", id(line));
        if record.meta.user.is_some() {
            assert_eq!(
                (record.meta.user.as_deref(), record.meta.device.as_deref()),
                (Some("42"), Some("é"))
            );
            continue; // Handlers do not see the key that holds the user.
        }
        if let Some(tagged) = row.line["tagged"].as_str() {
            let theirs = SessionData::parse(tagged.to_owned(), JsonDialect::QUART).unwrap();
            assert_eq!(meaning(&record.data), meaning(&theirs), "{}", id(line));
            compared += 1;
        }
    }
    assert!(compared > 30);
}

#[test]
fn signed_ids_are_flask_sessions() {
    let keys = KeyRing::new(SecretKey::short("flask-spec-secret").unwrap());
    let signer = Signer::new(&keys, SignerSettings::flask_session());
    let mut signed = 0;
    for line in lines("flask_session.jsonl")
        .iter()
        .filter(|line| line["signed"] == true)
    {
        let header = text(line, "set_cookie");
        let cookie = header
            .strip_prefix("session=")
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let sid = signer.unsign(cookie, NOW).unwrap();
        assert_eq!(format!("session:{sid}"), text(line, "name"));
        assert_eq!(signer.sign(sid), cookie);
        signed += 1;
    }
    assert_eq!(signed, 2);
}

#[test]
fn the_lifetime_is_flasks_unless_it_is_said() {
    let line = &lines("flask_session.jsonl")[0];
    let row = Row::of(line);
    let hour = row.layout.clone().with_lifetime(Duration::from_secs(3600));
    let expires = NOW.saturating_add(60);
    let record = hour.record(&row.key, &row.value, expires, NOW).unwrap();
    assert_eq!(record.meta.last_seen, NOW.saturating_add(60 - 3600));
}
