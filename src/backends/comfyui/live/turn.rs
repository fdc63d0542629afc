//! An open socket between two things that happen: it reads, and pings where nothing comes.

use std::pin::pin;

use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    backends::comfyui::{
        beat::{Beat, Due, Sound},
        frame::Frame,
        session::Session,
        socket::{Heard, Socket},
    },
    model::Fault,
};

/// What is more than a sign of life.
pub(super) enum Turn {
    /// The session is over.
    Ended,
    Heard(Frame),
    /// A sign of life after a silence.
    Back,
    Silent,
    Lost(Fault),
    Deaf,
}

/// Reads and pings until something is more than a sign of life. What it waits with is kept from one to the next.
pub(super) async fn follow(socket: &mut Socket, session: &Session, beat: &mut Beat) -> Turn {
    let mut over = pin!(session.over());
    let mut deaf = pin!(session.board().deaf.notified());
    let mut alarm = pin!(sleep_until(beat.wakes().unwrap_or_else(Instant::now)));
    loop {
        let wakes = beat.wakes();
        // One that rings too early is set anew then, not at each sign of life.
        if let Some(at) = wakes.filter(|at| alarm.is_elapsed() || *at < alarm.deadline()) {
            alarm.as_mut().reset(at);
        }
        tokio::select! {
            biased;
            () = &mut over => return Turn::Ended,
            heard = socket.next() => match heard {
                Ok(Heard::Frame(frame)) => return Turn::Heard(frame),
                Ok(Heard::Noise) if beat.heard(Instant::now()) == Sound::Ordinary => {}
                Ok(Heard::Noise) => return Turn::Back,
                Err(fault) => return Turn::Lost(fault),
            },
            () = &mut deaf => return Turn::Deaf,
            () = &mut alarm, if wakes.is_some() => match beat.due(Instant::now()) {
                Some(Due::Ping) => {
                    let sent = timeout(session.target().keepalive.deadline, socket.ping()).await;
                    // A peer that reads nothing fills the line; the overdue pong then says so.
                    if let Ok(Err(fault)) = sent {
                        return Turn::Lost(fault);
                    }
                }
                Some(Due::Silence) => return Turn::Silent,
                None => {}
            },
        }
    }
}
