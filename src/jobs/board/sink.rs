//! What an execution reports, put on the board of its job.

use super::Board;
use crate::{
    backends::{Report, Sink},
    model::EventBody,
};

impl Sink for Board {
    fn report(&self, report: Report) {
        match report {
            // Steps of the job, which its driver takes.
            Report::Accepted { .. } | Report::Started => {}
            Report::Waiting { position } => {
                let place = position.map_or_else(|| "it waits".to_owned(), |p| format!("{p} before it"));
                self.update(|status| status.progress.get_or_insert_default().message = Some(place));
            }
            Report::Progress(progress) => {
                let job = self.id();
                self.update(|status| status.progress = Some(progress.clone()));
                self.hub.tell(EventBody::JobProgress { job, progress });
            }
            Report::Delta(text) => self.append(&text),
            Report::Preview(bytes) => {
                self.preview.send_replace(Some(bytes));
            }
            Report::Partial(json) => self.update(|status| {
                status.progress.get_or_insert_default().message =
                    Some(crate::model::fault::clean(&json, 200));
            }),
            Report::Note(text) => self.note(text),
        }
    }
}
