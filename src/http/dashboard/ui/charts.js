// What was, over fifteen minutes, an hour and a day; backends beside one another; and all of it as a file.
import { api, read } from './api.js';
import { attempt } from './act.js';
import { Chart } from './chart.js';
import { attr, button, h, keyed, text } from './dom.js';
import { moment, ms, percent } from './format.js';
import { save } from './output.js';
import { report, want } from './past.js';
import { known, on } from './store.js';
import { tick } from './tick.js';

const WINDOWS = [['15m', '15 minutes', 900_000], ['1h', '1 hour', 3_600_000], ['24h', '1 day', 86_400_000]];
const MOST = 8;

const LINES = {
  p50: (b) => b.latency_p50_ms,
  p95: (b) => b.latency_p95_ms,
  success: (b) => (b.probes_ok + b.probes_failed ? b.probes_ok / (b.probes_ok + b.probes_failed) : null),
  up: (b) => (b.ready_s + b.down_s ? b.ready_s / (b.ready_s + b.down_s) : null),
};

const COLUMNS = [
  ['at', 'beginning of the bucket, UTC'], ['bucket_s', 'its width in seconds'], ['probes_ok, probes_failed', 'probes that were answered, and that were not'],
  ['latency_min_ms … latency_p95_ms', 'of the answered probes; empty where there was none'], ['ready_s', 'time with an open session'], ['down_s', 'time without one, though wanted'], ['off_s', 'time in which a person had stopped it'],
];

export function make() {
  let [span] = WINDOWS;
  const chosen = new Set();
  let touched = false;
  const picks = h('div', { class: 'picks', role: 'group', 'aria-label': 'Backends to compare' });
  const tabs = WINDOWS.map((one) => h('button', { type: 'button', 'aria-pressed': String(one === span), onclick: () => { span = one; tabs.forEach((tab, n) => attr(tab, 'aria-pressed', String(WINDOWS[n] === one))); draw(); } }, one[1]));
  const note = h('p', { class: 'soft' });
  const steps = h('ol', { class: 'phases', tabindex: '0', 'aria-label': 'Phases' });
  const percents = (value) => percent(value);
  const charts = { p50: new Chart('Latency, median', ms), p95: new Chart('Latency, 95th percentile', ms), success: new Chart('Probes answered', percents, 1), up: new Chart('Time up', percents, 1) };
  const root = h('div', { class: 'charts' },
    h('div', { class: 'bar' }, h('div', { class: 'tabs', role: 'group', 'aria-label': 'Window' }, tabs), picks, h('div', { class: 'push' }, button('CSV', () => csv(), { 'aria-label': 'Export as CSV' }), button('JSON', () => json(), { 'aria-label': 'Export as JSON' }))),
    note,
    h('div', { class: 'figures' }, Object.values(charts).map((chart) => chart.root)),
    h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Phases')), steps),
    h('details', { class: 'panel' }, h('summary', {}, 'Columns of the export'), h('dl', { class: 'pairs' }, COLUMNS.map(([name, what]) => [h('dt', {}, h('code', {}, name)), h('dd', {}, what)]))));

  const ids = () => [...chosen].filter((id) => known.backends.has(id)).slice(0, MOST);

  function pick(id) {
    touched = true;
    if (!chosen.delete(id) && chosen.size < MOST) chosen.add(id);
    draw();
  }

  function draw() {
    if (!root.isConnected || !known.snapshot) return;
    if (!touched) known.snapshot.backends.slice(0, 4).forEach(({ id }) => chosen.add(id));
    const listed = known.snapshot.backends.slice(0, 60);
    keyed(picks, listed, ({ id }) => id, ({ id }) => h('button', { type: 'button', onclick: () => pick(id) }, h('i'), id), (node, { id }) => {
      attr(node, 'aria-pressed', String(chosen.has(id)));
      attr(node, 'data-mark', chosen.has(id) ? ids().indexOf(id) : null);
    });
    const [name, , width] = span;
    ids().forEach((id) => want(id, name));
    const reports = ids().map((id) => [id, report(id, name)]).filter(([, one]) => one);
    const to = Date.now();
    for (const [key, chart] of Object.entries(charts)) {
      const series = reports.map(([id, one]) => ({ name: id, mark: ids().indexOf(id), gap: Math.max(one.bucket_s * 1000 * 2.5, 16_000), points: one.buckets.map((b) => [Date.parse(b.at), LINES[key](b)]).filter(([, value]) => value !== null) }));
      chart.fill(series, to - width, to);
    }
    const short = reports.find(([, one]) => one.window_s * 1000 < width - 1000);
    text(note, reports.length ? short ? `Only ${Math.round(short[1].window_s / 60)} minutes are kept.` : '' : 'Nothing is chosen, or nothing was measured yet.');
    phases(reports);
  }

  function phases(reports) {
    const all = reports.flatMap(([id, one]) => one.timeline.map((step) => ({ id, ...step }))).sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, 60);
    const tone = { ready: 'good', waiting: 'warn', parked: 'bad', quarantined: 'bad', dialing: 'busy' };
    keyed(steps, all, (step) => `${step.id} ${step.at} ${step.phase}`, (step) => h('li', { 'data-tone': tone[step.phase] ?? 'idle' }, h('time', { class: 'num soft' }, moment(step.at)), h('b', {}, step.id), h('span', {}), h('span', { class: 'soft' })), (node, step) => {
      text(node.children[2], `${step.phase}${step.times > 1 ? ` × ${step.times}` : ''}`);
      text(node.children[3], step.reason ?? '');
    });
  }

  const path = (id, format) => `backends/${encodeURIComponent(id)}/history?window=${span[0]}${format}`;

  function csv() {
    return attempt(null, async () => {
      const parts = await Promise.all(ids().map(async (id) => [id, await (await api(path(id, '&format=csv'))).text()]));
      const lines = parts.flatMap(([id, part], n) => part.trim().split(/\r?\n/).map((line, at) => (at === 0 ? (n === 0 ? `backend,${line}` : null) : `${id},${line}`))).filter((line) => line !== null);
      save(new Blob([`${lines.join('\r\n')}\r\n`], { type: 'text/csv' }), `backline-${span[0]}.csv`);
    });
  }

  function json() {
    return attempt(null, async () => {
      const reports = await Promise.all(ids().map((id) => read(path(id, ''))));
      save(new Blob([JSON.stringify(reports, null, 2)], { type: 'application/json' }), `backline-${span[0]}.json`);
    });
  }

  on('history backends', draw);
  let beat = 0;
  tick(() => {
    beat += 1;
    if (beat % 6 === 0) draw();
  });
  return { root, show: draw };
}
