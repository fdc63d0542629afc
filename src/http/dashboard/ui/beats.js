// The heartbeat bar: sixty fixed slots of five seconds, each with its reason. A slot stands for a stretch of wall-clock
// time, so that it never changes its colour by moving.
import { attr, h, s, text } from './dom.js';
import { clock, ms, percent } from './format.js';

const SLOTS = 60;
const WIDTH = 5000;

// A slot is drawn as a bar, so wide with what is between it and the next; all bars of a tone are one path, since sixty
// elements for each card are most of what the page would lay out.
const [STEP, BAR, HEIGHT, ROUND] = [6, 4, 26, 2];
const SHARES = { good: 1, warn: 0.72, bad: 0.46, off: 0.22, none: 0.12 };

const WORDS = { good: 'ready', warn: 'partly', bad: 'down', off: 'off', none: 'nothing measured' };

function empty(from) {
  return { from, ok: 0, failed: 0, ready: 0, down: 0, off: 0, sum: 0, measured: 0, reason: null, phase: null };
}

// Sixty slots out of a report, oldest first.
export function slots(report, now) {
  // The stretch that is not over yet would be half empty.
  const last = (Math.floor(now / WIDTH) - 1) * WIDTH;
  const all = Array.from({ length: SLOTS }, (_, at) => empty(last - (SLOTS - 1 - at) * WIDTH));
  if (!report) return all;
  for (const bucket of report.buckets) {
    const slot = all[Math.floor((Date.parse(bucket.at) - all[0].from) / WIDTH)];
    if (!slot) continue;
    slot.ok += bucket.probes_ok;
    slot.failed += bucket.probes_failed;
    slot.ready += bucket.ready_s;
    slot.down += bucket.down_s;
    slot.off += bucket.off_s;
    if (bucket.latency_mean_ms !== null) {
      slot.sum += bucket.latency_mean_ms * bucket.probes_ok;
      slot.measured += bucket.probes_ok;
    }
  }
  const steps = report.timeline.filter((step) => step.reason);
  for (const slot of all) {
    const step = steps.findLast((one) => Date.parse(one.at) < slot.from + WIDTH && Date.parse(one.last_at) >= slot.from - WIDTH);
    slot.reason = step?.reason ?? null;
  }
  return all;
}

export function tone(slot) {
  const measured = slot.ready + slot.down + slot.off;
  if (!measured && !slot.ok && !slot.failed) return 'none';
  if (slot.failed && !slot.ok) return 'bad';
  if (slot.down > slot.ready) return 'bad';
  if (slot.failed || slot.down > 0.05) return 'warn';
  if (slot.ready === 0 && slot.off > 0) return 'off';
  return slot.ready || slot.ok ? 'good' : 'none';
}

export function words(slot) {
  const what = tone(slot);
  const speed = slot.measured ? `, answered in ${ms(slot.sum / slot.measured)}` : '';
  const missed = slot.failed ? `, ${slot.failed} of ${slot.ok + slot.failed} probes missed` : '';
  const why = (what === 'bad' || what === 'warn') && slot.reason ? `: ${slot.reason}` : '';
  return `${clock(slot.from)} ${WORDS[what]}${speed}${missed}${why}`;
}

// A bar with round corners, from the bottom up.
function bar(at, name) {
  const high = HEIGHT * SHARES[name];
  const round = Math.min(ROUND, high / 2);
  const [wide, side] = [BAR - 2 * round, (high - 2 * round).toFixed(2)];
  return `M${at * STEP + round} ${HEIGHT}h${wide}q${round} 0 ${round}-${round}v-${side}q0-${round}-${round}-${round}h-${wide}q-${round} 0-${round} ${round}v${side}q0 ${round} ${round} ${round}z`;
}

export class Beats {
  constructor() {
    this.bars = Object.keys(SHARES).map((name) => s('path', { 'data-tone': name }));
    this.mark = s('path', { class: 'pointed' });
    this.bar = s('svg', { viewBox: `0 0 ${SLOTS * STEP - (STEP - BAR)} ${HEIGHT}`, preserveAspectRatio: 'none', class: 'beats', role: 'img', 'aria-label': 'No history yet' }, this.bars, this.mark);
    this.line = h('p', { class: 'readout soft' });
    this.root = h('div', { class: 'beatbox' }, this.bar, this.line);
    this.bar.addEventListener('pointermove', (event) => this.point(this.under(event.clientX)));
    this.bar.addEventListener('pointerleave', () => this.point(undefined));
    this.slots = [];
    this.pointed = undefined;
  }

  fill(report, now, uptime) {
    this.slots = slots(report, now);
    const tones = this.slots.map(tone);
    for (const path of this.bars) {
      const name = path.dataset.tone;
      attr(path, 'd', tones.map((one, at) => (one === name ? bar(at, name) : '')).join(''));
    }
    const measured = tones.filter((one) => one !== 'none');
    const good = measured.filter((one) => one === 'good').length;
    this.summary = measured.length ? `last 5 m: ${good} of ${measured.length} beats well · ${percent(uptime)} up in 24 h` : 'last 5 m: nothing measured yet';
    attr(this.bar, 'aria-label', `Heartbeat, ${this.summary}`);
    this.point(this.pointed);
  }

  under(x) {
    const { left, width } = this.bar.getBoundingClientRect();
    return Math.max(0, Math.min(SLOTS - 1, Math.floor(((x - left) / width) * SLOTS)));
  }

  point(at) {
    this.pointed = at;
    const slot = at === undefined ? null : this.slots[at];
    attr(this.mark, 'd', slot ? bar(at, tone(slot)) : '');
    text(this.line, slot ? words(slot) : this.summary);
  }

  // The same as a table, for who does not see the bar.
  table() {
    const rows = this.slots.filter((slot) => tone(slot) !== 'none').reverse();
    const cells = (slot) => [clock(slot.from), WORDS[tone(slot)], slot.measured ? ms(slot.sum / slot.measured) : '–', slot.failed ? `${slot.failed} missed` : '', slot.reason ?? ''];
    const head = h('tr', {}, ['From', 'State', 'Latency', 'Probes', 'Reason'].map((name) => h('th', { scope: 'col' }, name)));
    return h('table', { class: 'plain' }, h('thead', {}, head), h('tbody', {}, rows.map((slot) => h('tr', {}, cells(slot).map((cell) => h('td', {}, cell))))));
  }
}
