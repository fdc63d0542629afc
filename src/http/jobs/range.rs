//! The part of a file that a reader asks for. Pure.

/// What of a file is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// From the first byte to the last, both included.
    Bytes(u64, u64),
    /// What was asked for is not in it.
    Nothing,
}

/// Reads `Range` for a file of so many bytes. Several ranges, and what cannot be read, get the whole file, as they may.
pub(super) fn part(range: Option<&str>, length: u64) -> Part {
    let Some((first, last)) = range.and_then(|text| text.trim().strip_prefix("bytes=")?.split_once('-'))
    else {
        return Part::Whole;
    };
    let end = length.saturating_sub(1);
    match (first.trim().parse::<u64>(), last.trim()) {
        (Ok(first), _) if first >= length => Part::Nothing,
        (Ok(first), "") => Part::Bytes(first, end),
        (Ok(first), last) => match last.parse::<u64>() {
            Ok(last) if last >= first => Part::Bytes(first, last.min(end)),
            _ => Part::Whole,
        },
        (Err(_), last) if first.trim().is_empty() => match last.parse::<u64>() {
            Ok(0) => Part::Nothing,
            Ok(_) if length == 0 => Part::Nothing,
            Ok(count) => Part::Bytes(length.saturating_sub(count), end),
            Err(_) => Part::Whole,
        },
        (Err(_), _) => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_what_was_asked_for_and_lies_in_the_file() {
        for (range, length, expected) in [
            (None, 10, Part::Whole),
            (Some("bytes=0-"), 10, Part::Bytes(0, 9)),
            (Some("bytes=2-4"), 10, Part::Bytes(2, 4)),
            (Some("bytes=2-400"), 10, Part::Bytes(2, 9)),
            (Some("bytes=-3"), 10, Part::Bytes(7, 9)),
            (Some("bytes=-30"), 10, Part::Bytes(0, 9)),
            (Some("bytes=10-"), 10, Part::Nothing),
            (Some("bytes=-0"), 10, Part::Nothing),
            (Some("bytes=0-"), 0, Part::Nothing),
            (Some("bytes=4-2"), 10, Part::Whole),
            (Some("bytes=0-1,3-4"), 10, Part::Whole),
            (Some("items=0-1"), 10, Part::Whole),
            (Some("bytes=18446744073709551616-"), 10, Part::Whole),
            (Some("bytes=--1"), 10, Part::Whole),
        ] {
            assert_eq!(part(range, length), expected, "{range:?} of {length}");
        }
    }
}
