//! The pure book of notices: groups, counts, what is told and when. No clock, no I/O.

mod entry;
#[cfg(feature = "state")]
mod past;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use self::entry::{Entry, Told};
#[cfg(feature = "state")]
use self::past::Past;
use crate::{
    model::{
        BackendId, Code,
        notice::{Hidden, Notice, NoticeId},
    },
    notices::{
        catalogue,
        draft::Draft,
        group::{Group, Mute},
        moment::Moment,
    },
};

/// A group is told of at most once in this time; what comes within is counted.
pub(crate) const QUIET: Duration = Duration::from_secs(30);
/// Ended notices that are remembered.
pub(crate) const HISTORY: usize = 500;
/// How long they are.
pub(crate) const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Open notices; beyond, the least and oldest is ended for the new one.
pub(crate) const OPEN: usize = 2000;
/// Groups whose mute is remembered.
const MUTES: usize = 2000;

/// What the world is told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Turn {
    /// For the first time, or anew after its end.
    Raised(Notice),
    /// It goes on; the notice carries the count.
    Recounted(Notice),
    /// It has ended.
    Cleared(Notice),
}

/// All groups, open and ended.
#[derive(Debug, Default)]
pub(crate) struct Book {
    open: BTreeMap<Group, Entry>,
    /// Oldest first.
    ended: VecDeque<Notice>,
    /// When a group without an open notice was last told of: a new raise within [`QUIET`] goes on with the old one.
    echoes: BTreeMap<Group, Instant>,
    mutes: BTreeMap<Group, Mute>,
    last_id: u64,
    /// Grows with each change.
    revision: u64,
    #[cfg(feature = "state")]
    past: Past,
}

impl Book {
    /// One more occurrence. Counted in any case; told at most once a group in [`QUIET`].
    pub(crate) fn raise(&mut self, draft: Draft, now: Moment) -> Vec<Turn> {
        let group = draft.group();
        if !self.open.contains_key(&group) {
            let entry = self.reopened(&group, now).unwrap_or_else(|| self.fresh(&draft, now));
            self.open.insert(group.clone(), entry);
        }
        let Some(entry) = self.open.get_mut(&group) else { return Vec::new() };
        entry.count(draft, now);
        self.revision += 1;
        let mut turns = self.tell(&group, now).into_iter().collect();
        self.bound_open(&group, now, &mut turns);
        turns
    }

    /// Ends the notices of a cause and backend, whatever their subject.
    pub(crate) fn clear(&mut self, code: Code, backend: Option<&BackendId>, now: Moment) -> Vec<Turn> {
        self.clear_subjects(code, backend, now, |_| true)
    }

    /// As [`Self::clear`], where the subject fits. It looks at no other group.
    pub(crate) fn clear_subjects(
        &mut self,
        code: Code,
        backend: Option<&BackendId>,
        now: Moment,
        fits: impl Fn(Option<&str>) -> bool,
    ) -> Vec<Turn> {
        let first = Group { backend: backend.cloned(), code, subject: None };
        let like = |group: &&Group| (group.code, &group.backend) == (code, &first.backend);
        let all = self.open.range(&first..).map(|(group, _)| group).take_while(like);
        let groups: Vec<_> = all.filter(|group| fits(group.subject.as_deref())).cloned().collect();
        groups.iter().filter_map(|group| self.end(group, now)).collect()
    }

    /// Ends every notice whose group fits.
    pub(crate) fn clear_where(&mut self, now: Moment, fits: impl Fn(&Group) -> bool) -> Vec<Turn> {
        let groups: Vec<_> = self.open.keys().filter(|g| fits(g)).cloned().collect();
        groups.iter().filter_map(|group| self.end(group, now)).collect()
    }

    /// What is owed by now: counts that grew while the group was quiet, mutes that ended.
    pub(crate) fn due(&mut self, now: Moment) -> Vec<Turn> {
        self.mutes.retain(|_, mute| mute.holds(now.wall));
        self.echoes.retain(|_, at| now.tick.saturating_duration_since(*at) < QUIET);
        self.forget(now);
        let owed = self.open.iter().filter(|(_, entry)| entry.is_owed(now.tick));
        let groups: Vec<_> = owed.map(|(group, _)| group.clone()).collect();
        groups.iter().filter_map(|group| self.tell(group, now)).collect()
    }

    /// When [`Self::due`] has something to say, at the latest.
    pub(crate) fn next_due(&self, now: Moment) -> Option<Instant> {
        let owed = self.open.iter().filter_map(|(group, entry)| match self.mutes.get(group) {
            Some(Mute::ForGood) => None,
            Some(Mute::Until(end)) => Some(now.later(*end)),
            None => entry.owed_at(now.tick),
        });
        owed.min()
    }

    /// Hides a notice until it is raised anew after its end.
    pub(crate) fn dismiss(&mut self, id: NoticeId, now: Moment) -> Option<Notice> {
        let entry = self.open.values_mut().find(|e| e.notice.id == id)?;
        entry.dismissed = true;
        self.revision += 1;
        self.find(id, now)
    }

    /// Hides a notice's group; `None` takes the mute off.
    pub(crate) fn mute(&mut self, id: NoticeId, mute: Option<Mute>, now: Moment) -> Option<Notice> {
        let group = self.group_of(id)?;
        self.revision += 1;
        match mute {
            Some(mute) => {
                self.mutes.insert(group, mute);
                if self.mutes.len() > MUTES {
                    self.mutes.pop_first();
                }
            }
            None => {
                self.mutes.remove(&group);
            }
        }
        self.find(id, now)
    }

