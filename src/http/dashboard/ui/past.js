// What was, of each backend that is looked at: asked for a few at a time, kept for as long as it is fresh.
import { read } from './api.js';
import { seed, touch } from './store.js';

const AT_ONCE = 3;
const FRESH = { '5m': 4500, '15m': 10_000, '1h': 30_000, '24h': 60_000 };

const reports = new Map();
const queue = [];
let under = 0;

export const report = (id, window = '5m') => reports.get(`${id} ${window}`)?.report ?? null;

// Asks, where what is known is older than it may be. Readers of the topic `history` are told.
export function want(id, window = '5m', { now = false } = {}) {
  const key = `${id} ${window}`;
  const entry = reports.get(key) ?? { id, window, report: null, at: 0, asked: false };
  reports.set(key, entry);
  if (entry.asked || (!now && Date.now() - entry.at < (FRESH[window] ?? 10_000))) return;
  entry.asked = true;
  queue.push(entry);
  next();
}

function next() {
  if (under >= AT_ONCE || !queue.length) return;
  under += 1;
  const entry = queue.shift();
  read(`backends/${encodeURIComponent(entry.id)}/history?window=${entry.window}`)
    .then((report) => {
      entry.report = report;
      entry.at = Date.now();
      seed(entry.id, report.timeline);
      touch('history');
    }, () => {
      entry.at = Date.now();
    })
    .finally(() => {
      entry.asked = false;
      under -= 1;
      next();
    });
}

export function forgetAll() {
  reports.clear();
}
