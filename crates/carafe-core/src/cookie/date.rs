//! `Expires` text: IMF-fixdate, `Tue, 14 Nov 2023 22:13:20 GMT` (RFC 9110 §5.6.7).
//!
//! Written by hand, because a permanent session writes one on every response: 29 bytes put together with a
//! few divisions, no calendar type. The tests compare every step with jiff.

use super::CookieError;
use crate::clock::Timestamp;

const DAY: i64 = 24 * 60 * 60;
/// 0001-01-01 00:00:00 and 9999-12-31 23:59:59: the years that have four digits.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// The time as an HTTP date, as `Expires` has it.
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
/// [`CookieError::Date`] outside the years 0001 to 9999, which have no such text.
pub fn http_date(at: Timestamp) -> Result<String, CookieError> {
    let mut out = String::with_capacity(29);
    append_http_date(at, &mut out)?;
    Ok(out)
}

/// Appends the HTTP date; leaves `out` alone on an error.
pub(super) fn append_http_date(at: Timestamp, out: &mut String) -> Result<(), CookieError> {
    let unix = at.unix();
    if !(FIRST..=LAST).contains(&unix) {
        return Err(CookieError::Date { unix });
    }
    let (days, second) = (unix.div_euclid(DAY), unix.rem_euclid(DAY));
    let (year, month, day) = civil(days);
    out.push_str(name_in("ThuFriSatSunMonTueWed", days.rem_euclid(7)));
    out.push_str(", ");
    append_two_digits(day, out);
    out.push(' ');
    out.push_str(name_in("JanFebMarAprMayJunJulAugSepOctNovDec", month - 1));
    out.push(' ');
    append_two_digits(year / 100, out);
    append_two_digits(year % 100, out);
    for (separator, part) in [
        (' ', second / 3600),
        (':', second / 60 % 60),
        (':', second % 60),
    ] {
        out.push(separator);
        append_two_digits(part, out);
    }
    out.push_str(" GMT");
    Ok(())
}

/// Year, month 1–12 and day 1–31 of a day counted from 1970-01-01: Howard Hinnant's `civil_from_days`
/// ("chrono-compatible low-level date algorithms"), where a year begins in March, so that the leap day is its last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The `index`-th name of three letters; empty out of range, which the callers' remainders exclude.
fn name_in(names: &'static str, index: i64) -> &'static str {
    let start = usize::try_from(index)
        .unwrap_or(usize::MAX)
        .saturating_mul(3);
    names
        .get(start..start.saturating_add(3))
        .unwrap_or_default()
}

/// Appends 0–99 as two digits.
fn append_two_digits(number: i64, out: &mut String) {
    for digit in [number / 10, number % 10] {
        out.push(char::from(b'0' + u8::try_from(digit).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use jiff::fmt::rfc2822::DateTimePrinter;
    use proptest::prelude::*;

    use super::{FIRST, LAST, http_date};
    use crate::clock::Timestamp;

    fn jiffs(unix: i64) -> String {
        let at = jiff::Timestamp::from_second(unix).unwrap();
        DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&at)
            .unwrap()
    }

    fn ours(unix: i64) -> String {
        http_date(Timestamp::from_unix(unix)).unwrap()
    }

    #[test]
    fn ckw_9_every_day_of_four_centuries_is_jiffs() {
        for day in 0..=146_097 {
            let unix = day * super::DAY + day % super::DAY;
            assert_eq!(ours(unix), jiffs(unix));
        }
    }

    #[test]
    fn ckw_9_years_without_four_digits_are_refused() {
        assert_eq!(ours(FIRST), "Mon, 01 Jan 0001 00:00:00 GMT");
        assert_eq!(ours(LAST), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(ours(-1), "Wed, 31 Dec 1969 23:59:59 GMT");
        for unix in [FIRST - 1, LAST + 1, i64::MIN, i64::MAX] {
            assert!(http_date(Timestamp::from_unix(unix)).is_err());
        }
    }

    proptest! {
        #[test]
        fn ckw_9_dates_round_trip(unix in 0..=LAST) {
            let text = ours(unix);
            prop_assert_eq!(&text, &jiffs(unix));
            let read = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&text).unwrap();
            prop_assert_eq!(read.as_second(), unix);
        }

        #[test]
        fn ckw_9_dates_before_1970_are_jiffs(unix in FIRST..0) {
            prop_assert_eq!(ours(unix), jiffs(unix));
        }
    }
}
