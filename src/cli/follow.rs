//! A job of the running instance, watched to its end.

use std::{process::ExitCode, time::Duration};

use http::Method;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    args::Common,
    instance::Reached,
    outcome::{FAILED, Stop, UNCERTAIN},
    print::{errln, out, outln},
};
use crate::{
    model::{Fault, JobState, OutputFile, Progress, fault::clean, fault::clean_lines},
    net::sse::{EVENT_CAP, SseDecoder, SseEvent},
};

/// Longest wait for the head of an answer.
const HEAD: Duration = Duration::from_secs(10);
/// Longest silence of a stream: the instance says something every 15 s.
const SILENCE: Duration = Duration::from_secs(60);

/// What is read of a job.
#[derive(Deserialize)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) state: JobState,
    pub(crate) target: String,
    pub(crate) work: String,
    pub(crate) backend: Option<String>,
    #[serde(default)]
    pub(crate) attempts: u32,
    pub(crate) progress: Option<Progress>,
    pub(crate) outputs: Vec<OutputFile>,
    pub(crate) result: Option<Box<RawValue>>,
    pub(crate) error: Option<Fault>,
    pub(crate) timeline: Vec<Step>,
    /// All of it.
    #[serde(skip)]
    whole: serde_json::Value,
}

#[derive(Deserialize)]
pub(crate) struct Step {
    pub(crate) at: jiff::Timestamp,
    pub(crate) state: JobState,
    pub(crate) evidence: String,
}

impl Job {
    pub(crate) fn read(document: &RawValue) -> Result<Self, Stop> {
        let strange = |e: serde_json::Error| Stop::failed(format!("the instance is of another version: {e}"));
        let job: Self = serde_json::from_str(document.get()).map_err(strange)?;
        Ok(Self { whole: serde_json::from_str(document.get()).map_err(strange)?, ..job })
    }

    /// The job as a document.
    pub(crate) fn document(&self) -> String {
        self.whole.to_string()
    }

    /// Says where its outputs are now.
    pub(crate) fn place(&mut self, outputs: Vec<OutputFile>) {
        self.whole["outputs"] = serde_json::to_value(&outputs).unwrap_or_default();
        self.outputs = outputs;
    }
}

/// How the watching ended.
pub(crate) enum Followed {
    Ended(Box<Job>),
    /// The instance went away.
    Lost,
}

/// What a caller sees of it.
pub(crate) struct View {
    sight: Sight,
    /// The byte of its text that comes next.
    offset: usize,
    /// The last document, for changes of the progress alone.
    last: Option<serde_json::Value>,
}

enum Sight {
    Lines,
    Picture(ProgressBar),
}

#[derive(Deserialize)]
struct Entered {
    status: Box<RawValue>,
}

#[derive(Deserialize)]
struct Moved {
    progress: Progress,
}

#[derive(Deserialize)]
struct Said {
    offset: usize,
    text: String,
}

/// Watches a job to its end.
pub(crate) async fn follow(reached: &Reached, id: &str, view: &mut View) -> Result<Followed, Stop> {
    let request = reached
        .request(Method::GET, &format!("api/v1/jobs/{id}/events"), None)
        .query(&[("offset", view.offset.to_string())]);
    let mut answer = reached.answer(request, HEAD).await?;
    let mut decoder = SseDecoder::new(EVENT_CAP);
    loop {
        let Ok(Ok(Some(chunk))) = tokio::time::timeout(SILENCE, answer.chunk()).await else {
            return Ok(Followed::Lost);
        };
        decoder.feed(&chunk);
        let next = |decoder: &mut SseDecoder| decoder.next_event().map_err(|e| Stop::failed(e.to_string()));
        while let Some(event) = next(&mut decoder)? {
            if let Some(job) = view.take(&event)? {
                return Ok(Followed::Ended(Box::new(job)));
            }
        }
    }
}

impl View {
    pub(crate) fn new(common: &Common) -> Self {
        let sight = if common.json { Sight::Lines } else { Sight::Picture(bar(common)) };
        Self { sight, offset: 0, last: None }
    }

