// What the page knows. One writer (the stream), many readers; readers are told once a frame, however much happened, and
// less often while events do not end, so that most of the time is the person's.
import { state } from './phase.js';

const CAPS = { activity: 200, jobs: 20_000, text: 256 * 1024 };

export const known = {
  snapshot: null,
  backends: new Map(),
  jobs: new Map(),
  // Grows with each job that comes or goes.
  crowd: 0,
  notices: [],
  activity: [],
  link: { state: 'connecting', heard: 0, why: '' },
  demo: null,
};

const readers = new Map();
const dirty = new Set();
let due = null;

// So much of all time may go to frames that draw what happened; a frame is late where more did lately, in milliseconds.
const [SHARE, LATELY] = [0.25, 60];
let spent = 0;
let counted = 0;

function late() {
  const now = performance.now();
  spent = Math.max(0, spent - (now - counted) * SHARE);
  counted = now;
  return Math.max(0, (spent - LATELY) / SHARE);
}

// `run()` is called in the next frame after any of the topics changed: backends, tree, jobs, notices, activity, link.
export function on(topics, run) {
  for (const topic of topics.split(' ')) {
    if (!readers.has(topic)) readers.set(topic, new Set());
    readers.get(topic).add(run);
  }
  return () => topics.split(' ').forEach((topic) => readers.get(topic).delete(run));
}

export function touch(...topics) {
  topics.forEach((topic) => dirty.add(topic));
  if (due !== null) return;
  const wait = late();
  const frame = () => requestAnimationFrame(flush);
  due = wait ? setTimeout(frame, wait) : frame();
}

function flush() {
  due = null;
  const began = performance.now();
  // What it takes to lay out and paint it, too.
  setTimeout(() => {
    spent += performance.now() - began;
  });
  const called = new Set();
  for (const topic of dirty) readers.get(topic)?.forEach((run) => called.add(run));
  dirty.clear();
  called.forEach((run) => run());
}

// The revision of the last snapshot as it came, and of the last event of each backend that is newer than it.
let taken = 0;
const newer = new Map();

export function takeSnapshot(snapshot) {
  const before = known.snapshot;
  const again = before?.run === snapshot.run;
  if (again && snapshot.revision < taken) return;
  if (before && !again) {
    known.jobs.clear();
    known.crowd += 1;
    newer.clear();
    touch('jobs', 'run');
  }
  taken = snapshot.revision;
  // While one is on its way, events go on: what they told stays, and all else of it is taken.
  for (const [id, revision] of newer) if (revision <= taken) newer.delete(id);
  if (newer.size) snapshot.backends = snapshot.backends.map((backend) => (newer.has(backend.id) ? known.backends.get(backend.id) : null) ?? backend);
  if (again) snapshot.revision = Math.max(taken, before.revision);
  known.snapshot = snapshot;
  known.backends = new Map(snapshot.backends.map((backend) => [backend.id, backend]));
  touch('backends', 'tree', 'pools', 'counts');
}

export function takeBackend(status, revision) {
  if (!known.snapshot) return;
  const before = known.backends.get(status.id);
  const at = before ? known.snapshot.backends.indexOf(before) : -1;
  if (at < 0) return;
  known.snapshot.backends[at] = status;
  known.backends.set(status.id, status);
  newer.set(status.id, revision);
  touch('backends');
}

export function takeRevision(revision) {
  if (known.snapshot && revision > known.snapshot.revision) known.snapshot.revision = revision;
}

export function takeJob(job) {
  const before = known.jobs.get(job.id);
  if (before?.timeline?.[0]?.at !== job.timeline?.[0]?.at || !before) known.crowd += 1;
  // What was streamed is not in the document.
  known.jobs.set(job.id, before ? { ...job, text: before.text } : job);
  for (const id of known.jobs.keys()) {
    if (known.jobs.size <= CAPS.jobs) break;
    known.jobs.delete(id);
  }
  touch('jobs');
}

// A piece of a job's text, from byte `offset` on. Answers false where what is between is missing.
export function takeDelta(id, offset, text) {
  const job = known.jobs.get(id) ?? { id, state: 'running', timeline: [], outputs: [] };
  if (!job.text || offset < job.text.from) job.text = { from: offset, upto: offset, value: '' };
  const at = job.text;
  if (offset > at.upto) return false;
  const bytes = new TextEncoder().encode(text);
  const fresh = offset + bytes.length - at.upto;
  if (fresh <= 0) return true;
  at.value = (at.value + new TextDecoder().decode(bytes.subarray(bytes.length - fresh))).slice(-CAPS.text);
  at.upto += fresh;
  if (!known.jobs.has(id)) known.crowd += 1;
  known.jobs.set(id, job);
  touch('jobs');
  return true;
}

export function takeNotice(notice) {
  const at = known.notices.findIndex((n) => n.id === notice.id);
  if (at >= 0) known.notices[at] = notice;
  else known.notices.unshift(notice);
  known.notices.length = Math.min(known.notices.length, 500);
  touch('notices');
}

export function takeNotices(list) {
  known.notices = list.slice(0, 500);
  touch('notices');
}

// What the same source says again right after is counted, not repeated.
export function tell(at, tone, text, source = null) {
  const before = source && known.activity.find((one) => one.source === source);
  if (before?.text === text) {
    before.times += 1;
    return touch('activity');
  }
  known.activity.unshift({ key: `${at}-${tellCount++}`, at, tone, text, source, times: 1 });
  known.activity.length = Math.min(known.activity.length, CAPS.activity);
  return touch('activity');
}
let tellCount = 0;

const seeded = new Set();
const word = (phase) => state({ enabled: true, phase }).word.toLowerCase();

// What happened before the page was open, of a backend's own history.
export function seed(id, steps) {
  if (seeded.has(id)) return;
  seeded.add(id);
  const before = steps.filter((step) => step.at < OPENED).slice(-8);
  known.activity.push(...before.map((step) => ({ key: `${id}-${step.at}-${step.phase}`, at: step.at, tone: { ready: 'good', waiting: 'warn', parked: 'bad', quarantined: 'bad' }[step.phase] ?? 'idle', text: `${id}: ${word(step.phase)}${step.reason ? `. ${step.reason}` : ''}` })));
  known.activity.sort((a, b) => (a.at < b.at ? 1 : -1));
  touch('activity');
}
const OPENED = new Date().toISOString();

export function takeLink(state, why = '') {
  if (known.link.state === state && known.link.why === why) return;
  Object.assign(known.link, { state, why });
  touch('link');
}
