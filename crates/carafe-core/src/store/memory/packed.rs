//! One record as one allocation:
//!
//! ```text
//! created 5 ‖ renewed 5 ‖ last seen 5 ‖ expires 5 ‖ authenticated 5 (0 = never) ‖ version 5
//! ‖ public_id 12 ‖ user length 4 ‖ device length 4 (FFFFFFFF = none) ‖ opaque length 1
//! ‖ opaque ‖ user ‖ device ‖ dictionary
//! ```
//!
//! Times are 40-bit seconds since 1970, which lasts for 34,000 years. The layout is private to this
//! process. A loaded record shares these bytes with the store, and a change allocates new ones.

use std::{borrow::Cow, sync::Arc};

use crate::{
    clock::Timestamp,
    data::{Access, SessionData},
    store::{Position, PublicId, Record, SessionMeta},
};

const CREATED: usize = 0;
const RENEWED: usize = 5;
const LAST_SEEN: usize = 10;
const EXPIRES: usize = 15;
const AUTHENTICATED: usize = 20;
const VERSION: usize = 25;
const HANDLE: usize = 30;
const USER_LENGTH: usize = 42;
const DEVICE_LENGTH: usize = 46;
const OPAQUE_LENGTH: usize = 50;
const TEXTS: usize = 51;
const NONE: u32 = u32::MAX;
const LARGEST: i64 = (1 << 40) - 1;

/// A record, packed.
pub(super) struct Packed(Arc<[u8]>);

impl Packed {
    pub(super) fn new(record: &Record) -> Self {
        let meta = &record.meta;
        let (user, device) = (meta.user.as_deref(), meta.device.as_deref());
        let length = |text: Option<&str>| text.map_or(0, str::len);
        let opaque = meta.opaque().unwrap_or_default();
        let (start, dictionary) = (
            TEXTS + opaque.len() + length(user) + length(device),
            record.data.packed_bytes(),
        );
        let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, start + dictionary.len()).collect();
        let place = Arc::get_mut(&mut bytes).expect("nobody else has new bytes");
        let mut packed = Header(place);
        packed.put_number(CREATED, meta.created.unix());
        packed.put_number(RENEWED, meta.renewed.unix());
        packed.put_number(LAST_SEEN, meta.last_seen.unix());
        packed.put_number(EXPIRES, meta.expires.unix());
        packed.put_number(AUTHENTICATED, meta.authenticated.map_or(0, Timestamp::unix));
        packed.put_number(VERSION, i64::try_from(meta.version).unwrap_or(i64::MAX));
        packed.put(HANDLE, meta.public_id.as_bytes());
        packed.put(USER_LENGTH, &length_of(user).to_be_bytes());
        packed.put(DEVICE_LENGTH, &length_of(device).to_be_bytes());
        let opaque_length = u8::try_from(opaque.len());
        let opaque_length = opaque_length.expect("at most `SessionMeta::MAX_OPAQUE`, which is 255");
        packed.put(OPAQUE_LENGTH, &[opaque_length]);
        let mut at = TEXTS;
        for text in [Some(&*opaque), user, device].into_iter().flatten() {
            packed.put(at, text.as_bytes());
            at += text.len();
        }
        place[start..].copy_from_slice(&dictionary);
        Self(bytes)
    }

    pub(super) fn record(&self) -> Box<Record> {
        let (user, rest) = self.text(USER_LENGTH, self.texts());
        let (device, rest) = self.text(DEVICE_LENGTH, rest);
        let data = SessionData::packed(Arc::clone(&self.0), rest);
        let meta = SessionMeta::new(self.handle(), self.time(CREATED), self.time(EXPIRES));
        let mut record = Box::new(Record::new(meta, data));
        let meta = &mut record.meta;
        meta.user = user;
        meta.device = device;
        meta.renewed = self.time(RENEWED);
        meta.last_seen = self.time(LAST_SEEN);
        meta.authenticated = Some(self.time(AUTHENTICATED)).filter(|time| time.unix() != 0);
        meta.version = self.version();
        if let Some(opaque) = self.opaque() {
            meta.set_opaque(Some(opaque))
                .expect("`new` has packed this text");
        }
        record
    }

    /// Returns the stored record, or `base` if the record has not changed since `base` was loaded.
    ///
    /// Returning `base` avoids unpacking. Every change increments `version`, and a touch changes
    /// the other two fields.
    pub(super) fn newest<'b>(&self, base: &'b Record) -> Cow<'b, Record> {
        let same = self.version() == base.meta.version
            && self.handle() == base.meta.public_id
            && self.time(LAST_SEEN) == base.meta.last_seen
            && self.expires() == base.meta.expires
            && self.opaque() == base.meta.opaque().as_deref();
        match same {
            true => Cow::Borrowed(base),
            false => Cow::Owned(*self.record()),
        }
    }

    pub(super) fn expires(&self) -> Timestamp {
        self.time(EXPIRES)
    }

    pub(super) fn created(&self) -> Timestamp {
        self.time(CREATED)
    }

    fn version(&self) -> u64 {
        self.time(VERSION).unix().unsigned_abs()
    }

    pub(super) fn handle(&self) -> PublicId {
        PublicId::from_bytes(self.array(HANDLE))
    }

    pub(super) fn position(&self) -> Position {
        Position {
            renewed: self.time(RENEWED),
            public_id: self.handle(),
        }
    }

    pub(super) fn user(&self) -> Option<&[u8]> {
        let length = u32::from_be_bytes(self.array(USER_LENGTH));
        let start = self.texts();
        (length != NONE).then(|| &self.0[start..start + length as usize])
    }

    fn opaque(&self) -> Option<&str> {
        let text = str::from_utf8(&self.0[TEXTS..self.texts()]).unwrap_or_default();
        Some(text).filter(|text| !text.is_empty())
    }

    /// Returns the offset of the user and the device.
    fn texts(&self) -> usize {
        TEXTS + usize::from(self.0[OPAQUE_LENGTH])
    }

    /// Records a use: [`Record::touched`].
    pub(super) fn touch(&mut self, access: &Access) {
        if let Some(touched) = self.record().touched(access) {
            *self = Self::new(&touched);
        }
    }

    /// Returns the text with the length at `length_at`, and the offset of the next text.
    fn text(&self, length_at: usize, start: usize) -> (Option<String>, usize) {
        let length = u32::from_be_bytes(self.array(length_at));
        if length == NONE {
            return (None, start);
        }
        let end = start + length as usize;
        (
            Some(String::from_utf8_lossy(&self.0[start..end]).into_owned()),
            end,
        )
    }

    fn time(&self, at: usize) -> Timestamp {
        let bytes: [u8; 5] = self.array(at);
        Timestamp::from_unix(
            bytes
                .iter()
                .fold(0, |value, &byte| value << 8 | i64::from(byte)),
        )
    }

    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[at..at + N]);
        bytes
    }
}

/// A writer for the fixed part.
struct Header<'b>(&'b mut [u8]);

impl Header<'_> {
    fn put_number(&mut self, at: usize, value: i64) {
        let bytes = value.clamp(0, LARGEST).to_be_bytes();
        self.put(at, &bytes[3..]);
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

fn length_of(text: Option<&str>) -> u32 {
    text.map_or(NONE, |text| u32::try_from(text.len()).unwrap_or(NONE))
}
