// One stream of events for the whole page. EventSource cannot carry the token, so it is a fetch whose body is read as
// it comes; `Last-Event-ID` goes on where it broke off. It rests while the tab is hidden.
import { Refusal, api, forget, known as loggedIn, read } from './api.js';
import { known, takeBackend, takeDelta, takeJob, takeLink, takeNotice, takeNotices, takeRevision, takeSnapshot, tell, touch } from './store.js';
import { ended, jobState, state } from './phase.js';
import { short } from './format.js';

const WAITS = [200, 400, 800, 1500, 2000];
// So many pages of a thousand jobs are read at first.
const PAGES = 20;
const LISTS = 5000;
const LINE_CAP = 8 * 1024 * 1024;

let seen = null;
let tag = null;
let rest = null;
let polling = false;
// When a snapshot was last read, and how long that took; so many times as long, none is read after an event.
let [rested, took] = [0, 0];
const REST = 15;

// How the link is. Answers that were on their way when the person left say nothing of it: the page is left.
const link = (state, why) => loggedIn() && takeLink(state, why);

const heard = () => {
  known.link.heard = Date.now();
  link('live');
};

const OF = {
  resync: (data) => {
    takeSnapshot(data);
    touch('resync');
    relist();
  },
  'backend.phase': (data, at, revision) => {
    takeBackend(data.status, revision);
    const { word, tone } = state(data.status);
    tell(at, tone, `${data.backend}: ${word.toLowerCase()}${data.reason ? `. ${data.reason.message}` : ''}`, data.backend);
    touch('history');
    soon();
  },
  'backend.health': (data, at, revision) => {
    const status = known.backends.get(data.backend);
    if (status) takeBackend({ ...status, health: data.health, reason: data.reason?.message ?? status.reason }, revision);
    if (data.health !== 'unknown') tell(at, data.health === 'healthy' ? 'good' : 'warn', `${data.backend} is ${data.health}`);
    soon();
  },
  'backend.capabilities': (data, at, revision) => takeBackend(data.status, revision),
  'backend.added': (data, at) => change(at, `${data.backend} was added`),
  'backend.removed': (data, at) => change(at, `${data.backend} was removed`),
  'config.applied': () => {
    touch('config');
    soon();
  },
  'job.state': (data, at) => {
    const { word, tone } = jobState(data.state);
    tell(at, tone, `job ${short(data.job)} ${word.toLowerCase()}${data.backend ? ` on ${data.backend}` : ''}`);
    moved?.add(data.job);
    const job = known.jobs.get(data.job);
    if (job) takeJob({ ...job, state: data.state, backend: data.backend ?? job.backend, timeline: [...(job.timeline ?? []), { at, state: data.state, evidence: data.evidence }] });
    wantJob(data.job);
    soon();
  },
  'job.progress': (data) => {
    const job = known.jobs.get(data.job);
    if (job) takeJob({ ...job, progress: data.progress });
    else wantJob(data.job);
  },
  'job.delta': (data) => {
    if (!takeDelta(data.job, data.offset, data.text)) catchUp(data.job);
  },
  'notice.raised': (data) => {
    takeNotice(data);
    touch('raised');
  },
  'notice.cleared': (data, at) => {
    takeNotice(data);
    tell(at, 'good', `${data.backend ?? 'Backline'}: over: ${data.title}`);
  },
  'pool.changed': () => soon(),
  'tree.crash': (data, at) => change(at, `${data.child} crashed and is restarted: ${data.exit}`, 'bad'),
  'tree.quarantined': (data, at) => change(at, `${data.child} is quarantined: ${data.reason}`, 'bad'),
};

function change(at, text, tone = 'idle') {
  tell(at, tone, text);
  soon();
}

function take(fields) {
  if (fields.id) seen = fields.id;
  if (!fields.data) return;
  const event = JSON.parse(fields.data);
  if (fields.event === 'resync') return OF.resync(event);
  OF[fields.event]?.(event.data, event.at, event.revision);
  takeRevision(event.revision);
}

const field = (line) => {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
};

function frame(text) {
  const fields = {};
  for (const [name, value] of text.split('\n').map(field)) {
    fields[name] = name === 'data' && fields.data !== undefined ? `${fields.data}\n${value}` : value;
  }
  return fields;
}

async function listen(signal) {
  const headers = seen ? { 'last-event-id': seen } : {};
  const answer = await api('events', { headers, wait: null, signal });
  heard();
  await frames(answer, take, heard);
}

async function frames(answer, run, beat = () => {}) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    beat();
    text += value;
    if (text.length > LINE_CAP) throw new Error('an event is larger than this page takes');
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) run(frame(text.slice(0, end)));
  }
}

// What changes without an event (latency, queue, slots, resources) is read again, as long as the tab is looked at.
async function poll() {
  if (document.hidden || !loggedIn()) return;
  // The one that is under way may be older than what is asked for now.
  if (polling) return soon();
  polling = true;
  const began = performance.now();
  try {
    const answer = await api('snapshot', { headers: tag ? { 'if-none-match': tag } : {}, wait: 5000 });
    heard();
    if (answer.status === 200) {
      tag = answer.headers.get('etag');
      takeSnapshot(await answer.json());
    }
  } catch (cause) {
    lost(cause);
  } finally {
    polling = false;
    rested = performance.now();
    took = rested - began;
  }
}

