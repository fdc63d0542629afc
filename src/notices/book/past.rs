//! What an earlier run left.

use super::{Book, Entry, Told};
use crate::{
    model::{
        Code,
        notice::{Hidden, Notice},
    },
    notices::{
        derive,
        group::{Group, Mute},
        moment::Moment,
    },
};

/// Whether what an earlier run left has been taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Past {
    #[default]
    Unread,
    Read,
}

impl Book {
    /// All notices as they are kept: only a dismissal counts as hidden, mutes are kept on their own.
    pub(crate) fn kept(&self) -> impl Iterator<Item = (&Notice, Option<Hidden>)> {
        let open = self.open.values().map(|e| (&e.notice, e.dismissed.then_some(Hidden::Dismissed)));
        open.chain(self.ended.iter().map(|n| (n, None)))
    }

    /// Whether what an earlier run left has been taken in.
    pub(crate) fn is_restored(&self) -> bool {
        self.past == Past::Read
    }

    /// The mutes that are remembered.
    pub(crate) fn mutes(&self) -> impl Iterator<Item = (&Group, Mute)> {
        self.mutes.iter().map(|(group, mute)| (group, *mute))
    }

    /// Takes in what an earlier run left, once; what this run has raised already goes on with it. What this run judges
    /// anew by itself has ended unless it was raised again.
    pub(crate) fn restore(&mut self, notices: Vec<Notice>, mutes: Vec<(Group, Mute)>, now: Moment) {
        if std::mem::replace(&mut self.past, Past::Read) == Past::Read {
            return;
        }
        self.revision += 1;
        for (group, mute) in mutes {
            self.mutes.entry(group).or_insert(mute);
        }
        for mut notice in notices {
            self.last_id = self.last_id.max(notice.id.number());
            if notice.cleared_at.is_some() {
                self.ended.push_back(notice);
                continue;
            }
            let dismissed = notice.hidden.take() == Some(Hidden::Dismissed);
            let group = Group::of(&notice);
            match self.open.get_mut(&group) {
                Some(entry) => entry.adopt(notice, dismissed),
                None if !survives(&group) => {
                    notice.cleared_at = Some(now.wall);
                    self.ended.push_back(notice);
                }
                None => {
                    // It was told of in its own run.
                    let told = Told::At { at: now.tick, count: notice.count };
                    self.open.insert(group, Entry { notice, dismissed, told });
                }
            }
        }
        self.ended.make_contiguous().sort_by_key(|n| (n.cleared_at, n.id));
        self.forget(now);
    }
}

impl Entry {
    /// Goes on with a notice of an earlier run: its name, its beginning, its count.
    fn adopt(&mut self, earlier: Notice, dismissed: bool) {
        self.notice.id = earlier.id;
        self.notice.first_at = self.notice.first_at.min(earlier.first_at);
        self.notice.count = self.notice.count.saturating_add(earlier.count);
        self.dismissed |= dismissed;
    }
}

/// Whether an open notice of an earlier run stays open until its state is known again.
fn survives(group: &Group) -> bool {
    matches!(group.code, Code::BackendFound | Code::BackendMoved)
        || (group.backend.is_some() && derive::owns(group.code))
}