    /// Shows an event; answers the job where it is its end.
    fn take(&mut self, event: &SseEvent) -> Result<Option<Job>, Stop> {
        let strange = |e: serde_json::Error| Stop::failed(format!("the instance is of another version: {e}"));
        match event.event.as_str() {
            "job.state" => {
                let entered: Entered = serde_json::from_str(&event.data).map_err(strange)?;
                let job = Job::read(&entered.status)?;
                if job.state.is_end() {
                    self.finish();
                    return Ok(Some(job));
                }
                self.show(&job);
                self.last = Some(job.whole);
            }
            "job.progress" => {
                let moved: Moved = serde_json::from_str(&event.data).map_err(strange)?;
                self.show_progress(&moved.progress);
            }
            "job.delta" => self.say(&serde_json::from_str(&event.data).map_err(strange)?),
            _ => {}
        }
        Ok(None)
    }

    fn show(&self, job: &Job) {
        match &self.sight {
            Sight::Lines => outln!("{}", job.document()),
            Sight::Picture(bar) => bar.set_message(match &job.backend {
                Some(backend) => format!("{} on {backend}", job.state),
                None => format!("{}, waiting for {}", job.state, clean(&job.target, 40)),
            }),
        }
    }

    fn show_progress(&mut self, now: &Progress) {
        match &self.sight {
            Sight::Lines => {
                if let Some(last) = &mut self.last {
                    last["progress"] = serde_json::to_value(now).unwrap_or_default();
                    outln!("{last}");
                }
            }
            Sight::Picture(bar) => {
                bar.set_length(now.max.unwrap_or_default() as u64);
                bar.set_position(now.value as u64);
                let node = now.node.as_deref().or(now.message.as_deref()).unwrap_or_default();
                bar.set_message(clean(node, 60));
            }
        }
    }

    fn say(&mut self, said: &Said) {
        self.offset = said.offset + said.text.len();
        if let Sight::Picture(bar) = &self.sight {
            bar.suspend(|| out!("{}", clean_lines(&said.text, usize::MAX)));
        }
    }

    fn finish(&self) {
        if let Sight::Picture(bar) = &self.sight {
            bar.finish_and_clear();
            if self.offset > 0 {
                outln!();
            }
        }
    }

    /// Whether its text was shown.
    pub(crate) fn spoke(&self) -> bool {
        self.offset > 0
    }
}

/// What the command's exit code says of the end.
pub(crate) fn exit_code(state: JobState) -> ExitCode {
    match state {
        JobState::Done => ExitCode::SUCCESS,
        JobState::Uncertain | JobState::Lost | JobState::Held => ExitCode::from(UNCERTAIN),
        _ => ExitCode::from(FAILED),
    }
}

/// Says how it ended: one document, or words.
pub(crate) fn print_end(common: &Common, job: &Job, spoke: bool) {
    if common.json {
        return outln!("{}", job.document());
    }
    for step in job.timeline.iter().filter(|_| common.verbose > 0) {
        errln!("{:.3}  {:<10} {}", step.at, step.state, step.evidence);
    }
    match &job.error {
        Some(error) => {
            errln!("{}: {error}", job.state);
            if let Some(detail) = error.detail() {
                errln!("{detail}");
            }
            errln!("  fix: {}", error.fix());
        }
        None => errln!("{}", job.state),
    }
    for output in &job.outputs {
        outln!("{}  {}  {} bytes  sha256 {}", output.url, output.media_type, output.bytes, output.sha256);
    }
    if let Some(result) = job.result.as_ref().filter(|_| job.outputs.is_empty() && !spoke) {
        outln!("{}", result.get());
    }
}

pub(crate) fn bar(common: &Common) -> ProgressBar {
    let target = match common.json || common.quiet {
        true => ProgressDrawTarget::hidden(),
        false => ProgressDrawTarget::stderr(),
    };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{bar:30}] {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
