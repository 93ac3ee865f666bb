//! A moment, as Flask's datetime tag carries it: whole seconds, and the offset its text named.
//!
//! Flask writes HTTP dates and reads with Python's `email.utils.parsedate_to_datetime`. We read with
//! jiff, which agrees on every date an HTTP or e-mail program writes today; the tests list the odd
//! ones on which the two differ. Text that is no date is None, here as there, and never lost: only
//! the typed value is None, the session keeps the text.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::{SignedDuration, civil, fmt::rfc2822::DateTimeParser};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DATETIME, Parsed, Piece};
use crate::{clock::Timestamp, json::string};

/// Any weekday will do: Python ignores it.
const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
/// What Flask writes.
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);
/// Python's datetime ends where these years do: 1 and 9999.
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A moment in whole seconds, and the offset from UTC its text was written with.
///
/// ```
/// use carafe_core::{clock::Timestamp, json::{Style, tag::DateTime, to_text}};
/// let date = DateTime::from(Timestamp::from_unix(1_700_000_000));
/// assert_eq!(to_text(&date, Style::FLASK)?, r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}"#);
/// let same: DateTime = "Wed, 15 Nov 2023 00:13:20 +0200".parse()?;
/// assert_eq!(same.timestamp(), date.timestamp());
/// assert_eq!(same.offset_seconds(), 7200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime {
    timestamp: Timestamp,
    offset: i32,
}

impl DateTime {
    /// The moment.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.timestamp
    }

    /// The offset the text was written with; 0 for UTC. What we write is always UTC, as Flask's is.
    #[must_use]
    pub const fn offset_seconds(self) -> i32 {
        self.offset
    }

    /// The date in a raw JSON string.
    pub(in crate::json) fn of_raw(raw: &str) -> Option<Self> {
        string::decode(raw).ok()?.parse().ok()
    }
}

/// In UTC, and within the years 1 to 9999.
impl From<Timestamp> for DateTime {
    fn from(timestamp: Timestamp) -> Self {
        let seconds = timestamp.unix().clamp(*YEARS.start(), *YEARS.end());
        Self {
            timestamp: Timestamp::from_unix(seconds),
            offset: 0,
        }
    }
}

impl From<DateTime> for Timestamp {
    fn from(date: DateTime) -> Self {
        date.timestamp
    }
}

/// Fractions of a second are cut off, as Flask does.
impl From<SystemTime> for DateTime {
    fn from(time: SystemTime) -> Self {
        let seconds = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let whole = i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX);
                -whole - i64::from(before.duration().subsec_nanos() > 0)
            }
        };
        Self::from(Timestamp::from_unix(seconds))
    }
}

impl From<DateTime> for SystemTime {
    fn from(date: DateTime) -> Self {
        let seconds = date.timestamp.unix();
        let distance = Duration::from_secs(seconds.unsigned_abs());
        // The years 1 to 9999 fit every platform's clock except Windows' before 1601.
        let time = if seconds < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        time.unwrap_or(UNIX_EPOCH)
    }
}

impl FromStr for DateTime {
    type Err = ParseDateError;

    fn from_str(text: &str) -> Result<Self, ParseDateError> {
        let Ok(date) = PARSER.parse_zoned(text) else {
            return http_date(text);
        };
        let seconds = date.timestamp().as_second();
        if !YEARS.contains(&seconds) {
            return Err(ParseDateError);
        }
        Ok(Self {
            timestamp: Timestamp::from_unix(seconds),
            offset: date.offset().seconds(),
        })
    }
}

/// jiff's zones end a day before Python's `datetime.max`, which some store for "never"; its calendar
/// does not.
#[cold]
fn http_date(text: &str) -> Result<DateTime, ParseDateError> {
    let date = civil::DateTime::strptime(HTTP_DATE, text).map_err(|_| ParseDateError)?;
    Ok(DateTime::from(Timestamp::from_unix(
        date.duration_since(EPOCH).as_secs(),
    )))
}

/// Not a date as HTTP and e-mail write them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDateError;

impl fmt::Display for ParseDateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an RFC 2822 date")
    }
}

