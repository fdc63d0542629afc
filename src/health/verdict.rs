//! From single probes to a judgement, with hysteresis. Pure.

use crate::model::{Code, Fault, Health};

/// What health advises a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// It answers.
    Fit,
    /// It has missed too many probes in a row. Repeated with each further miss.
    Failing(Fault),
}

/// The judgement over one session's probes: down after `fall` misses in a row, up again after `rise` answers.
#[derive(Debug, Clone)]
pub struct Verdict {
    rise: u32,
    fall: u32,
    streak: Streak,
    standing: Standing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Streak {
    Answers(u32),
    Misses(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Up,
    Down,
}

impl Verdict {
    /// For a session that was just opened: its dial was the first proof.
    pub fn new(rise: u32, fall: u32) -> Self {
        Self { rise: rise.max(1), fall: fall.max(1), streak: Streak::Answers(0), standing: Standing::Up }
    }

    /// Takes the outcome of a probe.
    ///
    /// A refused connection is no miss but a proof: nothing listens any more, so it counts at once.
    pub fn take(&mut self, outcome: Result<(), Fault>) -> Option<Advice> {
        match outcome {
            Ok(()) => {
                let answers = match self.streak {
                    Streak::Answers(n) => n.saturating_add(1),
                    Streak::Misses(_) => 1,
                };
                self.streak = Streak::Answers(answers);
                if self.standing == Standing::Down && answers >= self.rise {
                    self.standing = Standing::Up;
                    return Some(Advice::Fit);
                }
                None
            }
            Err(fault) => {
                let misses = match self.streak {
                    Streak::Misses(n) => n.saturating_add(1),
                    Streak::Answers(_) => 1,
                };
                self.streak = Streak::Misses(misses);
                if misses >= self.fall || is_proof(&fault) {
                    self.standing = Standing::Down;
                    return Some(Advice::Failing(fault));
                }
                None
            }
        }
    }

    /// Whether the next probe comes after the short interval: something is about to change.
    pub fn is_unsettled(&self) -> bool {
        self.standing == Standing::Down || matches!(self.streak, Streak::Misses(_))
    }

    /// In one word.
    pub fn health(&self) -> Health {
        match (self.standing, self.streak) {
            (Standing::Down, _) => Health::Unhealthy,
            (Standing::Up, Streak::Misses(_)) => Health::Degraded,
            (Standing::Up, Streak::Answers(_)) => Health::Healthy,
        }
    }
}

/// Whether a fault proves by itself that the session is over.
pub fn is_proof(fault: &Fault) -> bool {
    matches!(
        fault.code(),
        Code::ConnectionRefused
            | Code::ConnectionClosed
            | Code::WrongProgram
            | Code::AuthWrong
            | Code::AuthRequired
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed() -> Result<(), Fault> {
        Err(Fault::new(Code::RequestTimeout, "no answer"))
    }

    #[test]
    fn three_misses_in_a_row_bring_it_down_and_two_answers_up_again() {
        let mut verdict = Verdict::new(2, 3);
        assert_eq!(verdict.take(missed()), None);
        assert_eq!(verdict.take(missed()), None);
        assert_eq!(verdict.take(Ok(())), None, "an answer between begins the count anew");
        assert_eq!(verdict.health(), Health::Healthy);
        assert_eq!([verdict.take(missed()), verdict.take(missed())], [None, None]);
        assert_eq!(verdict.health(), Health::Degraded);
        assert!(matches!(verdict.take(missed()), Some(Advice::Failing(_))));
        assert!(matches!(verdict.take(missed()), Some(Advice::Failing(_))), "said again with each miss");
        assert_eq!(verdict.take(Ok(())), None);
        assert_eq!(verdict.health(), Health::Unhealthy, "one answer is not enough");
        assert_eq!(verdict.take(Ok(())), Some(Advice::Fit));
    }

    #[test]
    fn a_refused_connection_needs_no_second_one() {
        let mut verdict = Verdict::new(2, 3);
        let refused = Err(Fault::new(Code::ConnectionRefused, "nothing is listening"));
        assert!(matches!(verdict.take(refused), Some(Advice::Failing(_))));
    }
}
