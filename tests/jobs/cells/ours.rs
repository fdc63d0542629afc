//! The rows in which our own process dies, or our own disk fails.

use std::sync::Arc;

use backline::{
    Wanted,
    jobs::Job,
    model::{JobState, JobStatus},
    sim::Act,
    state::Store,
};

use super::{Played, Scene};
use crate::{
    home::{LIMIT, end, end_of, until},
    stand::Column,
};

impl Scene<'_> {
    pub(super) async fn adopted_then_killed(&self) -> Arc<JobStatus> {
        let first = self.start().await;
        let id = self.running(&first).await.id();
        drop(first);
        let second = self.start().await;
        let job = second.job(id).await.unwrap();
        until(&job, |s| s.timeline.iter().any(|step| step.evidence.contains("under way again"))).await;
        self.kill(&second).await;
        end(&job).await
    }

    pub(super) async fn we_die_queued(&self) -> Arc<JobStatus> {
        self.stand.server().kill();
        let first = self.home.start().await;
        let id = self.submit(&first, 1).await.id();
        drop(first);
        self.stand.server().restart().await.unwrap();
        end_of(&self.start().await, id).await
    }

    /// The intent is on the disk, and the request on its way.
    pub(super) async fn we_die_at_intent(&self) -> Arc<JobStatus> {
        let first = self.start().await;
        if self.stand.column == Column::Wan2gp {
            self.stand.server().freeze();
        } else {
            self.stand.server().trouble(self.stand.submit(), Some(1), Act::Hang);
        }
        let job = self.submit(&first, 1).await;
        until(&job, |s| s.attempts == 1).await;
        if self.stand.column != Column::Wan2gp {
            self.asked(self.stand.submit()).await;
        }
        let id = job.id();
        drop(first);
        self.stand.server().thaw();
        end_of(&self.start().await, id).await
    }

    pub(super) async fn we_die_sent(&self) -> Played {
        let first = self.start().await;
        let other = self.another_under_way(&first).await;
        let job = self.submit(&first, 1).await;
        self.waits_there(&job).await;
        let (id, other) = (job.id(), other.id());
        drop(first);
        let second = self.start().await;
        end_of(&second, other).await;
        let status = end_of(&second, id).await;
        Played { status, others: if self.stand.column == Column::Comfyui { (1, 1) } else { (0, 0) } }
    }

    pub(super) async fn we_die_running(&self) -> Arc<JobStatus> {
        let first = self.start().await;
        let id = self.running(&first).await.id();
        drop(first);
        end_of(&self.start().await, id).await
    }

    pub(super) async fn we_die_fetching(&self) -> Arc<JobStatus> {
        let first = self.start().await;
        self.stand.server().trouble(self.stand.fetch(), None, Act::Hang);
        let job = self.submit(&first, 1).await;
        until(&job, |s| s.state == JobState::Fetching).await;
        let id = job.id();
        drop(first);
        self.stand.server().calm();
        end_of(&self.start().await, id).await
    }

    pub(super) async fn we_die_ended(&self) -> Arc<JobStatus> {
        let first = self.start().await;
        let job = self.submit(&first, 1).await;
        let before = end(&job).await;
        drop(first);
        let after = end_of(&self.start().await, before.id).await;
        assert_eq!((after.state, after.attempts), (before.state, before.attempts));
        after
    }

    /// Commits fail while it runs.
    pub(super) async fn disk_error_steps(&self) -> Arc<JobStatus> {
        let store = Store::in_memory().await.unwrap();
        let supervisor = self.home.start_over(store.clone()).await;
        supervisor.ready(Wanted::All, LIMIT).await.unwrap();
        let job = self.stand.job(1).save_to(self.home.path("outputs"));
        let job = supervisor.submit(job).await.unwrap().job;
        until(&job, |s| s.attempts == 1).await;
        store.fail_commits(1, 3);
        let status = end(&job).await;
        assert!(store.failures_played() > 0, "the disk did not fail");
        status
    }

    pub(super) async fn disk_error_outputs(&self) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        // A file where the directory should be.
        let place = self.home.path("taken");
        std::fs::write(&place, "").unwrap();
        let job: Job = self.stand.job(1).save_to(place.join("below"));
        end(&supervisor.submit(job).await.unwrap().job).await
    }
}
