//! What WanGP's complaints mean. They are texts, made for people and agents; the words are those of WanGP 12.60. Pure.

use crate::model::{Code, Fault};

/// What a tool complained of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Grief {
    /// It does not know the job. Jobs are never forgotten while it runs, so it is another process now.
    UnknownJob,
    /// It does one generation at a time, and one is under way.
    Busy,
    /// It has no such file in its gallery.
    UnknownFile,
    /// Anything else: the request is at fault, as far as the words tell.
    Other,
}

/// What the words of a tool mean.
pub(super) fn grief(words: &str) -> Grief {
    let has = |part: &str| words.contains(part);
    if has("Unknown WanGP job_id") {
        Grief::UnknownJob
    } else if has("already has a generation in progress") {
        Grief::Busy
    } else if has("Unknown WanGP gallery_id") {
        Grief::UnknownFile
    } else {
        Grief::Other
    }
}

/// The fault of a complaint about a request that was refused, and so never ran.
pub(super) fn refused(place: &str, words: &str) -> Fault {
    let plain = said(words);
    match grief(words) {
        Grief::Busy => {
            Fault::new(Code::QueueFull, format!("{place}: WanGP does one generation at a time, and one is under way"))
                .with_fix("It is sent when that one is over; a second WanGP would work on both at once.")
        }
        Grief::UnknownJob => Fault::new(Code::Lost, format!("{place}: WanGP does not know the job")),
        Grief::UnknownFile => Fault::new(Code::NotFound, format!("{place}: {plain}")),
        Grief::Other if words.contains("filesystem paths are disabled") => {
            Fault::new(Code::BadRequest, format!("{place}: {plain}")).with_fix(
                "Give the file as {\"$file\": PATH}, which uploads it, or start WanGP with --mcp-allow-read-file-system.",
            )
        }
        Grief::Other if words.contains("Unknown tool") => {
            Fault::new(Code::NotFound, format!("{place}: {plain}")).with_fix("Update WanGP: this tool came with 12.")
        }
        Grief::Other => Fault::new(Code::BadRequest, format!("{place}: {plain}")),
    }
}

/// The fault of work that began and failed.
pub(super) fn failed(place: &str, words: &str, stage: Option<&str>) -> Fault {
    let lower = words.to_lowercase();
    let short_of_memory =
        ["out of memory", "outofmemory", "not enough memory"].iter().any(|w| lower.contains(w));
    match (short_of_memory, stage) {
        (true, _) => Fault::new(Code::OutOfMemory, format!("{place}: {words}")),
        (false, Some("validation")) => Fault::new(Code::BadRequest, format!("{place}: {words}"))
            .with_fix("Correct the settings; `wangp_get_model_schema` says what the model takes."),
        (false, _) => Fault::new(Code::ExecutionFailed, format!("{place}: {words}")),
    }
}

/// The words without the library's own (`Error executing tool NAME: 'WORDS'`, MCP library 1.10.1).
fn said(words: &str) -> &str {
    let bare = words
        .strip_prefix("Error executing tool ")
        .and_then(|rest| rest.split_once(": "))
        .map_or(words, |(_, said)| said);
    bare.trim().trim_matches('\'').trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_causes() {
        let unknown = "Error executing tool wangp_get_job: 'Unknown WanGP job_id: zz'";
        assert_eq!(grief(unknown), Grief::UnknownJob);
        let busy = "Error executing tool wangp_generate: WanGP session already has a generation in progress";
        assert_eq!(grief(busy), Grief::Busy);
        assert!(refused("x", busy).is_retryable(), "it is sent again when the other one is over");
        let path =
            "Error executing tool wangp_generate: Direct filesystem paths are disabled for this MCP server.";
        assert!(refused("x", path).fix().contains("$file"));
        let text = refused("x", "Error executing tool wangp_generate: source must be a settings dict");
        assert_eq!((text.code(), text.message()), (Code::BadRequest, "x: source must be a settings dict"));
    }

    #[test]
    fn a_failure_is_the_requests_or_the_backends() {
        assert_eq!(failed("x", "CUDA out of memory. Tried", None).code(), Code::OutOfMemory);
        assert_eq!(failed("x", "resolution", Some("validation")).code(), Code::BadRequest);
        assert_eq!(failed("x", "boom", Some("generation")).code(), Code::ExecutionFailed);
    }
}
