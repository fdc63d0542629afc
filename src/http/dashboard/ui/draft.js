// What a person has changed and not applied, by the path of each value; and the configuration that it is over.
import { api, read } from './api.js';
import { on } from './store.js';

let schema = null;
// Of a thousand backends it is a megabyte and more: it is kept until it changes, or an event of that may be missed.
let kept = null;
on('config resync run', () => {
  kept = null;
});

// The fields, the values with their sources, and the tag for `If-Match`.
export async function load({ anew = false } = {}) {
  schema ??= (await read('config/schema')).fields;
  if (anew) kept = null;
  kept ??= ask();
  const asked = kept;
  try {
    return await asked;
  } catch (cause) {
    if (kept === asked) kept = null;
    throw cause;
  }
}

async function ask() {
  const answer = await api('config');
  const config = await answer.json();
  return { ...config, tag: answer.headers.get('etag'), rows: new Map(config.values.map((row) => [row.path, row])), edits: new Set(config.edited) };
}

const parent = (path) => path.slice(0, Math.max(0, path.lastIndexOf('.')));
export const children = (pattern) => schema.filter((field) => parent(field.path) === pattern);
export const last = (path) => path.slice(path.lastIndexOf('.') + 1);
export const isGroup = (field) => field.type === 'group' || field.type === 'map';

// The names that stand in a map, as in `pools.NAME.members`.
export function namesIn(config, path) {
  const names = new Set();
  for (const key of config.rows.keys()) if (key.startsWith(`${path}.`)) names.add(key.slice(path.length + 1).split('.')[0]);
  return [...names];
}

const LISTS = new Set(['texts', 'ids', 'ports', 'hosts']);

// As the API takes it. An empty text takes the edit back.
export function value(field, text) {
  if (text === '' || text === null) return null;
  if (field.type === 'flag') return text === true || text === 'true';
  if (field.type === 'count') return Number(text);
  if (LISTS.has(field.type)) return text.split(',').map((part) => part.trim()).filter(Boolean);
  return text;
}

export function shown(row) {
  if (!row) return '';
  return Array.isArray(row.value) ? row.value.join(', ') : String(row.value);
}

const DURATION = /^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d)\s*)+$/;

// What is plainly wrong is told while it is typed; the rest by the server's own check.
export function complaint(field, text) {
  if (text === '' || typeof text !== 'string') return '';
  const wrong = {
    count: () => !/^\d+$/.test(text.trim()) || Number(text) < Number(field.min) || Number(text) > Number(field.max),
    duration: () => !DURATION.test(text),
    url: () => !/^https?:\/\/[^\s/]+/.test(text),
    secret: () => /\s/.test(text),
    sha256: () => !/^[0-9a-fA-F:]{64,95}$/.test(text),
  }[field.type];
  return wrong?.() ? `Expected ${field.expected.replaceAll('`', '').replaceAll('"', '')}.` : '';
}

export const source = (row) => {
  const [name, ...rest] = (row?.source ?? 'default').split(':');
  return { name, rest: rest.join(':') };
};
