//! A moment as Flask's datetime tag represents it: whole seconds and an offset from UTC.
//!
//! Flask writes HTTP dates and reads with Python's `email.utils.parsedate_to_datetime`. Carafe
//! reads with jiff, which agrees on every date that HTTP and e-mail programs write today. The tests
//! list the unusual dates on which the two differ. Text that is not a date reads as None, as in
//! Flask, but is never lost: only the typed value is None, and the session keeps the text.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use jiff::{SignedDuration, civil, fmt::rfc2822::DateTimeParser};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DATETIME, Parsed, Piece};
use crate::{clock::Timestamp, json::string};

/// Relaxed, because Python ignores the weekday.
const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
/// The format that Flask writes.
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";
const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);
/// Python's datetime covers the years 1 to 9999.
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// A moment in whole seconds, with the offset from UTC in its text.
///
/// ```
/// use carafe_core::{clock::Timestamp, json::{JsonDialect, tag::DateTime, to_text}};
/// let date = DateTime::from(Timestamp::from_unix(1_700_000_000));
/// assert_eq!(to_text(&date, JsonDialect::FLASK)?, r#"{" d":"Tue, 14 Nov 2023 22:13:20 GMT"}"#);
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
    /// Returns the moment.
    ///
    /// ```
    /// use carafe_core::{clock::Timestamp, json::tag::DateTime};
    /// let now = Timestamp::from_unix(1_700_000_000);
    /// assert_eq!(DateTime::from(now).timestamp(), now);
    /// ```
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.timestamp
    }

    /// Returns the offset from UTC in the text, in seconds.
    ///
    /// Serializing always writes UTC, as Flask does.
    ///
    /// ```
    /// use carafe_core::json::tag::DateTime;
    /// let date: DateTime = "Wed, 15 Nov 2023 00:13:20 +0200".parse()?;
    /// assert_eq!(date.offset_seconds(), 7200);
    /// # Ok::<(), carafe_core::json::tag::ParseDateError>(())
    /// ```
    #[must_use]
    pub const fn offset_seconds(self) -> i32 {
        self.offset
    }

    /// Parses the date in a raw JSON string.
    pub(in crate::json) fn of_raw(raw: &str) -> Option<Self> {
        string::decode(raw).ok()?.parse().ok()
    }
}

/// Converts to UTC, clamped to the years 1 to 9999.
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

/// Rounds down to whole seconds, as Flask does.
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
        // Every platform's clock can represent the years 1 to 9999, except Windows' before 1601.
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

/// Parses a date that jiff's time zones exclude but jiff's calendar includes.
///
/// The time zones exclude the last day before Python's `datetime.max`, which some applications
/// store for "never".
#[cold]
fn http_date(text: &str) -> Result<DateTime, ParseDateError> {
    let date = civil::DateTime::strptime(HTTP_DATE, text).map_err(|_| ParseDateError)?;
    Ok(DateTime::from(Timestamp::from_unix(
        date.duration_since(EPOCH).as_secs(),
    )))
}

/// The error of a text that is not a date in the formats of HTTP and e-mail.
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
        // Every constructor ensures the years 1 to 9999, so the sum exists.
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
mod tests;
