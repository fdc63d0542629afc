//! Sizes as people write them: `"20GiB"`, `"500MB"`.

/// The units with their bytes, from the largest.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Reads a size in bytes; the letters' case does not count.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with the text.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = (&text[..digits], text[digits..].trim_start());
    if number.is_empty() {
        return Err("is no size".to_owned());
    }
    if unit.is_empty() {
        return Err("has no unit".to_owned());
    }
    let Some((_, scale)) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) else {
        let unit: String = unit.chars().take(20).collect();
        return Err(format!("has no unit that is known: `{unit}`"));
    };
    number.parse::<u64>().ok().and_then(|n| n.checked_mul(*scale)).ok_or_else(|| "is too large".to_owned())
}

/// Writes a size with the largest unit that needs no fraction.
pub fn show_size(bytes: u64) -> String {
    let fits = |scale: u64| bytes >= scale && bytes.is_multiple_of(scale);
    let (unit, scale) = UNITS.into_iter().find(|(_, scale)| fits(*scale)).unwrap_or(("B", 1));
    format!("{}{unit}", bytes / scale)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_what_people_write_and_says_what_is_wrong() {
        assert_eq!(parse_size("20GiB"), Ok(20 << 30));
        assert_eq!(parse_size("10 mb"), Ok(10_000_000));
        for (text, why) in [
            ("20", "has no unit"),
            ("GiB", "is no size"),
            ("1.5GiB", "has no unit that is known: `.5GiB`"),
            ("99999999TiB", "is too large"),
        ] {
            assert_eq!(parse_size(text), Err(why.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bytes in any::<u64>()) {
            prop_assert_eq!(parse_size(&show_size(bytes)), Ok(bytes));
        }

        #[test]
        fn no_text_is_a_panic(text in "\\PC*") {
            let _ = parse_size(&text);
        }
    }
}
