//! The actor of the settings: takes wishes, has them carried out one after the other.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use crate::{
    connection::alarm::Task,
    error::Error,
    settings::{
        Change,
        crew::{Crew, Wish},
        standing::Recall,
    },
};

/// Wishes that may wait.
const LIMIT: usize = 64;
/// Between attempts to read what earlier runs kept.
const AGAIN: Duration = Duration::from_secs(5);

/// Where the answer goes; a wish of nobody's has none.
pub(crate) type Reply = Option<oneshot::Sender<Result<Change, Error>>>;

pub(crate) enum Msg {
    Wish(Wish, Reply),
    /// The wish that was under way ended.
    Ended(Ending),
}

/// How the carrying out of a wish ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Done,
    /// It did not come to its end: a bug.
    Broken,
}

pub(crate) struct Steward;

pub(crate) struct State {
    myself: ActorRef<Msg>,
    crew: Arc<Crew>,
    waiting: VecDeque<(Wish, Reply)>,
    at_work: Option<Task>,
    _recall: Task,
    _sweeps: Task,
    #[cfg(feature = "cli")]
    _watch: Option<Task>,
}

impl Actor for Steward {
    type Msg = Msg;
    type State = State;
    type Arguments = Arc<Crew>;

    async fn pre_start(&self, myself: ActorRef<Msg>, crew: Arc<Crew>) -> Result<State, ActorProcessingErr> {
        let mut state = State {
            _sweeps: sweeps(&crew, myself.clone()),
            _recall: recall(crew.clone(), myself.clone()),
            #[cfg(feature = "cli")]
            _watch: watch(&crew, &myself),
            myself,
            crew,
            waiting: VecDeque::new(),
            at_work: None,
        };
        state.take(Wish::Begin, None);
        Ok(state)
    }

    async fn handle(&self, _: ActorRef<Msg>, msg: Msg, state: &mut State) -> Result<(), ActorProcessingErr> {
        match msg {
            Msg::Wish(wish, reply) => state.take(wish, reply),
            Msg::Ended(Ending::Done) => {
                state.at_work = None;
                state.go_on();
            }
            Msg::Ended(Ending::Broken) => return Err("a change of the settings crashed".into()),
        }
        Ok(())
    }
}

impl State {
    fn take(&mut self, wish: Wish, reply: Reply) {
        // One look at the files that is still to come sees what the second would.
        let is_double = matches!(wish, Wish::Reload)
            && reply.is_none()
            && self.waiting.iter().any(|(waiting, _)| matches!(waiting, Wish::Reload));
        if is_double {
            return;
        }
        if self.waiting.len() >= LIMIT {
            answer(reply, Err(Error::TooMany { actor: "settings", limit: LIMIT }));
            return;
        }
        self.waiting.push_back((wish, reply));
        self.go_on();
    }

    fn go_on(&mut self) {
        if self.at_work.is_some() {
            return;
        }
        let Some((wish, reply)) = self.waiting.pop_front() else { return };
        let (crew, end) = (self.crew.clone(), End { actor: self.myself.clone(), how: Ending::Broken });
        self.at_work = Some(Task::spawn(async move {
            let unasked = reply.is_none();
            let (what, outcome) = (wish.name(), crew.serve(wish).await);
            if let (true, Err(error)) = (unasked, &outcome) {
                crew.teller.failed(what, error);
            }
            answer(reply, outcome);
            end.well();
        }));
    }
}

/// Takes what each sweep finds. One that ended while the actor was away is taken when it is back.
fn sweeps(crew: &Crew, actor: ActorRef<Msg>) -> Task {
    let mut swept = crew.standing.swept.subscribe();
    swept.mark_changed();
    Task::spawn(async move {
        while swept.changed().await.is_ok() {
            let finds = swept.borrow_and_update().clone();
            if let Some(finds) = finds {
                let _ = actor.cast(Msg::Wish(Wish::Sweep(finds), None));
            }
        }
    })
}

/// Asks again for what earlier runs kept, until it has been read.
fn recall(crew: Arc<Crew>, actor: ActorRef<Msg>) -> Task {
    Task::spawn(async move {
        loop {
            tokio::time::sleep(AGAIN).await;
            crew.shelf.open().await;
            if crew.standing.now().recall == Recall::Done {
                return;
            }
            let _ = actor.cast(Msg::Wish(Wish::Begin, None));
        }
    })
}

fn answer(reply: Reply, outcome: Result<Change, Error>) {
    if let Some(reply) = reply {
        // Whoever asked may have stopped waiting; it is done all the same.
        let _ = reply.send(outcome);
    }
}

/// Says how it ended, also where it panicked.
struct End {
    actor: ActorRef<Msg>,
    how: Ending,
}

impl End {
    fn well(mut self) {
        self.how = Ending::Done;
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // An actor that is gone waits for nothing.
        let _ = self.actor.cast(Msg::Ended(self.how));
    }
}

/// Looks after the files, where there are some.
#[cfg(feature = "cli")]
fn watch(crew: &Crew, myself: &ActorRef<Msg>) -> Option<Task> {
    use crate::settings::{layers::Layers, watch};
    let Layers::Read(_) = crew.standing.now().layers else { return None };
    let actor = myself.clone();
    Some(watch::start(crew.standing.sought.subscribe(), move || {
        let _ = actor.cast(Msg::Wish(Wish::Reload, None));
    }))
}
