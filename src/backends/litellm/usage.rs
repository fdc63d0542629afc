//! What an answer is said to have used.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::backends::litellm::open::Extra;

/// Tokens used. It is an account, not the answer: what cannot be read of it (a negative or a broken number, a text) is
/// left in `extra` as it came, and counts for nothing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Usage {
    /// By the question.
    pub prompt_tokens: Option<u64>,
    /// By the answer.
    pub completion_tokens: Option<u64>,
    /// Together.
    pub total_tokens: Option<u64>,
    /// Fields that this library does not know, as they came.
    pub extra: Extra,
}

impl Usage {
    /// Tokens by the question, in whichever spelling: the routes for images and audio say `input_tokens`.
    pub fn asked(&self) -> u64 {
        self.prompt_tokens.or_else(|| self.other("input_tokens")).unwrap_or(0)
    }

    /// Tokens by the answer, in whichever spelling; where a server tells only the sum, what the question leaves of it.
    pub fn answered(&self) -> u64 {
        let rest = || self.total_tokens.map(|all| all.saturating_sub(self.asked()));
        self.completion_tokens.or_else(|| self.other("output_tokens")).or_else(rest).unwrap_or(0)
    }

    fn other(&self, name: &str) -> Option<u64> {
        count(self.extra.get(name)?)
    }

    fn known(&mut self) -> [(&'static str, &mut Option<u64>); 3] {
        [
            ("prompt_tokens", &mut self.prompt_tokens),
            ("completion_tokens", &mut self.completion_tokens),
            ("total_tokens", &mut self.total_tokens),
        ]
    }
}

/// A count, also where a server writes it with a point.
fn count(raw: &RawValue) -> Option<u64> {
    if let Ok(whole) = serde_json::from_str(raw.get()) {
        return Some(whole);
    }
    let number: f64 = serde_json::from_str(raw.get()).ok()?;
    let is_count = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was just looked at")]
    is_count.then_some(number as u64)
}

impl<'de> Deserialize<'de> for Usage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let mut usage =
            Self { extra: serde_json::from_str(raw.get()).unwrap_or_default(), ..Self::default() };
        let mut extra = std::mem::take(&mut usage.extra);
        for (name, field) in usage.known() {
            *field = extra.get(name).and_then(|raw| count(raw));
            if field.is_some() || extra.get(name).is_some_and(|raw| raw.get() == "null") {
                extra.shift_remove(name);
            }
        }
        usage.extra = extra;
        Ok(usage)
    }
}

impl Serialize for Usage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let known = [
            ("prompt_tokens", self.prompt_tokens),
            ("completion_tokens", self.completion_tokens),
            ("total_tokens", self.total_tokens),
        ];
        let told = known.into_iter().filter_map(|(name, count)| Some((name, Field::Count(count?))));
        serializer
            .collect_map(told.chain(self.extra.iter().map(|(name, raw)| (name.as_str(), Field::Raw(raw)))))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Field<'a> {
    Count(u64),
    Raw(&'a RawValue),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::litellm::ChatCompletion;

    #[test]
    fn what_cannot_be_read_counts_for_nothing_and_breaks_nothing() {
        for (text, asked, answered) in [
            (r#"{"prompt_tokens":5,"completion_tokens":-1}"#, 5, 0),
            (r#"{"prompt_tokens":-1,"completion_tokens":1.5,"total_tokens":"9"}"#, 0, 0),
            (r#"{"prompt_tokens":5.0,"completion_tokens":2e1}"#, 5, 20),
            (r#"{"prompt_tokens":1e300,"total_tokens":7}"#, 0, 7),
            (r#"{"prompt_tokens":{"text":5}}"#, 0, 0),
            (r#""none""#, 0, 0),
            ("[1,2]", 0, 0),
            ("-3", 0, 0),
        ] {
            let answer = format!(r#"{{"choices":[{{"message":{{"content":"hi"}}}}],"usage":{text}}}"#);
            let completion: ChatCompletion = serde_json::from_str(&answer).unwrap();
            let usage = completion.usage.as_ref().unwrap();
            assert_eq!(
                (completion.text(), usage.asked(), usage.answered()),
                ("hi", asked, answered),
                "{text}"
            );
        }
    }

    #[test]
    fn it_is_written_as_it_came() {
        let text = r#"{"prompt_tokens":5,"completion_tokens":-1,"cost":0.125}"#;
        let usage: Usage = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&usage).unwrap(), text);
        let usage: Usage = serde_json::from_str(r#"{"total_tokens":null,"x":1}"#).unwrap();
        assert_eq!(serde_json::to_string(&usage).unwrap(), r#"{"x":1}"#);
    }
}