    /// Grows with each change.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// One notice, open or ended.
    pub(crate) fn find(&self, id: NoticeId, now: Moment) -> Option<Notice> {
        let open = self.open.iter().find(|(_, e)| e.notice.id == id);
        let open = open.map(|(group, entry)| self.shown(group, entry, now));
        open.or_else(|| self.ended.iter().find(|n| n.id == id).cloned())
    }

    /// The open notices: the worst first, then the newest.
    pub(crate) fn open(&self, now: Moment) -> Vec<Notice> {
        let mut list: Vec<_> = self.open.iter().map(|(g, e)| self.shown(g, e, now)).collect();
        list.sort_by_key(|n| std::cmp::Reverse((n.severity, n.last_at, n.id)));
        list
    }

    /// The ended ones, newest first.
    pub(crate) fn ended(&self) -> impl Iterator<Item = &Notice> {
        self.ended.iter().rev()
    }

    fn fresh(&mut self, draft: &Draft, now: Moment) -> Entry {
        // Names grow with the time, so that a later run does not give one twice.
        let by_time = u64::try_from(now.wall.as_microsecond()).unwrap_or_default();
        self.last_id = by_time.max(self.last_id + 1);
        let notice = Notice {
            id: NoticeId::new(self.last_id),
            code: draft.code,
            severity: draft.severity,
            backend: draft.backend.clone(),
            subject: draft.subject.clone(),
            title: catalogue::entry(draft.code).title,
            message: String::new(),
            fix: String::new(),
            count: 0,
            first_at: now.wall,
            last_at: now.wall,
            cleared_at: None,
            detail: None,
            hidden: None,
        };
        Entry { notice, dismissed: false, told: Told::Owed { from: None } }
    }

    /// The group's last notice, where it ended within the quiet time: a cause that comes and goes stays one notice.
    fn reopened(&mut self, group: &Group, now: Moment) -> Option<Entry> {
        let at = self.echoes.remove(group)?;
        if now.tick.saturating_duration_since(at) >= QUIET {
            return None;
        }
        let place = self.ended.iter().rposition(|n| Group::of(n) == *group)?;
        let mut notice = self.ended.remove(place)?;
        notice.cleared_at = None;
        Some(Entry { notice, dismissed: false, told: Told::Owed { from: Some(at + QUIET) } })
    }

    /// Tells of a group where that is owed and allowed now.
    fn tell(&mut self, group: &Group, now: Moment) -> Option<Turn> {
        let muted = self.mutes.get(group).is_some_and(|m| m.holds(now.wall));
        let entry = self.open.get_mut(group)?;
        if muted || !entry.is_owed(now.tick) {
            return None;
        }
        let before = std::mem::replace(&mut entry.told, Told::At { at: now.tick, count: entry.notice.count });
        let notice = entry.notice.clone();
        Some(match before {
            Told::Owed { .. } => Turn::Raised(notice),
            Told::At { .. } => Turn::Recounted(notice),
        })
    }

    fn end(&mut self, group: &Group, now: Moment) -> Option<Turn> {
        let Entry { mut notice, told, .. } = self.open.remove(group)?;
        self.revision += 1;
        notice.cleared_at = Some(now.wall);
        self.ended.push_back(notice.clone());
        self.forget(now);
        match told {
            Told::At { at, .. } => {
                self.echoes.insert(group.clone(), at);
                Some(Turn::Cleared(notice))
            }
            Told::Owed { from } => {
                let told_at = from.and_then(|from| from.checked_sub(QUIET));
                self.echoes.insert(group.clone(), told_at.unwrap_or(now.tick));
                None
            }
        }
    }

    /// Ends the least and oldest where there are too many, but not the one that just came.
    fn bound_open(&mut self, newest: &Group, now: Moment, turns: &mut Vec<Turn>) {
        while self.open.len() > OPEN {
            let others = self.open.iter().filter(|(g, _)| *g != newest);
            let least = others.min_by_key(|(_, e)| (e.notice.severity, e.notice.last_at));
            let Some(group) = least.map(|(g, _)| g.clone()) else { return };
            turns.extend(self.end(&group, now));
        }
    }

    /// Drops history that is too long or too old.
    fn forget(&mut self, now: Moment) {
        let oldest = now.wall.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        while self.ended.len() > HISTORY
            || self.ended.front().is_some_and(|n| n.cleared_at.is_some_and(|at| at < oldest))
        {
            self.ended.pop_front();
        }
        while self.echoes.len() > OPEN {
            self.echoes.pop_first();
        }
    }

    fn shown(&self, group: &Group, entry: &Entry, now: Moment) -> Notice {
        let muted = self.mutes.get(group).is_some_and(|m| m.holds(now.wall));
        let hidden = match (muted, entry.dismissed) {
            (true, _) => Some(Hidden::Muted),
            (false, true) => Some(Hidden::Dismissed),
            (false, false) => None,
        };
        Notice { hidden, ..entry.notice.clone() }
    }

    fn group_of(&self, id: NoticeId) -> Option<Group> {
        let open = self.open.iter().find(|(_, e)| e.notice.id == id).map(|(g, _)| g.clone());
        open.or_else(|| self.ended.iter().find(|n| n.id == id).map(Group::of))
    }
}

#[cfg(test)]
mod tests;
