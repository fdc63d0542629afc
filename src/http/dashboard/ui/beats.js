// The heartbeat bar: sixty fixed slots of five seconds, each with its reason. A slot stands for a stretch of wall-clock
// time, so that it never changes its colour by moving.
import { attr, h, text } from './dom.js';
import { clock, ms, percent } from './format.js';

const SLOTS = 60;
const WIDTH = 5000;

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

export class Beats {
  constructor() {
    this.bars = Array.from({ length: SLOTS }, (_, at) => h('i', { 'data-at': at, 'data-tone': 'none' }));
    this.bar = h('div', { class: 'beats', role: 'img', 'aria-label': 'No history yet' }, this.bars);
    this.line = h('p', { class: 'readout soft' });
    this.root = h('div', { class: 'beatbox' }, this.bar, this.line);
    this.bar.addEventListener('pointermove', (event) => this.point(event.target.dataset?.at));
    this.bar.addEventListener('pointerleave', () => this.point(undefined));
    this.slots = [];
    this.pointed = undefined;
  }

  fill(report, now, uptime) {
    this.slots = slots(report, now);
    this.slots.forEach((slot, at) => attr(this.bars[at], 'data-tone', tone(slot)));
    const measured = this.slots.filter((slot) => tone(slot) !== 'none');
    const good = measured.filter((slot) => tone(slot) === 'good').length;
    this.summary = measured.length ? `last 5 m: ${good} of ${measured.length} beats well · ${percent(uptime)} up in 24 h` : 'last 5 m: nothing measured yet';
    attr(this.bar, 'aria-label', `Heartbeat, ${this.summary}`);
    this.point(this.pointed);
  }

  point(at) {
    this.pointed = at;
    const slot = at === undefined ? null : this.slots[at];
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
