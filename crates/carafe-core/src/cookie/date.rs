//! `Expires` text: IMF-fixdate, `Tue, 14 Nov 2023 22:13:20 GMT` (RFC 9110 §5.6.7).
//!
//! httpdate supports the times since 1970, jiff earlier times and those up to 9999-12-30.

use std::{fmt::Write as _, time::SystemTime};

use httpdate::HttpDate;
use jiff::fmt::rfc2822::DateTimePrinter;

use super::CookieError;
use crate::clock::Timestamp;

/// 0001-01-01 00:00:00 and 9999-12-31 23:59:59, the range of years with four digits.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// Returns the time as an HTTP date, the format of `Expires`.
///
/// ```
/// use carafe_core::{clock::Timestamp, cookie::http_date};
/// let text = http_date(Timestamp::from_unix(1_700_000_000))?;
/// assert_eq!(text, "Tue, 14 Nov 2023 22:13:20 GMT");
/// # Ok::<(), carafe_core::cookie::CookieError>(())
/// ```
///
/// # Errors
///
/// [`CookieError::Date`] outside the years 0001 to 9999, which the format cannot represent.
pub fn http_date(at: Timestamp) -> Result<String, CookieError> {
    let mut out = String::with_capacity(29);
    append_http_date(at, &mut out)?;
    Ok(out)
}

/// Appends the HTTP date. Leaves `out` unchanged on an error.
pub(super) fn append_http_date(at: Timestamp, out: &mut String) -> Result<(), CookieError> {
    let unix = at.unix();
    let error = CookieError::Date { unix };
    if !(FIRST..=LAST).contains(&unix) {
        return Err(error);
    }
    if unix >= 0 {
        return write!(out, "{}", HttpDate::from(SystemTime::from(at))).map_err(|_| error);
    }
    let Ok(time) = jiff::Timestamp::from_second(unix) else {
        return Err(error);
    };
    let written = DateTimePrinter::new().print_timestamp_rfc9110(&time, out);
    written.map_err(|_| error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DateTimePrinter, FIRST, LAST, http_date};
    use crate::clock::Timestamp;

    const DAY: i64 = 24 * 60 * 60;

    /// Formats with jiff, whose last time is a day before `LAST`.
    fn jiffs(unix: i64) -> String {
        let at = jiff::Timestamp::from_second(unix).unwrap();
        let printer = DateTimePrinter::new();
        printer.timestamp_to_rfc9110_string(&at).unwrap()
    }

    fn text(unix: i64) -> String {
        http_date(Timestamp::from_unix(unix)).unwrap()
    }

    #[test]
    fn every_day_of_four_centuries_equals_that_of_jiff() {
        for day in 0..=146_097 {
            let unix = day * DAY + day % DAY;
            assert_eq!(text(unix), jiffs(unix));
        }
    }

    #[test]
    fn years_without_four_digits_are_refused() {
        assert_eq!(text(FIRST), "Mon, 01 Jan 0001 00:00:00 GMT");
        assert_eq!(text(LAST), "Fri, 31 Dec 9999 23:59:59 GMT");
        for unix in [FIRST - 1, LAST + 1, i64::MIN, i64::MAX] {
            assert!(http_date(Timestamp::from_unix(unix)).is_err());
        }
    }

    #[test]
    fn dates_before_1970_are_written() {
        for (unix, expected) in [
            (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (-DAY, "Wed, 31 Dec 1969 00:00:00 GMT"),
            (-2_208_988_800, "Mon, 01 Jan 1900 00:00:00 GMT"),
            (-11_644_473_600, "Mon, 01 Jan 1601 00:00:00 GMT"),
        ] {
            assert_eq!(text(unix), expected);
        }
    }

    proptest! {
        #[test]
        fn dates_round_trip(unix in 0..LAST - 2 * DAY) {
            let text = text(unix);
            prop_assert_eq!(&text, &jiffs(unix));
            let read = httpdate::parse_http_date(&text).unwrap();
            prop_assert_eq!(Timestamp::from(read).unix(), unix);
        }
    }
}
