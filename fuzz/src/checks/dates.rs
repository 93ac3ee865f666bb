//! HTTP dates, compared with another library's.

use carafe_core::{
    clock::Timestamp,
    cookie::http_date as date,
    json::{JsonDialect, from_text, tag::DateTime, to_text},
};
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

use super::input::Input;

/// Checks a time of eight bytes, then arbitrary text.
///
/// Dates equal jiff's and survive a round trip, in cookies and in sessions.
pub fn http_date(data: &[u8]) {
    let mut input = Input(data);
    let unix = input.i64();
    // Most numbers are far outside the calendar; their remainders are not.
    for unix in [unix, unix % 253_402_300_800, unix % 100_000_000_000] {
        reads_back(unix);
    }
    if let Ok(date) = String::from_utf8_lossy(input.0).parse::<DateTime>() {
        let written = to_text(&date, JsonDialect::FLASK).expect("a date has a text");
        let again: DateTime = from_text(&written, true).expect("what was written is read");
        assert_eq!(again.timestamp(), date.timestamp());
    }
}

fn reads_back(unix: i64) {
    let Ok(text) = date(Timestamp::from_unix(unix)) else {
        assert!(!(-62_135_596_800..=253_402_300_799).contains(&unix));
        return;
    };
    // jiff excludes the last day of the year 9999.
    let Ok(at) = jiff::Timestamp::from_second(unix) else {
        return;
    };
    assert_eq!(
        Some(&text),
        DateTimePrinter::new()
            .timestamp_to_rfc9110_string(&at)
            .as_ref()
            .ok()
    );
    let read = DateTimeParser::new()
        .parse_timestamp(&text)
        .expect("a date");
    assert_eq!(read.as_second(), unix);
}