// After an event, once for all that come meanwhile, and no more often than leaves most of the time to the person.
const calm = () => Math.max(60, rested + took * REST - performance.now());
let soonDue = null;
export function soon(wait = calm()) {
  if (soonDue !== null && wait > 0) return;
  clearTimeout(soonDue);
  soonDue = setTimeout(() => {
    soonDue = null;
    poll();
  }, wait);
}

// The lists anew, where events of them may be missed; they are long, so not each time where that is often.
let [listed, listDue] = [-Infinity, null];
function relist() {
  listDue ??= setTimeout(() => {
    listDue = null;
    listed = performance.now();
    refreshNotices();
    refreshJobs();
  }, Math.max(0, listed + LISTS - performance.now()));
}

export async function refreshNotices() {
  const list = await read('notices?all=true').catch(() => null);
  if (list) takeNotices(list.notices);
}

// While pages of jobs are read: the jobs that an event was about meanwhile. Those are read by themselves, and are newer
// than on a page.
let moved = null;
// The run all of whose jobs were read.
let whole = null;
let turn = 0;

// All jobs, newest first, page by page; answers once the first is there. Where they were read before, it ends with the
// first page that says nothing new, once no job is left of which more is to come.
export async function refreshJobs() {
  const mine = (turn += 1);
  const run = known.snapshot?.run;
  const open = new Set([...known.jobs.values()].filter(({ state }) => !ended(state)).map(({ id }) => id));
  moved = new Set();
  const more = async (list, left) => {
    // Somebody else begins anew, from the first page.
    if (mine !== turn) return;
    let fresh = whole !== run;
    for (const job of list?.jobs ?? []) {
      fresh ||= known.jobs.get(job.id)?.state !== job.state;
      open.delete(job.id);
      if (!moved.has(job.id)) takeJob(job);
    }
    if (list?.next && left > 0 && (fresh || open.size > 0)) return more(await page(`&before=${encodeURIComponent(list.next)}`), left - 1);
    moved = null;
    if (list) whole = run;
  };
  more(await page(''), PAGES - 1);
}

const page = (before) => read(`jobs?limit=1000${before}`, { wait: 20_000 }).catch(() => null);

const wanted = new Set();
let wantedDue = null;
function wantJob(id) {
  wanted.add(id);
  wantedDue ??= setTimeout(async () => {
    wantedDue = null;
    const ids = [...wanted].slice(0, 50);
    ids.forEach((one) => wanted.delete(one));
    if (wanted.size) wantJob([...wanted][0]);
    for (const job of await Promise.all(ids.map((one) => read(`jobs/${one}`).catch(() => null)))) if (job) takeJob(job);
  }, 120);
}

// The text of a job that was said before this page listened, by the job's own stream; it is left once it is read.
const catching = new Set();
export async function catchUp(id) {
  if (catching.has(id)) return;
  catching.add(id);
  const leave = new AbortController();
  const timer = setTimeout(() => leave.abort(), 1000);
  try {
    const from = known.jobs.get(id)?.text;
    const answer = await api(`jobs/${id}/events?offset=${from?.from === 0 ? from.upto : 0}`, { wait: null, signal: leave.signal });
    await frames(answer, ({ event, data }) => {
      const said = event === 'job.delta' && JSON.parse(data);
      if (said) takeDelta(id, said.offset, said.text);
    });
  } catch {
    // Left, or there is none: what comes by the page's own stream is shown.
  } finally {
    clearTimeout(timer);
    catching.delete(id);
  }
}

function lost(cause) {
  if (cause instanceof Refusal && cause.status === 401) {
    forget();
    takeLink('denied', cause.message);
    return;
  }
  link('lost', cause.message);
}

export async function run() {
  for (let failures = 0; loggedIn(); ) {
    rest = new AbortController();
    try {
      await refresh();
      failures = 0;
      await listen(rest.signal);
      if (!rest.signal.aborted) link('lost', 'the stream of events ended');
    } catch (cause) {
      if (!rest.signal.aborted) lost(cause);
    }
    if (document.hidden) await visible();
    else await new Promise((go) => setTimeout(go, WAITS[Math.min(failures++, WAITS.length - 1)]));
  }
}

async function refresh() {
  const first = known.snapshot === null;
  tag = null;
  const answer = await api('snapshot', { wait: 5000 });
  const snapshot = await answer.json();
  // Another run counts anew: its events are asked for from here on.
  if (known.snapshot?.run !== snapshot.run) seen = `${snapshot.run}-${snapshot.revision}`;
  takeSnapshot(snapshot);
  heard();
  touch('resync');
  if (first) await Promise.all([refreshNotices(), refreshJobs()]);
  else relist();
}

const visible = () => new Promise((go) => document.addEventListener('visibilitychange', () => go(), { once: true }));

document.addEventListener('visibilitychange', () => (document.hidden ? rest?.abort() : soon(0)));
addEventListener('online', () => soon(0));
// A snapshot of a thousand backends is a megabyte: it is read less often.
let beat = 0;
setInterval(() => {
  beat += 1;
  if (known.backends.size < 200 || beat % 3 === 0) poll();
}, 2000);
