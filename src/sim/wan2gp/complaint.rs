//! The words of the simulated server's complaints, as WanGP 12.60 says them.

use crate::sim::wan2gp::rpc::Said;

/// A tool that raised an error.
pub(super) fn raised(tool: &str, words: &str) -> Said {
    Said::Complaint(format!("Error executing tool {tool}: {words}"))
}

/// Python shows the text of a `KeyError` in quotes.
pub(super) fn unknown_job(tool: &str, job: &str) -> Said {
    raised(tool, &format!("'Unknown WanGP job_id: {job}'"))
}

pub(super) fn unknown_file(tool: &str, id: &str) -> Said {
    raised(tool, &format!("'Unknown WanGP gallery_id: {id}'"))
}

pub(super) fn busy(tool: &str) -> Said {
    raised(tool, "WanGP session already has a generation in progress")
}

pub(super) fn path(tool: &str, setting: &str) -> Said {
    let words = format!(
        "Direct filesystem paths are disabled for this MCP server. Use a Gallery id for {setting}, or restart with \
         filesystem reads enabled."
    );
    raised(tool, &words)
}

pub(super) fn extension(tool: &str) -> Said {
    raised(tool, "filename must have a supported image, video, or audio extension")
}

pub(super) fn unknown_tool(tool: &str) -> Said {
    Said::Complaint(format!("Unknown tool: {tool}"))
}
