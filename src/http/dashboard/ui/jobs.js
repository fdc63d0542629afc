// The jobs: newest first, as many as there are, with one of them beside the list.
import { attr, far, h, prose, text } from './dom.js';
import { ago, plural, short } from './format.js';
import { icon, swap } from './icons.js';
import { Job } from './job.js';
import { ended, jobState } from './phase.js';
import { Rows } from './rows.js';
import { known, on } from './store.js';
import { tick } from './tick.js';
import { go } from './views.js';

const SETS = [['all', 'All', () => true], ['open', 'Open', (job) => !ended(job.state)], ['done', 'Done', (job) => job.state === 'done'], ['trouble', 'Trouble', (job) => ended(job.state) && !['done', 'cancelled'].includes(job.state)]];

const began = (job) => job.timeline?.[0]?.at ?? '';
const finished = (job) => (ended(job.state) ? job.timeline?.at(-1)?.at : null);

// What a job is found by; a job that changes is another object.
const abouts = new WeakMap();
function about(job) {
  if (!abouts.has(job)) abouts.set(job, `${job.id} ${job.target} ${job.backend} ${job.state} ${job.work} ${job.kind}`.toLowerCase());
  return abouts.get(job);
}

export function share(job) {
  if (job.state === 'done') return 1;
  const { value, max } = job.progress ?? {};
  return max ? Math.min(1, value / max) : 0;
}

function row(open) {
  const node = h('a', { class: 'row' }, icon('queued', 'state'), h('b', { class: 'word' }), h('span', { class: 'target' }), h('span', { class: 'soft what' }), h('span', { class: 'track' }, h('i')), h('span', { class: 'num soft when' }), h('code', { class: 'soft' }));
  node.addEventListener('click', (event) => {
    event.preventDefault();
    open(node.dataset.id);
  });
  return node;
}

function fill(node, job, chosen) {
  const [picture, word, target, what, track, when, id] = node.children;
  const looks = jobState(job.state);
  swap(picture, looks.icon);
  attr(node, 'data-tone', looks.tone);
  attr(node, 'data-state', job.state);
  attr(node, 'data-id', job.id);
  attr(node, 'href', `#/jobs/${job.id}`);
  attr(node, 'aria-current', job.id === chosen ? 'true' : null);
  text(word, looks.word);
  text(target, job.backend && job.backend !== job.target ? `${job.target} → ${job.backend}` : job.target ?? job.backend ?? '');
  text(what, (ended(job.state) ? null : (job.progress?.node ?? job.progress?.message)) ?? job.work ?? '');
  far(track.firstElementChild, share(job));
  text(when, began(job) ? ago(began(job), finished(job) ? Date.parse(finished(job)) : Date.now()) : '');
  text(id, short(job.id));
}

export function make() {
  let set = SETS[0];
  let chosen = null;
  let order = [];
  let crowd = -1;
  const detail = new Job();
  const rows = new Rows({ height: 44, label: 'Jobs', make: () => row((id) => go(`jobs/${id}`)), fill: (node, job) => fill(node, job, chosen) });
  const filter = h('input', { type: 'search', class: 'filter', placeholder: 'Filter jobs', 'aria-label': 'Filter jobs', oninput: () => draw() });
  const count = h('p', { class: 'soft num' });
  const tabs = SETS.map((one) => h('button', { type: 'button', 'aria-pressed': String(one === set), onclick: () => pick(one) }, one[1]));
  const none = h('div', { class: 'none', hidden: true }, icon('jobs', 'large'), h('p', {}, 'No job here.'), prose(h('p', { class: 'soft' }), 'Submit one with `backline submit`, by the library, or by `POST /api/v1/jobs`: it shows up at once.'));
  const root = h('div', { class: 'jobs' },
    h('section', { class: 'list', 'aria-label': 'Jobs' }, h('div', { class: 'bar' }, filter, h('div', { class: 'tabs', role: 'group', 'aria-label': 'Which jobs' }, tabs), count), none, rows.root),
    detail.root);

  function pick(one) {
    set = one;
    tabs.forEach((tab, n) => attr(tab, 'aria-pressed', String(SETS[n] === one)));
    rows.go(0);
    draw();
  }

  function draw() {
    if (!root.isConnected) return;
    const words = filter.value.trim().toLowerCase();
    const fits = (job) => set[2](job) && (!words || about(job).includes(words));
    if (crowd !== known.crowd) {
      crowd = known.crowd;
      order = [...known.jobs].map(([id, job]) => [began(job), id]).sort((a, b) => (a[0] < b[0] ? 1 : -1)).map(([, id]) => id);
    }
    const all = order.map((id) => known.jobs.get(id)).filter((job) => job && fits(job));
    rows.set(all);
    text(count, plural(all.length, 'job'));
    attr(none, 'hidden', all.length > 0);
    attr(rows.root, 'hidden', all.length === 0);
    detail.fill(known.jobs.get(chosen));
  }

  on('jobs', draw);
  tick(() => root.isConnected && rows.draw());
  return {
    root,
    filter,
    show: ([id]) => {
      chosen = id ?? null;
      attr(root, 'data-chosen', String(chosen !== null));
      detail.choose(chosen);
      draw();
    },
    hide: () => rows.go(0),
    // Moves along the list; the one that is moved to is opened.
    move: (by) => {
      const at = rows.items.findIndex((job) => job.id === chosen);
      const next = Math.max(0, Math.min(rows.items.length - 1, at + by));
      if (!rows.items[next]) return;
      rows.reveal(next);
      go(`jobs/${rows.items[next].id}`);
    },
  };
}
