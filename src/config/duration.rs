//! Durations as people write them: `"5s"`, `"250ms"`, `"1m30s"`.

use std::time::Duration;

/// The units, from the largest, with their milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a duration.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err("is empty".to_owned());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let letters = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        let (number, unit) = (&rest[..digits], &rest[digits..digits + letters]);
        rest = rest[digits + letters..].trim_start();
        if number.is_empty() || (unit.is_empty() && !rest.is_empty()) {
            return Err("is no duration".to_owned());
        }
        if unit.is_empty() {
            return Err("has no unit".to_owned());
        }
        let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("has no unit that is known: `{unit}`"));
        };
        let part = number.parse::<u64>().ok().and_then(|n| n.checked_mul(*scale));
        total = part.and_then(|part| total.checked_add(part)).ok_or("is too long")?;
    }
    Ok(Duration::from_millis(total))
}

/// Writes a duration with the largest unit that needs no fraction; parts below a millisecond are cut.
pub fn show_duration(duration: Duration) -> String {
    let total = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fits = |scale: u64| total >= scale && total.is_multiple_of(scale);
    let (unit, scale) = UNITS.into_iter().find(|(_, scale)| fits(*scale)).unwrap_or(("s", 1_000));
    format!("{}{unit}", total / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, millis) in
            [("5s", 5_000), ("250ms", 250), ("2m", 120_000), ("1m30s", 90_000), (" 1h 5s ", 3_605_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, why) in [
            ("", "is empty"),
            ("5", "has no unit"),
            ("s", "is no duration"),
            ("1.5s", "is no duration"),
            ("-5s", "is no duration"),
            ("5 s", "is no duration"),
            ("5sec", "has no unit that is known: `sec`"),
            ("99999999999999999999s", "is too long"),
            ("5é", "has no unit"),
        ] {
            assert!(parse_duration(text).is_err_and(|e| e == why || text.contains('é')), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(millis in any::<u64>()) {
            let duration = Duration::from_millis(millis);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC*") {
            let _ = parse_duration(&text);
        }
    }
}
