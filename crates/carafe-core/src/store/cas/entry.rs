//! The entry of a key and its encoding: `docs/wire-format.md`, section 11.

use crate::{
    clock::Timestamp,
    data::SessionData,
    store::{PublicId, Record, SessionMeta, StoreError, StoreKey},
};

/// The version of the layout. Values of other versions are rejected.
const VERSION: u8 = 1;
/// Seconds for which an entry is kept after its expiry, because of clock skew.
const MARGIN: i64 = 60;
/// Number of leading bytes of the key that a value contains, to check that it belongs to its key.
const CHECK: usize = 8;
/// Encodes a session without a time of authentication.
const NEVER: i64 = i64::MIN;

const RECORD: u8 = b'R';
const RESERVED: u8 = b'?';
const MOVE: u8 = b'M';
const POINTER: u8 = b'>';
const MARKER: u8 = b'!';

/// The decoded value of a key.
#[derive(Debug)]
pub(super) enum Entry {
    Record(Record),
    /// A reservation for the record of the key `from`.
    Reserved {
        from: StoreKey,
        until: Timestamp,
    },
    /// A record that is being moved to another key.
    Move(Box<Move>),
    Trace(Trace),
}

#[derive(Debug)]
pub(super) struct Move {
    pub(super) to: StoreKey,
    /// The entry that remains under this key.
    pub(super) trace: Trace,
    pub(super) record: Record,
}

/// The entry that remains under the former key of a record: a pointer to another key, or a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    /// The key that a pointer refers to.
    pub(super) to: Option<StoreKey>,
    pub(super) until: Timestamp,
}

impl Trace {
    pub(super) const fn pointer(to: StoreKey, until: Timestamp) -> Self {
        Self {
            to: Some(to),
            until,
        }
    }

    pub(super) const fn marker(until: Timestamp) -> Self {
        Self { to: None, until }
    }
}

impl Entry {
    /// Returns the time until which the entry is valid.
    pub(super) fn until(&self) -> Timestamp {
        match self {
            Self::Record(record) => record.meta.expires,
            Self::Move(moved) => moved.record.meta.expires,
            Self::Reserved { until, .. } | Self::Trace(Trace { until, .. }) => *until,
        }
    }

    /// Returns the time until which the database must keep the entry.
    pub(super) fn kept_until(&self) -> Timestamp {
        kept_until(self.until())
    }

    pub(super) fn encode(&self, key: &StoreKey) -> Vec<u8> {
        match self {
            Self::Record(record) => encode_record(key, record),
            Self::Reserved { from, until } => {
                let mut value = start(key, RESERVED);
                value.extend_from_slice(from.as_bytes());
                put_time(&mut value, *until);
                value
            }
            Self::Move(moved) => {
                let mut value = start(key, MOVE);
                value.extend_from_slice(moved.to.as_bytes());
                value.push(kind_of(&moved.trace));
                put_trace(&mut value, &moved.trace);
                put_record(&mut value, &moved.record);
                value
            }
            Self::Trace(trace) => {
                let mut value = start(key, kind_of(trace));
                put_trace(&mut value, trace);
                value
            }
        }
    }

    /// Decodes the value of `key`.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`].
    pub(super) fn decode(key: &StoreKey, value: &[u8]) -> Result<Self, StoreError> {
        match value.first() {
            Some(&VERSION) => {}
            Some(version) => {
                return Err(StoreError::corrupt(format!(
                    "the value has version {version} of the layout, and this program reads \
                     version {VERSION}"
                )));
            }
            None => return Err(StoreError::corrupt("the value is empty")),
        }
        let mut reader = Reader(value.get(1..).unwrap_or_default());
        let kind = reader.byte()?;
        if reader.take(CHECK)? != check(key) {
            return Err(StoreError::corrupt("the value belongs to another key"));
        }
        let entry = match kind {
            RECORD => Self::Record(reader.record()?),
            RESERVED => Self::Reserved {
                from: reader.key()?,
                until: reader.time()?,
            },
            MOVE => {
                let to = reader.key()?;
                let kind = reader.byte()?;
                let trace = reader.trace(kind)?;
                let record = reader.record()?;
                Self::Move(Box::new(Move { to, trace, record }))
            }
            kind => Self::Trace(reader.trace(kind)?),
        };
        reader.end()?;
        Ok(entry)
    }
}

/// Returns the time until which the database must keep an entry that is valid until `until`.
pub(super) const fn kept_until(until: Timestamp) -> Timestamp {
    until.saturating_add(MARGIN)
}

