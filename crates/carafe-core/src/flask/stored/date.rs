//! Moments: MessagePack's timestamps in Flask's datetime tag, which has no fractions of a second.
//!
//! A fraction follows the date as a comment, `Tue, 14 Nov 2023 22:13:20 GMT (.123456)`, which RFC
//! 2822 allows and readers ignore: handlers see the second, and unchanged values keep their
//! fraction.

use jiff::{SignedDuration, civil};

use crate::{
    clock::Timestamp,
    json::{JsonDialect, string, tag, to_text},
};

/// Seconds since 1970, and nanoseconds within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) nanos: u32,
}

const SECOND: u32 = 1_000_000_000;

impl Moment {
    /// Decodes the bytes of MessagePack's extension -1, in any of its three forms.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (seconds, nanos) = match *bytes {
            [a, b, c, d] => (u32::from_be_bytes([a, b, c, d]).into(), 0),
            [a, b, c, d, e, f, g, h] => {
                let both = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
                // 34 bits fit an i64, and 30 bits fit a u32.
                ((both & 0x3_ffff_ffff) as i64, (both >> 34) as u32)
            }
            [a, b, c, d, e, f, g, h, i, j, k, l] => {
                let seconds = i64::from_be_bytes([e, f, g, h, i, j, k, l]);
                (seconds, u32::from_be_bytes([a, b, c, d]))
            }
            _ => return None,
        };
        (nanos < SECOND).then_some(Self { seconds, nanos })
    }

    /// Returns the shortest form, as `msgspec` does.
    pub(super) fn bytes(self) -> Vec<u8> {
        let Self { seconds, nanos } = self;
        match (u32::try_from(seconds), u64::try_from(seconds)) {
            (Ok(seconds), _) if nanos == 0 => seconds.to_be_bytes().to_vec(),
            (_, Ok(whole)) if whole >> 34 == 0 => {
                (u64::from(nanos) << 34 | whole).to_be_bytes().to_vec()
            }
            _ => [&nanos.to_be_bytes()[..], &seconds.to_be_bytes()[..]].concat(),
        }
    }

    /// Returns the value in Flask's tag, or `None` outside Python's years.
    pub(super) fn tagged(self) -> Option<String> {
        let date = tag::DateTime::from(Timestamp::from_unix(self.seconds));
        let mut text = to_text(&date, JsonDialect::QUART).ok()?;
        if self.nanos > 0 {
            let end = text.len().checked_sub("\"}".len())?;
            let nanos = self.nanos;
            let digits = format!("{nanos:09}");
            text.insert_str(end, &format!(" (.{})", digits.trim_end_matches('0')));
        }
        let raw = text.strip_prefix("{\" d\":")?.strip_suffix('}')?;
        (Self::of_raw(raw) == Some(self)).then_some(text)
    }

    /// Parses the moment in a datetime tag's string.
    pub(super) fn of_raw(raw: &str) -> Option<Self> {
        let text = string::decode(raw).ok()?;
        let (date, nanos) = match text.split_once(" (.") {
            None => (&*text, 0),
            Some((date, rest)) => (date, nanos(rest.strip_suffix(')')?)?),
        };
        let date: tag::DateTime = date.parse().ok()?;
        let seconds = date.timestamp().unix();
        Some(Self { seconds, nanos })
    }

    /// Returns RFC 3339 in UTC, with microseconds if they are not zero, as `msgspec` writes JSON.
    pub(super) fn rfc_3339(self) -> String {
        const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);
        // Both constructors ensure the years 1 to 9999.
        let moment = EPOCH.saturating_add(SignedDuration::from_secs(self.seconds));
        let text = moment.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        match self.nanos / 1000 {
            0 => format!("{text}Z"),
            micros => format!("{text}.{micros:06}Z"),
        }
    }
}

/// Parses the digits after the point.
fn nanos(digits: &str) -> Option<u32> {
    let good = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| format!("{digits:0<9}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::from_text;

    #[test]
    fn a_fraction_is_a_comment_that_readers_skip() {
        let moment = Moment {
            seconds: 1_700_000_000,
            nanos: 123_456_000,
        };
        let text = moment.tagged().expect("a date");
        assert_eq!(text, r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT (.123456)"}"#);
        let date: tag::DateTime = from_text(&text, true).expect("a date");
        assert_eq!(date.timestamp().unix(), 1_700_000_000);
        assert_eq!(moment.rfc_3339(), "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn every_form_of_a_timestamp_comes_back_in_its_shortest() {
        for (seconds, nanos, hex) in [
            (0, 0, "00000000"),
            (4_294_967_295, 0, "ffffffff"),
            (4_294_967_296, 0, "0000000100000000"),
            (1_700_000_000, 123_456_000, "1d6f28006553f100"),
            (-1, 500_000_000, "1dcd6500ffffffffffffffff"),
            (17_179_869_184, 0, "000000000000000400000000"),
            (253_402_300_799, 999_999_000, "3b9ac6180000003afff4417f"),
            (-62_135_596_800, 0, "00000000fffffff1886e0900"),
        ] {
            let moment = Moment { seconds, nanos };
            let bytes = moment.bytes();
            let shown: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(shown, hex);
            assert_eq!(Moment::of_bytes(&bytes), Some(moment));
            let text = moment.tagged().expect("within Python's years");
            let raw = &text[r#"{" d":"#.len()..text.len() - 1];
            assert_eq!(Moment::of_raw(raw), Some(moment), "{text}");
        }
    }

    #[test]
    fn beyond_pythons_years_there_is_no_date() {
        for seconds in [i64::MIN, -62_135_596_801, 253_402_300_800, i64::MAX] {
            assert_eq!(Moment { seconds, nanos: 0 }.tagged(), None);
        }
        assert_eq!(Moment::of_bytes(&[0xff; 12]), None);
        assert_eq!(Moment::of_bytes(&[0; 5]), None);
    }
}