impl std::error::Error for ParseDateError {}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Within the years 1 to 9999, which every constructor sees to, the sum exists.
        let moment = EPOCH.saturating_add(SignedDuration::from_secs(self.timestamp.unix()));
        let plain = moment.strftime(HTTP_DATE).to_string();
        let json = format!("\"{plain}\"");
        serializer.serialize_newtype_struct(DATETIME, &Piece { plain, json })
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Parsed::new("an RFC 2822 date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(i64, i32)> {
        let date: DateTime = text.parse().ok()?;
        Some((date.timestamp().unix(), date.offset_seconds()))
    }

    /// What `werkzeug.http.parse_date` says of the same texts.
    #[test]
    fn reads_what_python_reads() {
        for (text, date) in [
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some((253_402_300_799, 0))),
            ("Tue, 14 Nov 2023 22:13:20 GMT", Some((1_700_000_000, 0))),
            ("Tue, 14 Nov 2023 22:13:20 +0000", Some((1_700_000_000, 0))),
            ("Tue, 14 Nov 2023 22:13:20 -0000", Some((1_700_000_000, 0))),
            ("Tue, 14 Nov 2023 22:13:20 UT", Some((1_700_000_000, 0))),
            ("Tue, 14 Nov 2023 22:13:20 UTC", Some((1_700_000_000, 0))),
            ("Tue, 14 Nov 2023 22:13:20 Z", Some((1_700_000_000, 0))),
            (
                "Tue, 14 Nov 2023 22:13:20 EST",
                Some((1_700_018_000, -18000)),
            ),
            (
                "Tue, 14 Nov 2023 22:13:20 PDT",
                Some((1_700_025_200, -25200)),
            ),
            ("Tue, 14 Nov 2023 22:13:20 A", Some((1_700_000_000, 0))),
            ("Tue, 14 Nov 2023 22:13:20 XYZ", Some((1_700_000_000, 0))),
            (
                "Tue, 14 Nov 2023 22:13:20 +0530",
                Some((1_699_980_200, 19800)),
            ),
            (
                "Tue, 14 Nov 2023 22:13:20 -1145",
                Some((1_700_042_300, -42300)),
            ),
            (
                "Tue, 14 Nov 2023 22:13:20 +2359",
                Some((1_699_913_660, 86340)),
            ),
            ("14 Nov 2023 22:13:20 GMT", Some((1_700_000_000, 0))),
            ("14 Nov 2023 22:13 GMT", Some((1_699_999_980, 0))),
            ("Mon, 14 Nov 2023 22:13:20 GMT", Some((1_700_000_000, 0))),
            ("tue, 14 nov 2023 22:13:20 gmt", Some((1_700_000_000, 0))),
            ("TUE, 14 NOV 2023 22:13:20 GMT", Some((1_700_000_000, 0))),
            ("Tue,14 Nov 2023 22:13:20 GMT", Some((1_700_000_000, 0))),
            (" Tue, 14 Nov 2023 22:13:20 GMT ", Some((1_700_000_000, 0))),
            (
                "Tue,  14  Nov  2023  22:13:20  GMT",
                Some((1_700_000_000, 0)),
            ),
            ("Tue, 4 Nov 2023 22:13:20 GMT", Some((1_699_136_000, 0))),
            ("Tue, 14 Nov 23 22:13:20 GMT", Some((1_700_000_000, 0))),
            ("Tue, 14 Nov 49 22:13:20 GMT", Some((2_520_540_800, 0))),
            ("Tue, 14 Nov 69 22:13:20 GMT", Some((-4_067_200, 0))),
            ("Tue, 14 Nov 99 22:13:20 GMT", Some((942_617_600, 0))),
            ("Mon, 01 Jan 0100 00:00:00 GMT", Some((-59_011_459_200, 0))),
            ("Fri, 31 Dec 10000 23:59:59 GMT", None),
            ("Tue, 14 Nov 2023 24:00:00 GMT", None),
            ("Tue, 14 Nov 2023 22:13:20.5 GMT", None),
            ("Tue, 31 Nov 2023 22:13:20 GMT", None),
            ("Tue, 29 Feb 2023 22:13:20 GMT", None),
            (
                "Tue, 14 Nov 2023 22:13:20 GMT (comment)",
                Some((1_700_000_000, 0)),
            ),
            ("Tue, 14 Nov 2023", None),
            ("2023-11-14", None),
            ("2023-11-14T22:13:20Z", None),
            ("bad", None),
            ("", None),
            ("Tue", None),
            (
                "Tue, 14 Nov 2023 22:13:20 +0000 (UTC)",
                Some((1_700_000_000, 0)),
            ),
            (
                "Tue, 14 Nov 2023 22:13:20 -0030",
                Some((1_700_001_800, -1800)),
            ),
            ("Tue, 14 Nov 2023 22:13:20 +99999", None),
        ] {
            assert_eq!(read(text), date, "{text}");
        }
    }

    /// Texts on which Python says something else, all of them far from what Flask writes: first ours,
    /// then Python's. (Years below 100 are not survived by Python's own dates either.)
    #[test]
    fn differs_from_python_on_odd_dates() {
        for (text, ours, pythons) in [
            (
                "Tue, 14 Nov 2023 22:13:20 +2500",
                Some((1_699_910_000, 90000)),
                None,
            ),
            ("Tue, 14 Nov 2023 22:13:20", None, Some((1_700_000_000, 0))),
            (
                "Tuesday, 14 Nov 2023 22:13:20 GMT",
                None,
                Some((1_700_000_000, 0)),
            ),
            (
                "Tuesday, 14-Nov-23 22:13:20 GMT",
                None,
                Some((1_700_000_000, 0)),
            ),
            (
                "Tue, 14-Nov-2023 22:13:20 GMT",
                None,
                Some((1_700_000_000, 0)),
            ),
            ("Tue Nov 14 22:13:20 2023", None, Some((1_700_000_000, 0))),
            ("Tue Nov  4 22:13:20 2023", None, Some((1_699_136_000, 0))),
            (
                "Tue, 14 November 2023 22:13:20 GMT",
                None,
                Some((1_700_000_000, 0)),
            ),
            (
                "Tue , 14 Nov 2023 22:13:20 GMT",
                Some((1_700_000_000, 0)),
                None,
            ),
            (
                "Tue, 04 Nov 2023 2:13:20 GMT",
                None,
                Some((1_699_064_000, 0)),
            ),
            (
                "Tue, 14 Nov 50 22:13:20 GMT",
                Some((-603_683_200, 0)),
                Some((2_552_076_800, 0)),
            ),
            (
                "Tue, 14 Nov 68 22:13:20 GMT",
                Some((-35_603_200, 0)),
                Some((3_120_156_800, 0)),
            ),
            (
                "Tue, 14 Nov 123 22:13:20 GMT",
                Some((1_700_000_000, 0)),
                Some((-58_258_230_400, 0)),
            ),
            (
                "Tue, 14 Nov 0045 22:13:20 GMT",
                Some((-60_719_593_600, 0)),
                Some((2_394_310_400, 0)),
            ),
            (
                "Tue, 14 Nov 0070 22:13:20 GMT",
                Some((-59_930_675_200, 0)),
                Some((27_468_800, 0)),
            ),
            (
                "Tue, 14 Nov 0001 00:00:00 GMT",
                Some((-62_108_208_000, 0)),
                Some((1_005_696_000, 0)),
            ),
            (
                "Fri, 31 Dec 9999 23:59:59 -0100",
                None,
                Some((253_402_304_399, -3600)),
            ),
            (
                "Sun, 31 Dec 2016 23:59:60 GMT",
                Some((1_483_228_799, 0)),
                None,
            ),
            (
                "Tue, 14 Nov 2023 22:13:20 GMT extra",
                None,
                Some((1_700_000_000, 0)),
            ),
            ("Nov 14 2023 22:13:20 GMT", None, Some((1_700_000_000, 0))),
            (
                "Tue, Nov 14 2023 22:13:20 GMT",
                None,
                Some((1_700_000_000, 0)),
            ),
            (
                "Tue, 14 Nov 2023 22.13.20 GMT",
                None,
                Some((1_700_000_000, 0)),
            ),
            (
                "Tue, 14 Nov 2023 22:13:20 +00:00",
                None,
                Some((1_700_000_000, 0)),
            ),
            (
                "Tue, 14 Nov 2023 22:13:20 GMT+1",
                None,
                Some((1_700_000_000, 0)),
            ),
            (
                "0, 14 Nov 2023 22:13:20 GMT",
                None,
                Some((1_700_000_000, 0)),
            ),
        ] {
            assert_eq!(read(text), ours, "{text}");
            assert_ne!(ours, pythons, "{text}");
        }
    }

    #[test]
    fn moments_go_in_and_out() {
        for seconds in [0, 1_700_000_000, -1, -11_644_473_600] {
            let date = DateTime::from(Timestamp::from_unix(seconds));
            assert_eq!(Timestamp::from(date).unix(), seconds);
            assert_eq!(DateTime::from(SystemTime::from(date)), date);
        }
        let fraction = UNIX_EPOCH - Duration::from_millis(1);
        assert_eq!(
            DateTime::from(fraction).timestamp().unix(),
            -1,
            "cut towards the past"
        );
        let last = DateTime::from(Timestamp::from_unix(i64::MAX));
        assert_eq!(last.timestamp().unix(), *YEARS.end());
    }

    #[test]
    fn every_moment_can_be_written() {
        use crate::json::{Style, to_text};
        let text = |seconds| to_text(&DateTime::from(Timestamp::from_unix(seconds)), Style::FLASK);
        assert_eq!(
            text(0).as_deref(),
            Ok(r#"{" d":"Thu, 01 Jan 1970 00:00:00 GMT"}"#)
        );
        assert_eq!(
            text(i64::MIN).as_deref(),
            Ok(r#"{" d":"Mon, 01 Jan 0001 00:00:00 GMT"}"#)
        );
        assert_eq!(
            text(i64::MAX).as_deref(),
            Ok(r#"{" d":"Fri, 31 Dec 9999 23:59:59 GMT"}"#)
        );
    }
}
