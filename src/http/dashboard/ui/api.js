// Requests to the own origin, with the session's token. The token lives in sessionStorage: a cookie would ignore the
// port, and reach the backends.
const base = new URL('../', import.meta.url);
const KEY = 'backline';
const PATIENCE = 10_000;

let token = sessionStorage.getItem(KEY);

export const address = (path) => new URL(path, base);
export const known = () => Boolean(token);

export function forget() {
  token = null;
  sessionStorage.removeItem(KEY);
}

export function keep(text) {
  token = text;
  sessionStorage.setItem(KEY, text);
}

// A refusal of the API, or no answer at all.
export class Refusal extends Error {
  constructor(status, error) {
    super(error.message);
    Object.assign(this, { status, code: error.code, fix: error.fix, detail: error.detail });
  }
}

const SILENT = { code: 'no_answer', message: 'Backline does not answer.', fix: 'See whether it still runs; this page goes on by itself.' };

async function refusal(answer) {
  const body = await answer.json().catch(() => null);
  return new Refusal(answer.status, body?.error ?? { code: `http_${answer.status}`, message: `Answered with ${answer.status}.`, fix: '' });
}

// One request; the answer as it came. `wait` bounds it, null does not (a stream).
export async function send(path, { method = 'GET', body, headers = {}, wait = PATIENCE, signal } = {}) {
  const limits = [signal, wait ? AbortSignal.timeout(wait) : null].filter(Boolean);
  const options = { method, signal: AbortSignal.any(limits), cache: 'no-store', headers: { authorization: `Bearer ${token}`, ...headers } };
  if (body !== undefined) {
    options.headers['content-type'] ??= 'application/json';
    options.body = typeof body === 'string' ? body : JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(address(path), options);
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new Refusal(0, SILENT);
  }
  if (answer.ok || answer.status === 304) return answer;
  throw await refusal(answer);
}

export const api = (path, options) => send(`api/v1/${path}`, options);
export const read = async (path, options) => (await api(path, options)).json();
export const post = (path, body, options) => api(path, { method: 'POST', body, ...options });

// Trades the one-time code of an address for a session.
export async function trade(code) {
  const answer = await fetch(address('api/v1/session'), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }) });
  if (!answer.ok) throw await refusal(answer);
  keep((await answer.json()).token);
}