/// Returns the value of a key with this record.
pub(super) fn encode_record(key: &StoreKey, record: &Record) -> Vec<u8> {
    let mut value = start(key, RECORD);
    put_record(&mut value, record);
    value
}

fn start(key: &StoreKey, kind: u8) -> Vec<u8> {
    let mut value = vec![VERSION, kind];
    value.extend_from_slice(check(key));
    value
}

fn check(key: &StoreKey) -> &[u8] {
    key.as_bytes().first_chunk::<CHECK>().unwrap_or(&[0; CHECK])
}

const fn kind_of(trace: &Trace) -> u8 {
    match trace.to {
        Some(_) => POINTER,
        None => MARKER,
    }
}

fn put_trace(value: &mut Vec<u8>, trace: &Trace) {
    if let Some(to) = &trace.to {
        value.extend_from_slice(to.as_bytes());
    }
    put_time(value, trace.until);
}

/// Appends the header with its length, and the dictionary as JSON text.
fn put_record(value: &mut Vec<u8>, record: &Record) {
    let meta = &record.meta;
    let mut header = Vec::with_capacity(128);
    for time in [meta.created, meta.renewed, meta.last_seen, meta.expires] {
        put_time(&mut header, time);
    }
    let authenticated = meta.authenticated.map_or(NEVER, Timestamp::unix);
    header.extend_from_slice(&authenticated.to_be_bytes());
    header.extend_from_slice(&meta.version.to_be_bytes());
    header.extend_from_slice(meta.public_id.as_bytes());
    let opaque = meta.opaque();
    let texts = [&opaque, &meta.user, &meta.device];
    texts
        .into_iter()
        .for_each(|text| put_text(&mut header, text.as_deref()));
    put_bytes(value, &header);
    value.extend_from_slice(record.data.payload(Record::STYLE).as_bytes());
}

fn put_text(value: &mut Vec<u8>, text: Option<&str>) {
    value.push(u8::from(text.is_some()));
    if let Some(text) = text {
        put_bytes(value, text.as_bytes());
    }
}

fn put_bytes(value: &mut Vec<u8>, bytes: &[u8]) {
    value.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    value.extend_from_slice(bytes);
}

fn put_time(value: &mut Vec<u8>, time: Timestamp) {
    value.extend_from_slice(&time.unix().to_be_bytes());
}

/// The remaining bytes of a value.
struct Reader<'v>(&'v [u8]);

impl<'v> Reader<'v> {
    fn record(&mut self) -> Result<Record, StoreError> {
        let length = self.length()?;
        let mut header = Reader(self.take(length)?);
        let meta = header.meta()?;
        header.end()?;
        let data = text_of(self.take(self.0.len())?)?;
        let data = SessionData::parse(data, Record::STYLE).map_err(StoreError::corrupt)?;
        Ok(Record::new(meta, data))
    }

    fn meta(&mut self) -> Result<SessionMeta, StoreError> {
        let [created, renewed, last_seen, expires] =
            [self.time()?, self.time()?, self.time()?, self.time()?];
        let authenticated = Some(self.time()?).filter(|time| time.unix() != NEVER);
        let version = u64::from_be_bytes(self.array()?);
        let public_id = PublicId::from_bytes(self.array()?);
        let opaque = self.text()?;
        let mut meta = SessionMeta::new(public_id, created, expires);
        meta.user = self.text()?;
        meta.device = self.text()?;
        meta.renewed = renewed;
        meta.last_seen = last_seen;
        meta.authenticated = authenticated;
        meta.set_opaque(opaque.as_deref())?;
        meta.version = version;
        Ok(meta)
    }

    fn trace(&mut self, kind: u8) -> Result<Trace, StoreError> {
        match kind {
            POINTER => Ok(Trace::pointer(self.key()?, self.time()?)),
            MARKER => Ok(Trace::marker(self.time()?)),
            _ => Err(StoreError::corrupt("the value is of an unknown kind")),
        }
    }

    fn text(&mut self) -> Result<Option<String>, StoreError> {
        match self.byte()? {
            0 => Ok(None),
            1 => {
                let length = self.length()?;
                text_of(self.take(length)?).map(Some)
            }
            _ => Err(StoreError::corrupt("a text of the value cannot be read")),
        }
    }

    fn key(&mut self) -> Result<StoreKey, StoreError> {
        self.array().map(StoreKey::from_bytes)
    }

    fn time(&mut self) -> Result<Timestamp, StoreError> {
        let bytes = self.array()?;
        Ok(Timestamp::from_unix(i64::from_be_bytes(bytes)))
    }

    fn length(&mut self) -> Result<usize, StoreError> {
        let length = u64::from_be_bytes(self.array()?);
        usize::try_from(length).map_err(StoreError::corrupt)
    }

