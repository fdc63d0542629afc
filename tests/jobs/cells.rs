//! What happens in each row of the matrix.

mod ours;

use std::{sync::Arc, time::Duration};

use backline::{
    Supervisor, Wanted,
    jobs::JobHandle,
    model::{JobState, JobStatus, Phase},
    sim::{Act, wan2gp::Lost},
};

use crate::{
    home::{Home, LIMIT, end, until},
    stand::{Column, Stand},
};

/// What a cell came to.
pub(crate) struct Played {
    pub(crate) status: Arc<JobStatus>,
    /// Executions begun and ended at the backend of jobs that are not the cell's.
    pub(crate) others: (u64, u64),
}

/// Every fault that a kind can meet.
pub(crate) fn faults(column: Column) -> impl Iterator<Item = &'static str> {
    const ALL: [&str; 18] = [
        "socket_cut",
        "reply_lost",
        "request_lost",
        "killed_before",
        "killed_mid_run",
        "killed_after_end",
        "restarted",
        "killed_at_its_end",
        "adopted_then_killed",
        "we_die_queued",
        "we_die_at_intent",
        "we_die_sent",
        "we_die_running",
        "we_die_fetching",
        "we_die_ended",
        "disk_error_steps",
        "disk_error_outputs",
        "",
    ];
    ALL.into_iter().filter(move |fault| match *fault {
        "" => false,
        // Only there history is read after the events have told of the end.
        "killed_at_its_end" => column == Column::Comfyui,
        // The others lose a running job with our process.
        "adopted_then_killed" => matches!(column, Column::Comfyui | Column::Wan2gp),
        // Only there work that was sent waits at the backend.
        "we_die_sent" => !matches!(column, Column::Wan2gp | Column::Chat),
        "we_die_fetching" | "disk_error_outputs" => !matches!(column, Column::Generator | Column::Chat),
        _ => true,
    })
}

/// Plays a fault.
pub(crate) async fn play(stand: &Stand, fault: &str) -> Played {
    let scene = Scene { stand, home: Home::new(stand.config()) };
    let status = match fault {
        "socket_cut" => scene.cut().await,
        "reply_lost" => scene.lost(Lost::Answer).await,
        "request_lost" => scene.lost(Lost::Request).await,
        "killed_before" if stand.column == Column::Chat => scene.killed_before_a_byte().await,
        "killed_before" => return scene.killed_before().await,
        "killed_mid_run" => scene.killed_mid_run().await,
        "killed_after_end" => scene.killed_after_end().await,
        "restarted" => scene.restarted().await,
        "killed_at_its_end" => scene.killed_at_its_end().await,
        "adopted_then_killed" => scene.adopted_then_killed().await,
        "we_die_queued" => scene.we_die_queued().await,
        "we_die_at_intent" => scene.we_die_at_intent().await,
        "we_die_sent" => return scene.we_die_sent().await,
        "we_die_running" => scene.we_die_running().await,
        "we_die_fetching" => scene.we_die_fetching().await,
        "we_die_ended" => scene.we_die_ended().await,
        "disk_error_steps" => scene.disk_error_steps().await,
        "disk_error_outputs" => scene.disk_error_outputs().await,
        other => panic!("nothing plays `{other}`"),
    };
    Played { status, others: (0, 0) }
}

struct Scene<'a> {
    stand: &'a Stand,
    home: Home,
}

