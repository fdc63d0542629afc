// Numbers and times as people read them.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytes(count, digits = 1) {
  if (count === null || count === undefined) return '–';
  let unit = 0;
  while (count >= 1024 && unit < UNITS.length - 1) {
    count /= 1024;
    unit += 1;
  }
  return `${unit === 0 || count >= 100 ? Math.round(count) : count.toFixed(digits)} ${UNITS[unit]}`;
}

export function ms(value) {
  if (value === null || value === undefined) return '–';
  if (value >= 60_000) return span(value);
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ms`;
}

// A length of time in milliseconds, in its two greatest units.
export function span(length) {
  const seconds = Math.max(0, Math.floor(length / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 && minutes < 10 ? `${minutes} m ${seconds % 60} s` : `${minutes} m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} m` : `${hours} h`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export const ago = (at, now = Date.now()) => (at ? span(now - Date.parse(at)) : '–');

export function percent(share) {
  if (share === null || share === undefined) return '–';
  const value = share * 100;
  if (value === 0) return '0 %';
  return `${value >= 99.95 ? '100' : value.toFixed(value >= 10 ? 1 : 2)} %`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const MINUTES = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
const DAY = new Intl.DateTimeFormat(undefined, { month: 'short', day: 'numeric' });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', hour12: false });


export const clock = (at) => CLOCK.format(new Date(at));
export const minutes = (at) => MINUTES.format(new Date(at));
// A time of today by the clock, of another day with its day.
export const moment = (at) => (new Date(at).toDateString() === new Date().toDateString() ? clock(at) : `${DAY.format(new Date(at))} ${clock(at)}`);
export const exactly = (at) => FULL.format(new Date(at));
export const plural = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
export const upper = (word) => word.charAt(0).toUpperCase() + word.slice(1);
export const short = (id) => String(id).slice(0, 8);
