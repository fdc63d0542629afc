//! What a misspelt name was probably meant to be.

/// `; did you mean …?` where a candidate is near enough, else nothing.
pub(crate) fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, candidates) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    }
}

/// The candidate that is nearest to a name, if any is near.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance is quadratic in the lengths, and no name of ours is longer.
    let name: String = name.chars().take(64).collect::<String>().to_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&name, candidate);
    let near = |candidate: &&str| {
        strsim::damerau_levenshtein(&name, candidate) <= 1 + candidate.len() / 4 || score(candidate) > 0.88
    };
    candidates.into_iter().filter(near).max_by(|a, b| score(a).total_cmp(&score(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let names = ["url", "kind", "required", "api_key", "timeouts"];
        for (slip, meant) in
            [("urll", "url"), ("requird", "required"), ("apikey", "api_key"), ("timeout", "timeouts")]
        {
            assert_eq!(nearest(slip, names), Some(meant), "{slip}");
        }
        assert_eq!(nearest("banana", names), None);
        assert_eq!(nearest(&"é".repeat(10_000), names), None);
        assert_eq!(suggestion("Kind", names), "; did you mean `kind`?");
    }
}
