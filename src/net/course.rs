//! How far a dial came, and when: for who tests a server stage by stage. A dial that nobody tests keeps nothing of it.

use std::cell::RefCell;

use tokio::time::Instant;

/// What a dial has behind it, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something answered a request.
    Http,
    /// It is the program that is meant.
    Api,
    /// It let us in.
    Auth,
}

/// The steps of a dial, each with the time at which it was done.
pub(crate) type Course = Vec<(Step, Instant)>;

tokio::task_local! {
    static COURSE: RefCell<Course>;
}

/// Runs a dial, and answers with its course beside what came of it.
///
/// # Cancel safety
/// As the dial's.
pub(crate) async fn followed<T>(dial: impl Future<Output = T>) -> (T, Course) {
    let whole = async {
        let dialed = dial.await;
        (dialed, COURSE.with(RefCell::take))
    };
    COURSE.scope(RefCell::default(), whole).await
}

/// A step is done. It counts the first time.
pub(crate) fn passed(step: Step) {
    let note = |course: &RefCell<Course>| {
        let mut course = course.borrow_mut();
        if !course.iter().any(|(known, _)| *known == step) {
            course.push((step, Instant::now()));
        }
    };
    // Outside of a test nobody follows.
    let _ = COURSE.try_with(note);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_step_counts_once_and_only_for_who_follows() {
        passed(Step::Http);
        let begun = Instant::now();
        let (answer, course) = followed(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            passed(Step::Http);
            tokio::time::sleep(Duration::from_secs(2)).await;
            passed(Step::Http);
            passed(Step::Auth);
            7
        })
        .await;
        assert_eq!(answer, 7);
        let second = |n| begun + Duration::from_secs(n);
        assert_eq!(course, [(Step::Http, second(1)), (Step::Auth, second(3))]);
    }
}
