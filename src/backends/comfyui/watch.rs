//! One job as it is watched: frames and polls go in, reports and its end come out. No I/O, no clock.

use std::collections::{HashMap, HashSet};

use crate::{
    backends::{
        RemoteFile, Report,
        comfyui::{
            frame::{Frame, NodeState},
            history::files_of,
            queue::Place,
            workflow::Workflow,
        },
    },
    model::{Fault, Progress},
};

/// Whether the server sends this job's events to our socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// The job was sent under the client id that the socket has.
    Ours,
    /// It was sent under another id, or before this socket: polling alone tells of it.
    Elsewhere,
}

/// How far the job is known to be.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    /// Sent; perhaps it waits.
    Sent,
    /// The server works on it.
    Running,
    /// The events say that it is over; history says what came of it.
    Over(Ending),
}

/// How the events say that a job ended.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// Well.
    Success,
    /// With this fault.
    Failed(Fault),
    /// Somebody interrupted it.
    Interrupted,
    /// It ended, and its verdict was not heard.
    Unsaid,
}

/// Whether it was told that the server has the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    Untold,
    Told,
}

/// One job as it is watched.
#[derive(Debug)]
pub(super) struct Watch {
    id: String,
    arrival: Arrival,
    classes: HashMap<String, String>,
    nodes: usize,
    audience: Audience,
    stage: Stage,
    done: HashSet<String>,
    node: Option<String>,
    last: Option<Progress>,
    place: Option<u64>,
    files: Vec<RemoteFile>,
    frames: u64,
}

impl Watch {
    /// The most files that are remembered from events; history has them all.
    const FILES_CAP: usize = 1_000;

    /// A watch over a job with this workflow.
    pub(super) fn new(id: &str, workflow: &Workflow, audience: Audience) -> Self {
        Self {
            id: id.to_owned(),
            arrival: Arrival::Untold,
            classes: workflow.classes().map(|(id, class)| (id.to_owned(), class.to_owned())).collect(),
            nodes: workflow.len(),
            audience,
            stage: Stage::Sent,
            done: HashSet::new(),
            node: None,
            last: None,
            place: None,
            files: Vec::new(),
            frames: 0,
        }
    }

    /// How far it is.
    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Whether our socket should hear of it.
    pub(super) fn audience(&self) -> Audience {
        self.audience
    }

    /// From here on its events go to another socket, or to none.
    pub(super) fn lose_audience(&mut self) {
        self.audience = Audience::Elsewhere;
    }

    /// Files that the events named: for the case that history no longer has the job.
    pub(super) fn files(&self) -> &[RemoteFile] {
        &self.files
    }

    /// How many frames came: a job whose count stands still has gone quiet.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// The server has it: an answer says so, or its first event, which can be earlier.
    pub(super) fn accepted(&mut self) -> Vec<Report> {
        match std::mem::replace(&mut self.arrival, Arrival::Told) {
            Arrival::Untold => vec![Report::Accepted { remote: self.id.clone() }],
            Arrival::Told => Vec::new(),
        }
    }

    /// Takes a frame that belongs to this job.
    pub(super) fn frame(&mut self, frame: &Frame) -> Vec<Report> {
        let mut reports = self.accepted();
        self.frames += 1;
        if !matches!(self.stage, Stage::Over(_)) {
            self.step(frame, &mut reports);
        }
        reports
    }

    /// Takes what the queue says of this job.
    pub(super) fn polled(&mut self, place: Place) -> Vec<Report> {
        let mut reports = match place {
            Place::Absent => Vec::new(),
            Place::Running | Place::Pending(_) => self.accepted(),
        };
        match (place, &self.stage) {
            (Place::Running, Stage::Sent) => self.begin(&mut reports),
            (Place::Pending(before), Stage::Sent) if self.place != Some(before) => {
                self.place = Some(before);
                reports.push(Report::Waiting { position: Some(before) });
            }
            _ => {}
        }
        reports
    }

    fn step(&mut self, frame: &Frame, reports: &mut Vec<Report>) {
        match frame {
            Frame::Start { .. } => self.begin(reports),
            Frame::Cached { nodes, .. } => {
                self.begin(reports);
                self.done.extend(nodes.iter().cloned());
            }
            Frame::State { nodes, .. } => self.state(nodes, reports),
            Frame::Executing { prompt, node: None } if prompt.is_some() => self.end(Ending::Unsaid),
            Frame::Executing { node: None, .. } => {}
            Frame::Executing { node: Some(node), .. } => {
                self.begin(reports);
                if self.node.as_deref() != Some(node) {
                    self.progress(node, 0.0, None, reports);
                }
            }
            Frame::Progress { node, value, max, .. } => {
                self.begin(reports);
                if let Some(node) = node.clone().or_else(|| self.node.clone()) {
                    self.progress(&node, *value, Some(*max), reports);
                }
            }
            Frame::Executed { node, output, .. } => {
                self.done.insert(node.clone());
                if let Some(output) = output {
                    let room = Self::FILES_CAP.saturating_sub(self.files.len());
                    self.files.extend(files_of(node, output).into_iter().take(room));
                }
            }
            Frame::Success { .. } => self.end(Ending::Success),
            Frame::Error { failure, .. } => self.end(Ending::Failed(failure.fault())),
            Frame::Interrupted { .. } => self.end(Ending::Interrupted),
            Frame::Preview { image, .. } => reports.push(Report::Preview(image.clone())),
            Frame::Text { text, .. } => reports.push(Report::Note(text.clone())),
            Frame::Status { .. } | Frame::Features | Frame::Unknown(_) => {}
        }
    }

    fn begin(&mut self, reports: &mut Vec<Report>) {
        if matches!(self.stage, Stage::Sent) {
            self.stage = Stage::Running;
            reports.push(Report::Started);
        }
    }

    fn end(&mut self, how: Ending) {
        self.stage = Stage::Over(how);
    }

    fn state(&mut self, nodes: &[NodeState], reports: &mut Vec<Report>) {
        self.begin(reports);
        for state in nodes {
            match state.state.as_str() {
                "finished" => {
                    self.done.insert(state.node_id.clone());
                }
                // Before its first step a node stands at 0 of 1, whatever its steps will be.
                "running" if state.value > 0.0 => {
                    self.progress(&state.node_id, state.value, Some(state.max), reports);
                }
                _ => {}
            }
        }
    }

    /// Reports a step, unless the same was reported: `progress_state` and `progress` both tell of each.
    fn progress(&mut self, node: &str, value: f64, max: Option<f64>, reports: &mut Vec<Report>) {
        self.node = Some(node.to_owned());
        let class = self.classes.get(node).map_or(node, String::as_str);
        let done = self.done.len().min(self.nodes);
        let progress = Progress {
            value,
            max: max.filter(|m| *m > 0.0),
            node: Some(class.to_owned()),
            message: Some(format!("node {node}, {done} of {} done", self.nodes)),
            eta_s: None,
        };
        if self.last.as_ref() != Some(&progress) {
            self.last = Some(progress.clone());
            reports.push(Report::Progress(progress));
        }
    }
}

#[cfg(test)]
mod tests;
