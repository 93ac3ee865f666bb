//! Numbers in Python's format.

/// Appends `value` in the format of Python's `repr`, or `NaN`, `Infinity` or `-Infinity`.
///
/// ```
/// use carafe_core::json::write_float;
/// let mut out = String::new();
/// write_float(1e16, &mut out);
/// assert_eq!(out, "1e+16");
/// ```
pub fn write_float(value: f64, out: &mut String) {
    write_shortest(&shortest(value), out);
}

/// Returns the shortest digits that parse to the same number.
///
/// Halfway between two candidates, Rust rounds up and Python rounds to even. A tie needs at least
/// `TIES_FROM` digits.
fn shortest(value: f64) -> String {
    const TIES_FROM: usize = f64::DIGITS as usize;
    let upper = format!("{value:e}");
    let mantissa = upper.split_once('e').map_or("", |(mantissa, _)| mantissa);
    let decimals = mantissa
        .split_once('.')
        .map_or(0, |(_, digits)| digits.len());
    if decimals + 1 < TIES_FROM {
        return upper;
    }
    // At a power of two, the nearest candidate may not round-trip. Then the shortest is used.
    let nearest = format!("{value:.decimals$e}");
    let same = nearest.parse() == Ok(value);
    if same { nearest } else { upper }
}

/// Appends an integer.
pub(super) fn write_unsigned(value: u64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends an integer with a sign if `value` is negative.
pub(super) fn write_signed(value: i64, out: &mut String) {
    out.push_str(itoa::Buffer::new().format(value));
}

/// Appends a float like [`write_float`], with as many digits as single precision needs.
pub(super) fn write_single(value: f32, out: &mut String) {
    write_shortest(&format!("{value:e}"), out);
}

/// Formats the digits of `scientific` as Python's `repr` does.
fn write_shortest(scientific: &str, out: &mut String) {
    let (sign, rest) = match scientific.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", scientific),
    };
    let Some((mantissa, exponent)) = rest.split_once('e') else {
        let word = if rest == "inf" { "Infinity" } else { "NaN" };
        out.extend([sign, word]);
        return;
    };
    let digits: String = mantissa.chars().filter(|&char| char != '.').collect();
    out.push_str(sign);
    match exponent.parse::<i32>() {
        Ok(exponent @ -4..16) => write_positional(&digits, exponent, out),
        _ => write_scientific(mantissa, exponent, out),
    }
}

/// Appends the digits in positional notation. `exponent` belongs to the first digit.
fn write_positional(digits: &str, exponent: i32, out: &mut String) {
    let Ok(whole) = usize::try_from(exponent + 1) else {
        return write_small(digits, exponent, out);
    };
    if whole == 0 {
        return write_small(digits, exponent, out);
    }
    match digits.split_at_checked(whole) {
        Some((whole, "")) => out.extend([whole, ".0"]),
        Some((whole, fraction)) => out.extend([whole, ".", fraction]),
        None => {
            out.push_str(digits);
            out.extend(std::iter::repeat_n('0', whole - digits.len()));
            out.push_str(".0");
        }
    }
}

fn write_small(digits: &str, exponent: i32, out: &mut String) {
    let zeros = exponent.unsigned_abs().saturating_sub(1) as usize;
    out.push_str("0.");
    out.extend(std::iter::repeat_n('0', zeros));
    out.push_str(digits);
}

fn write_scientific(mantissa: &str, exponent: &str, out: &mut String) {
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ("e-", digits),
        None => ("e+", exponent),
    };
    let pad = if digits.len() < 2 { "0" } else { "" };
    out.extend([mantissa, sign, pad, digits]);
}

/// Parses a JSON number, including `NaN` and the infinities.
pub(super) fn read_float(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => text.parse().ok(),
    }
}

/// Returns whether a number's text denotes an integer.
pub(super) fn is_integer(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn float(value: f64) -> String {
        let mut out = String::new();
        write_float(value, &mut out);
        out
    }

    #[test]
    fn integers_have_all_their_digits() {
        for value in [0, 7, 10, -1, 12_345, i64::MIN, i64::MAX] {
            let mut out = String::new();
            write_signed(value, &mut out);
            assert_eq!(out, value.to_string());
        }
        let mut out = String::new();
        write_unsigned(u64::MAX, &mut out);
        assert_eq!(out, u64::MAX.to_string());
    }

    #[test]
    #[expect(
        clippy::excessive_precision,
        reason = "the halves are what these cases are about"
    )]
    fn floats_look_as_in_python() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (9.99, "9.99"),
            (0.5, "0.5"),
            (100.0, "100.0"),
            (0.0001, "0.0001"),
            (0.00012, "0.00012"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (123_456_789_012_345.0, "123456789012345.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.234e16, "1.234e+16"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (-1.5e300, "-1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (0.1 + 0.2, "0.30000000000000004"),
            // Halfway between two shortest representations.
            (781_574_850_519_140.25, "781574850519140.2"),
            (781_574_850_519_140.75, "781574850519140.8"),
            (24_360_175_949_182.562_5, "24360175949182.562"),
            (-24_360_175_949_182.687_5, "-24360175949182.688"),
            // Below a power of two, the numbers are closer together than above it.
            (2_f64.powi(-44), "5.684341886080802e-14"),
            (9_007_199_254_740_993.0, "9007199254740992.0"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "Infinity"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn single_precision_has_its_own_shortest_digits() {
        let mut out = String::new();
        write_single(0.1, &mut out);
        assert_eq!(out, "0.1");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let back = read_float(&float(value)).expect("a number");
            prop_assert!(back.to_bits() == bits || value.is_nan() && back.is_nan());
        }
    }
}
