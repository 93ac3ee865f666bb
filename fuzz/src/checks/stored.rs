//! Stored sessions of Flask-Session.

#[cfg(feature = "flask-session")]
use carafe_core::{
    clock::Timestamp,
    flask::stored::{FlaskSession, Format},
    store::{Record, StoreError, StoreKey},
};

/// Checks arbitrary stored values.
///
/// A value is a record or is rejected as unreadable, and a record is written or rejected as
/// unwritable. The written value reads as the same record and is written identically again:
/// MessagePack the first time, JSON once the types that it lacks have become text.
#[cfg(feature = "flask-session")]
pub fn flask_session(data: &[u8]) {
    for format in [Format::MsgPack, Format::Json] {
        let Some(first) = read(format, data) else {
            continue;
        };
        let Some(value) = written(format, &first) else {
            continue;
        };
        let second = read(format, &value).expect("what was written can be read");
        assert_eq!(facts(&second), facts(&first));
        let again = written(format, &second).expect("what was written can be written");
        match format {
            Format::MsgPack => assert_eq!(again, value),
            Format::Json => {
                let third = read(format, &again).expect("what was written can be read");
                assert_eq!(written(format, &third).as_ref(), Some(&again));
            }
        }
    }
}

/// Checks nothing without the feature.
#[cfg(not(feature = "flask-session"))]
pub fn flask_session(_: &[u8]) {}

#[cfg(feature = "flask-session")]
const KEY: StoreKey = StoreKey::from_bytes([0; 32]);

#[cfg(feature = "flask-session")]
fn read(format: Format, value: &[u8]) -> Option<Record> {
    let now = Timestamp::from_unix(1_700_000_000);
    match FlaskSession::new(format).record(&KEY, value, now.saturating_add(60), now) {
        Ok(record) => Some(record),
        Err(StoreError::Corrupt(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(feature = "flask-session")]
fn written(format: Format, record: &Record) -> Option<Vec<u8>> {
    match FlaskSession::new(format).value(&KEY, record) {
        Ok(value) => Some(value),
        Err(StoreError::Unstorable(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

#[cfg(feature = "flask-session")]
fn facts(record: &Record) -> impl PartialEq + std::fmt::Debug {
    (
        (
            record.meta.user.clone(),
            record.meta.device.clone(),
            record.meta.public_id,
        ),
        (record.meta.authenticated, record.meta.last_seen),
    )
}
