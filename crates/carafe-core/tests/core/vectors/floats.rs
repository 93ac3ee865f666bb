//! `python_floats.jsonl`: the text of a float in Python's JSON.

use carafe_core::json::{JsonDialect, from_text, to_text, write_float};

use super::{lines, text};

#[test]
fn every_float_is_written_and_read_as_python_does() {
    for line in lines("python_floats.jsonl") {
        let bits = u64::from_str_radix(text(&line, "bits"), 16).unwrap();
        let (value, expected) = (f64::from_bits(bits), text(&line, "text"));
        let mut written = String::new();
        write_float(value, &mut written);
        assert_eq!(written, expected);
        assert_eq!(to_text(&value, JsonDialect::FLASK).unwrap(), expected);
        let read: f64 = from_text(expected, true).unwrap();
        assert!(
            read.to_bits() == bits || read.is_nan() && value.is_nan(),
            "{expected} is read as {read}"
        );
    }
}
