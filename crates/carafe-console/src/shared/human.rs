//! Formats times, numbers and untrusted text for people.

use std::{borrow::Cow, fmt::Write as _};

use carafe_core::clock::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const TWO_DAYS: u64 = 2 * DAY;

/// Formats a time as `2023-11-14 22:13:20 UTC`, or as the plain number after the last date of the
/// calendar.
pub fn utc(at: Timestamp) -> String {
    match jiff::Timestamp::from_second(at.unix()) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("{} seconds after 1970", at.unix()),
    }
}

/// Formats a time as `2023-11-14 22:13` in UTC, for tables.
pub fn minute(at: Timestamp) -> String {
    let full = utc(at);
    match full.strip_suffix(" UTC").and_then(|text| text.get(..16)) {
        Some(text) => text.to_owned(),
        None => full,
    }
}

/// Formats a duration as `12 s`, `5 min`, `3 h` or `1,101 days`, rounded down, in the largest unit
/// that fits.
pub fn span(seconds: u64) -> String {
    match seconds {
        ..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..TWO_DAYS => format!("{} h", seconds / HOUR),
        _ => format!(
            "{} days",
            thousands(usize::try_from(seconds / DAY).unwrap_or(usize::MAX))
        ),
    }
}

/// Formats an age, in the past or in the future.
pub fn ago(age: i64) -> String {
    let span = span(age.unsigned_abs());
    if age < 0 {
        format!("{span} in the future")
    } else {
        format!("{span} ago")
    }
}

/// Formats a number as `4,096`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Escapes untrusted text for a terminal.
///
/// Control characters, bidirectional controls and invisible characters become `\u{…}`, so that the
/// text cannot move the cursor, set a color or hide a part of itself.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_tricky = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    if !text.contains(is_tricky) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        if is_tricky(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_take_the_unit_that_fits() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_600, "1 h"),
            (172_799, "47 h"),
            (2_678_400, "31 days"),
            (95_169_714, "1,101 days"),
        ] {
            assert_eq!(span(seconds), text);
        }
        assert_eq!(ago(-7), "7 s in the future");
        assert_eq!(ago(7), "7 s ago");
    }

    #[test]
    fn numbers_and_times() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (4096, "4,096"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!(
            utc(Timestamp::from_unix(1_700_000_000)),
            "2023-11-14 22:13:20 UTC"
        );
        assert!(utc(Timestamp::from_unix(i64::MAX)).ends_with("after 1970"));
        assert_eq!(
            minute(Timestamp::from_unix(1_700_000_000)),
            "2023-11-14 22:13"
        );
    }

    #[test]
    fn terminals_get_no_orders_from_cookies() {
        assert_eq!(printable("plain é"), "plain é");
        assert_eq!(
            printable("\u{1b}[2J\u{9b}x\u{202e}"),
            "\\u{1b}[2J\\u{9b}x\\u{202e}"
        );
        for code in (0..0x20)
            .chain(0x7f..0xa0)
            .chain(0x2066..0x206a)
            .chain([0xfeff, 0xe0041])
        {
            let character = char::from_u32(code).expect("a character").to_string();
            assert_eq!(printable(&character), format!("\\u{{{code:x}}}"));
        }
    }
}
