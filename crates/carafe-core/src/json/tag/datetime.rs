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

use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};

use super::{DATETIME, Parsed, Piece};
use crate::{clock::Timestamp, json::string};

/// Any weekday will do: Python ignores it.
const PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
const PRINTER: DateTimePrinter = DateTimePrinter::new();
/// Python's datetime ends where these years do: 1 and 9999.
const YEARS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// Seconds in 400 years, after which dates and weekdays repeat. jiff's moments end 26 hours before the
/// year 9999 does, and Python's `datetime.max` is after that, so that year is read and written as 9599.
const CYCLE: i64 = 146_097 * 86_400;

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
        let earlier = text
            .contains(" 9999 ")
            .then(|| text.replace(" 9999 ", " 9599 "));
        let moved = if earlier.is_some() { CYCLE } else { 0 };
        let date = PARSER.parse_zoned(earlier.as_deref().unwrap_or(text));
        let date = date.map_err(|_| ParseDateError)?;
        let seconds = date.timestamp().as_second() + moved;
        if !YEARS.contains(&seconds) {
            return Err(ParseDateError);
        }
        Ok(Self {
            timestamp: Timestamp::from_unix(seconds),
            offset: date.offset().seconds(),
        })
    }
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
        let seconds = self.timestamp.unix();
        let last_year = seconds >= YEARS.end() - 366 * 86_400;
        let moved = if last_year { CYCLE } else { 0 };
        let moment = jiff::Timestamp::from_second(seconds - moved).map_err(S::Error::custom)?;
        let mut plain = PRINTER
            .timestamp_to_rfc9110_string(&moment)
            .map_err(S::Error::custom)?;
        if last_year {
            plain = plain
                .replace(" 9599 ", " 9999 ")
                .replace(" 9598 ", " 9998 ");
        }
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
    use crate::json::{Style, to_text};

    #[test]
    fn the_years_of_python_are_written_and_read_to_their_last_second() {
        for (unix, text) in [
            (*YEARS.end(), "Fri, 31 Dec 9999 23:59:59 GMT"),
            (*YEARS.end() - 2 * 86_400, "Wed, 29 Dec 9999 23:59:59 GMT"),
            (*YEARS.end() - 365 * 86_400, "Thu, 31 Dec 9998 23:59:59 GMT"),
            (*YEARS.end() - 366 * 86_400, "Wed, 30 Dec 9998 23:59:59 GMT"),
            (*YEARS.end() - 367 * 86_400, "Tue, 29 Dec 9998 23:59:59 GMT"),
            (*YEARS.start(), "Mon, 01 Jan 0001 00:00:00 GMT"),
        ] {
            let date = DateTime::from(Timestamp::from_unix(unix));
            let json = format!(r#"{{" d":"{text}"}}"#);
            assert_eq!(to_text(&date, Style::FLASK).as_deref(), Ok(json.as_str()));
            assert_eq!(text.parse(), Ok(date), "{text}");
        }
        assert!(
            "Sat, 01 Jan 10000 00:00:00 GMT"
                .parse::<DateTime>()
                .is_err()
        );
        assert!(
            "Fri, 31 Dec 9999 23:59:59 -0100"
                .parse::<DateTime>()
                .is_err()
        );
    }
}
