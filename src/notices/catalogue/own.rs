//! Causes in Backline itself, in its configuration, and on its machine.

use super::Entry;
use crate::model::Severity::{Error, Info, Warning};

pub(super) const BAD_URL: Entry = Entry::new(
    "The address cannot be used",
    Error,
    &["It is no http or https address.", "It carries a user, a password or a query."],
    "Write it like \"http://127.0.0.1:8188\".",
);

pub(super) const BAD_CONFIG: Entry = Entry::new(
    "A setting cannot be used",
    Error,
    &["A variable or a file that it names is missing.", "A value has the wrong form."],
    "Correct the setting that the message names; `backline config check` lists every problem.",
)
.steps(&[
    "Run `backline config check`: it lists every problem with its place.",
    "Set the variable where Backline is started: a service does not have your shell's.",
]);

pub(super) const CONFIG_INVALID: Entry = Entry::new(
    "The configuration file is broken",
    Error,
    &["It was saved with a mistake; the configuration before it stays in force."],
    "Correct what the detail lists; `backline config check` lists it too. A good file is taken over at once.",
)
.steps(&[
    "Run `backline config check`: it names each problem with file, line and remedy.",
    "Correct and save the file: it is taken over at once, nothing has to be restarted.",
]);

pub(super) const CONFIG_MASKED: Entry = Entry::new(
    "A change of the file has no effect",
    Warning,
    &[
        "The value was changed through the API, or an environment variable sets it, and that stands over the file.",
    ],
    "Revert the edit or unset the variable that the message names, or leave it; `backline config show` names every value's source.",
);

pub(super) const CRASHED: Entry = Entry::new(
    "Backline's own connection crashed",
    Warning,
    &["A bug of Backline; the supervision tree has restarted the connection."],
    "Nothing to do; report it with `backline doctor --bundle FILE` if it repeats.",
);

pub(super) const CRASH_LOOP: Entry = Entry::new(
    "Quarantined after repeated crashes",
    Error,
    &["A bug of Backline that this server's answers provoke."],
    "Report it; `reconnect` (or a changed configuration) tries again, as does Backline after 10 minutes.",
)
.steps(&[
    "Keep what happened: `backline doctor --bundle FILE`.",
    "Report it with the bundle; it holds no secret.",
    "Try again: `reconnect` in the dashboard, or a change of the backend's settings.",
]);

pub(super) const CLOSING: Entry =
    Entry::new("Shutting down", Info, &["Backline is stopping."], "Start Backline again.");

pub(super) const PAUSED: Entry = Entry::new(
    "Paused by a person",
    Info,
    &["A person paused this backend."],
    "Resume it when it should work again.",
);

pub(super) const DISK: Entry = Entry::new(
    "A file cannot be written",
    Error,
    &["The disk is full.", "The directory forbids it, or is gone."],
    "Free space or correct the rights; then try again.",
)
.steps(&["Look at the place that the message names: `df -h PLACE`, `ls -ld PLACE`."]);

pub(super) const DISK_TROUBLE: Entry = Entry::new(
    "The state cannot be written",
    Error,
    &["The disk or the rights of the state directory refuse it; Backline works on, and tries again."],
    "Check the disk and the rights of the state directory; nothing else is needed once it can be written.",
)
.steps(&["Run `backline doctor`: it names the directory and what it refuses."]);

pub(super) const DISK_FULL: Entry = Entry::new(
    "The disk is full",
    Error,
    &["No space is left on the disk of the state directory; Backline works on, and tries again."],
    "Free space on that disk, or set BACKLINE_STATE_DIR to another one.",
)
.steps(&[
    "Free space: old outputs are erased with their jobs (`backline jobs purge ID`).",
    "Nothing has to be restarted: it writes again as soon as it can.",
]);

pub(super) const STATE_SALVAGED: Entry = Entry::new(
    "The state database was damaged",
    Error,
    &["The disk or a crash of the machine damaged it; a copy was set aside and what could be read was kept."],
    "Read what was lost in the detail; check the disk. The copy that was set aside can be removed.",
);

pub(super) const HISTORY_DROPPED: Entry = Entry::new(
    "Samples of the history were dropped",
    Warning,
    &["The disk is slower than the samples come, or refuses them; nothing else waits for them."],
    "Check the disk's load; charts have a gap here, and all else is complete.",
);

pub(super) const OUTPUTS_BUDGET: Entry = Entry::new(
    "The files of jobs fill their budget",
    Warning,
    &["Jobs leave files faster than they are erased; `jobs: (outputs: …)` says how much they may take."],
    "Raise `jobs: (outputs: …)`, or erase jobs that are not needed; else the oldest ended ones go, with their files.",
)
.steps(&[
    "Copy files that are still needed: `backline jobs` lists the jobs, `backline jobs show ID` their files.",
    "Erase a job with its files: `backline jobs purge ID`.",
    "Or raise the budget: `jobs: (outputs: \"40GiB\")` counts as soon as the file is saved.",
]);

pub(super) const WEBHOOK_FAILING: Entry = Entry::new(
    "Notices do not reach the webhook",
    Warning,
    &[
        "The server that `notices.webhook.url` names is off, refuses them, or is too slow.",
        "It answers with a redirect, which is not followed.",
    ],
    "Check `notices: (webhook: …)` and the server behind it; notices that waited too long are dropped and counted.",
)
.steps(&[
    "Read the message: it names what the server answered.",
    "Correct `url` or the headers; the next notice is sent at once.",
]);

pub(super) const CLOCK_JUMP: Entry = Entry::new(
    "The clock jumped",
    Info,
    &["The machine slept.", "Its clock was set, by a person or by a time service."],
    "Nothing to do if the machine slept; otherwise check its time service. Times shown across the jump do not compare.",
);

pub(super) const INTERNAL: Entry = Entry::new(
    "A bug of Backline",
    Error,
    &["Something happened that cannot."],
    "Report it with `backline doctor --bundle FILE`.",
);
