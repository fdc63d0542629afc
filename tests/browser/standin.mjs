// A server in Backline's place, with the page as it is served and answers that no real run gives: a thousand backends,
// ten thousand jobs, names that want to be markup.
import { createServer } from 'node:http';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../src/http/dashboard');
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob:; media-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

const now = () => new Date().toISOString();

export function backend(id, more = {}) {
  return {
    id, kind: 'comfyui', url: 'http://127.0.0.1:8188', required: false, enabled: true, source: 'file', phase: 'ready', reason: null, health: 'healthy', channel: 'live',
    since: now(), connected_at: now(), last_attempt_at: now(), last_check_at: now(), epoch: 1, version: '0.24.0', capabilities: ['image.generate'], models: [], functions: [],
    queue: { running: 0, pending: 0 }, slots: { used: 0, limit: 4 }, latency_ms: { p50: 1, p95: 2, p99: 3 }, request_ms: null, job_ms: null, success_rate: 1, uptime: 1, resources: {}, attempts: 0,
    next_attempt_at: null, breaker: { state: 'closed', reason: null, next_trial_at: null }, last_error: null, restarts: 0, ...more,
  };
}

export function job(n, more = {}) {
  const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  return { id, target: 'image.generate', backend: 'b-1', kind: 'comfyui', work: 'workflow', state: n % 7 ? 'done' : 'failed', guarantee: 'effectively_once', remote_id: id, attempts: 1, routed: null, progress: null, outputs: [], result: null, error: null, timeline: [{ at: new Date(1.78e12 + n * 1000).toISOString(), state: 'queued', evidence: 'accepted' }], ...more };
}

const leaf = (id) => ({ id, state: 'running', restarts: 0, incarnation: 1, last_exit: null, children: [] });

export class Standin {
  constructor({ backends, jobs = [], notices = [], media = {} }) {
    // `snapshots` counts those that were asked for, by how they were answered; `held` keeps the answers of a path back.
    Object.assign(this, { backends, jobs, notices, media, tickets: [], played: [], readers: new Set(), revision: 1, snapshots: { 200: 0, 304: 0 }, held: new Map() });
    this.page = readFileSync(path.join(SOURCE, 'page.html'), 'utf8').replaceAll('{{here}}', '').replace('{{stage}}', '');
    this.files = new Set(readdirSync(path.join(SOURCE, 'ui')));
    this.server = createServer((request, answer) => this.answer(request, answer));
  }

  async open() {
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${this.server.address().port}/#code`;
  }

  snapshot() {
    return { run: 'r', revision: this.revision, at: now(), overall: 'healthy', backends: this.backends, pools: [], jobs: {}, tree: { ...leaf('root'), children: [{ ...leaf('backends'), children: this.backends.map(({ id }) => leaf(id)) }] } };
  }

  tell(type, data) {
    this.revision += 1;
    // As a snapshot shows it from here on.
    if (data.status) this.backends = this.backends.map((one) => (one.id === data.status.id ? data.status : one));
    const event = { revision: this.revision, at: now(), type, data };
    for (const reader of this.readers) reader.write(`id: r-${this.revision}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`);
  }

  // Answers of `path` are made as they are asked for, and sent once what this answers with is called.
  hold(path) {
    const held = {};
    const released = new Promise((release) => Object.assign(held, { release }));
    const asked = new Promise((ask) => this.held.set(path, { asked: ask, promise: released }));
    return { asked, release: () => { this.held.delete(path); held.release(); } };
  }

  answer(request, answer) {
    const url = new URL(request.url, 'http://x');
    answer.setHeader('content-security-policy', POLICY);
    const send = async (type, body) => {
      const held = this.held.get(`${url.pathname}${url.search}`);
      held?.asked();
      await held?.promise;
      answer.setHeader('content-type', type);
      answer.end(body);
    };
    const json = (body) => send('application/json', JSON.stringify(body));
    const file = url.pathname.match(/^\/ui\/([\w.-]+)$/)?.[1];
    if (url.pathname === '/') return send('text/html; charset=utf-8', this.page);
    if (file && this.files.has(file)) return send(TYPES[path.extname(file)], readFileSync(path.join(SOURCE, 'ui', file)));
    if (url.pathname === '/api/v1/events') {
      answer.setHeader('content-type', 'text/event-stream');
      answer.write(': here\n\n');
      this.readers.add(answer);
      return request.on('close', () => this.readers.delete(answer));
    }
    if (url.pathname === '/api/v1/snapshot') {
      const tag = `"${this.revision}"`;
      const same = request.headers['if-none-match'] === tag;
      answer.statusCode = same ? 304 : 200;
      this.snapshots[answer.statusCode] += 1;
      answer.setHeader('etag', tag);
      return same ? answer.end() : json(this.snapshot());
    }
    if (url.pathname === '/api/v1/jobs') {
      const limit = Number(url.searchParams.get('limit') ?? 100);
      const before = url.searchParams.get('before');
      const from = before ? this.jobs.findIndex(({ id }) => id === before) + 1 : 0;
      const jobs = this.jobs.slice(from, from + limit);
      return json({ jobs, next: from + limit < this.jobs.length ? jobs.at(-1).id : null });
    }
    const [, place, name, ticket] = url.pathname.match(/^(\/api\/v1\/jobs\/[\w-]+\/outputs\/([\w.-]+))(\/ticket)?$/) ?? [];
    if (this.media[name]) {
      const bearer = request.headers.authorization?.startsWith('Bearer ') ?? false;
      (ticket ? this.tickets : this.played).push({ bearer });
      if (ticket) return json({ url: `${place}?ticket=once` });
      answer.setHeader('content-disposition', `inline; filename="${name}"`);
      return send('audio/wav', this.media[name]);
    }
    const one = url.pathname.match(/^\/api\/v1\/jobs\/([\w-]+)$/)?.[1];
    if (one) return json(this.jobs.find(({ id }) => id === one) ?? {});
    if (/\/logs$/.test(url.pathname)) return json({ kept: false, lines: [] });
    if (/\/history$/.test(url.pathname)) return json({ backend: 'x', from: now(), to: now(), window_s: 300, bucket_s: 1, uptime: 1, success_rate: 1, timeline: [], buckets: [] });
    const fixed = { '/api/v1/session': { token: 't', may: 'change' }, '/api/v1/notices': { notices: this.notices }, '/api/v1/openapi.json': { paths: {} }, '/api/v1/config/schema': { fields: [] }, '/api/v1/config': { values: [{ path: 'version', value: 1, source: 'file' }], edited: [], removed: [], problems: [], warnings: [], proposals: [], undo: 0 } }[url.pathname];
    if (fixed) return json(fixed);
    answer.statusCode = 404;
    return json({ error: { code: 'not_found', message: 'not here', fix: '' } });
  }

  close() {
    this.readers.forEach((reader) => reader.end());
    this.server.closeAllConnections();
    this.server.close();
  }
}