impl Scene<'_> {
    async fn start(&self) -> Supervisor {
        let supervisor = self.home.start().await;
        supervisor.ready(Wanted::All, LIMIT).await.unwrap();
        supervisor
    }

    async fn submit(&self, supervisor: &Supervisor, nonce: u32) -> JobHandle {
        supervisor.submit(self.stand.job(nonce)).await.unwrap().job
    }

    /// A job that has made two steps.
    async fn in_the_middle(&self, job: &JobHandle) {
        if self.stand.column == Column::Chat {
            let mut words = job.deltas();
            for _ in 0..3 {
                let next = futures_util::StreamExt::next(&mut words);
                tokio::time::timeout(LIMIT, next).await.unwrap().expect("a word");
            }
            return;
        }
        let moving = |s: &JobStatus| match self.stand.column {
            // A generator of the app tells no progress, only values.
            Column::Generator => s.progress.as_ref().is_some_and(|p| {
                p.value >= 2.0 || p.message.as_ref().is_some_and(|m| m.contains("Status: 0 1"))
            }),
            _ => s.progress.as_ref().is_some_and(|p| p.value >= 2.0),
        };
        until(job, |s| s.state == JobState::Running && moving(s)).await;
    }

    async fn running(&self, supervisor: &Supervisor) -> JobHandle {
        let job = self.submit(supervisor, 1).await;
        self.in_the_middle(&job).await;
        job
    }

    /// A job in the middle, that the cell's own waits for.
    async fn another_under_way(&self, supervisor: &Supervisor) -> JobHandle {
        let other = supervisor.submit(self.stand.long(2)).await.unwrap().job;
        self.in_the_middle(&other).await;
        other
    }

    /// Kills the backend and starts it once that was seen.
    async fn kill(&self, supervisor: &Supervisor) {
        self.stand.server().kill();
        let mut cell = supervisor.watch();
        let seen = cell.wait_for(|now| now.backend("b").is_some_and(|b| b.phase != Phase::Ready));
        tokio::time::timeout(LIMIT, seen).await.unwrap().unwrap();
        self.stand.server().restart().await.unwrap();
    }

    async fn cut(&self) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        let job = self.running(&supervisor).await;
        self.stand.server().cut();
        end(&job).await
    }

    async fn lost(&self, lost: Lost) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        self.stand.lose(lost);
        end(&self.submit(&supervisor, 1).await).await
    }

    /// Another job is under way when the backend dies; the cell's own waits, there or here.
    async fn killed_before(&self) -> Played {
        let supervisor = self.start().await;
        let other = self.another_under_way(&supervisor).await;
        let job = self.submit(&supervisor, 1).await;
        if self.stand.column != Column::Wan2gp {
            self.waits_there(&job).await;
        }
        self.kill(&supervisor).await;
        let (other, status) = (end(&other).await, end(&job).await);
        assert_eq!((other.state, other.attempts), (JobState::Done, 2), "{other:#?}");
        let counted = matches!(self.stand.column, Column::Comfyui | Column::Wan2gp);
        Played { status, others: if counted { (2, 1) } else { (0, 0) } }
    }

    /// The backend has it in its queue, and says so.
    async fn waits_there(&self, job: &JobHandle) {
        let waits = |s: &JobStatus| s.progress.as_ref().is_some_and(|p| p.message.is_some());
        until(job, |s| s.state == JobState::Sent && waits(s)).await;
    }

    async fn killed_before_a_byte(&self) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        self.stand.server().trouble(self.stand.submit(), Some(1), Act::Hang);
        let job = self.submit(&supervisor, 1).await;
        self.asked(self.stand.submit()).await;
        self.kill(&supervisor).await;
        end(&job).await
    }

    async fn killed_mid_run(&self) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        let job = self.running(&supervisor).await;
        self.kill(&supervisor).await;
        end(&job).await
    }

    /// Finished, and its files not fetched.
    async fn killed_after_end(&self) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        self.stand.server().trouble(self.stand.fetch(), None, Act::Hang);
        let job = self.submit(&supervisor, 1).await;
        let state = if self.stand.files() > 0 { JobState::Fetching } else { JobState::Done };
        until(&job, |s| s.state == state).await;
        self.stand.server().kill();
        self.stand.server().calm();
        self.kill(&supervisor).await;
        end(&job).await
    }

    /// Killed and back at once, so that no dial is refused.
    async fn restarted(&self) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        let job = self.running(&supervisor).await;
        self.stand.server().restart().await.unwrap();
        end(&job).await
    }

    /// The events have told of the end, and history is not read yet.
    async fn killed_at_its_end(&self) -> Arc<JobStatus> {
        let supervisor = self.start().await;
        let job = self.running(&supervisor).await;
        self.stand.server().trouble("/history/", None, Act::Hang);
        self.asked("/history/").await;
        self.stand.server().kill();
        self.stand.server().calm();
        self.kill(&supervisor).await;
        end(&job).await
    }

    /// Returns once a request for this path has come.
    async fn asked(&self, path: &str) {
        let came = async {
            while !self.stand.server().seen().iter().any(|seen| seen.path.starts_with(path)) {
                // The server tells nobody of its requests.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, came).await.unwrap();
    }
}