    fn byte(&mut self) -> Result<u8, StoreError> {
        self.array().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (first, rest) = self.0.split_first_chunk().ok_or_else(too_short)?;
        self.0 = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&'v [u8], StoreError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(too_short)?;
        self.0 = rest;
        Ok(taken)
    }

    fn end(&self) -> Result<(), StoreError> {
        match self.0 {
            [] => Ok(()),
            _ => Err(StoreError::corrupt("the value is too long")),
        }
    }
}

fn too_short() -> StoreError {
    StoreError::corrupt("the value is too short")
}

fn text_of(bytes: &[u8]) -> Result<String, StoreError> {
    let text = str::from_utf8(bytes).map_err(StoreError::corrupt)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::Nonce, store::Renewal};

    const DOCUMENT: &str = include_str!("../../../../../docs/wire-format.md");

    fn record() -> Record {
        let data = r#"{"user_id":42}"#.to_owned();
        let mut meta = SessionMeta::new(
            PublicId::from_bytes([7; 12]),
            Timestamp::from_unix(1_700_000_000),
            Timestamp::from_unix(1_700_003_600),
        );
        meta.user = Some("ann".to_owned());
        meta.renewed = Timestamp::from_unix(1_700_000_100);
        meta.last_seen = Timestamp::from_unix(1_700_000_200);
        meta.authenticated = Some(Timestamp::from_unix(1_700_000_050));
        meta.renewal = Some(Renewal {
            from: *StoreKey::of_id("a").as_bytes(),
            nonce: Nonce::from_bytes([9; 16]),
            until: None,
        });
        meta.version = 3;
        Record::new(
            meta,
            SessionData::parse(data, Record::STYLE).expect("it is JSON"),
        )
    }

    fn entries() -> Vec<Entry> {
        let (to, until) = (StoreKey::of_id("b"), Timestamp::from_unix(1_700_000_060));
        let mut plain = record();
        plain.meta.user = None;
        plain.meta.device = Some("Zoë’s phone".to_owned());
        plain.meta.authenticated = None;
        plain.meta.renewal = None;
        let moved = |trace, record| Entry::Move(Box::new(Move { to, trace, record }));
        vec![
            Entry::Record(record()),
            Entry::Record(plain.clone()),
            Entry::Reserved { from: to, until },
            moved(Trace::marker(until), record()),
            moved(Trace::pointer(to, until), plain),
            Entry::Trace(Trace::pointer(to, until)),
            Entry::Trace(Trace::marker(until)),
        ]
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn text(entry: &Entry) -> String {
        let data = match entry {
            Entry::Record(record) => record.data.payload(Record::STYLE),
            Entry::Move(moved) => moved.record.data.payload(Record::STYLE),
            Entry::Reserved { .. } | Entry::Trace(_) => String::new(),
        };
        format!("{entry:?} {data}")
    }

    #[test]
    fn the_bytes_are_those_of_the_document() {
        let key = StoreKey::of_id("a");
        let written = hex(&Entry::Record(record()).encode(&key));
        let document: String = DOCUMENT.split_whitespace().collect();
        assert!(document.contains(&written), "{written}");
        let until = Timestamp::from_unix(1_700_000_060);
        let marker = Entry::Trace(Trace::marker(until));
        let written = hex(&marker.encode(&key));
        assert!(document.contains(&written), "{written}");
    }

    #[test]
    fn every_entry_survives_its_bytes() {
        let key = StoreKey::of_id("a");
        for entry in entries() {
            let value = entry.encode(&key);
            let read = Entry::decode(&key, &value).expect("it was written like this");
            assert_eq!(text(&read), text(&entry));
        }
    }

    #[test]
    fn a_value_of_another_version_or_key_or_length_is_corrupt() {
        let key = StoreKey::of_id("a");
        for entry in entries() {
            let value = entry.encode(&key);
            let mut wrong: Vec<_> = (0..value.len()).map(|end| value[..end].to_vec()).collect();
            wrong.push([&value[..], b"\0"].concat());
            for (at, byte) in [(0, VERSION + 1), (0, 0), (1, b'x'), (2, !value[2])] {
                let mut changed = value.clone();
                changed[at] = byte;
                wrong.push(changed);
            }
            for wrong in wrong {
                let read = Entry::decode(&key, &wrong);
                assert!(
                    matches!(read, Err(StoreError::Corrupt(_))),
                    "{}",
                    hex(&wrong)
                );
            }
            let other = Entry::decode(&StoreKey::of_id("b"), &value);
            assert!(matches!(other, Err(StoreError::Corrupt(_))));
        }
    }
}
