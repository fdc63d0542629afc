// The status page. Strings of a backend reach the page as text only.
const $ = (id) => document.getElementById(id);
const base = new URL('.', location.href);
const make = (tag, text, kind) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
};
const SHAPE = { ready: ['●', 'good'], dialing: ['◌', 'warn'], waiting: ['↻', 'warn'], draining: ['◐', 'warn'], paused: ['‖', 'soft'], idle: ['○', 'soft'], closed: ['○', 'soft'], parked: ['▲', 'bad'], quarantined: ['■', 'bad'] };
let token = sessionStorage.getItem('backline');
let heard = 0;
let snapshot = null;

async function login() {
  const code = location.hash.slice(1);
  if (!code) return;
  history.replaceState(null, '', location.pathname);
  const answer = await fetch(new URL('api/v1/session', base), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }) });
  if (answer.ok) {
    token = (await answer.json()).token;
    sessionStorage.setItem('backline', token);
  }
}

const ask = (path, options = {}) => fetch(new URL(`api/v1/${path}`, base), { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } });

function card(backend) {
  const [shape, kind] = SHAPE[backend.phase] ?? ['?', 'soft'];
  const unwell = backend.phase === 'ready' && backend.health !== 'healthy';
  const node = make('article');
  const title = make('h3');
  title.append(make('span', shape, unwell ? 'warn' : kind), make('span', backend.id), make('span', unwell ? `${backend.phase}, ${backend.health}` : backend.phase, unwell ? 'warn' : kind));
  node.append(title, make('p', `${backend.kind} ${backend.version ?? ''} · ${backend.url}${backend.required ? ' · required' : ''}`, 'soft'));
  if (backend.reason) node.append(make('p', backend.reason));
  if (backend.last_error && backend.phase !== 'ready') node.append(make('p', backend.last_error.fix, 'soft'));
  const facts = [backend.latency_ms && `probe ${backend.latency_ms.p50.toFixed(1)} ms`, backend.queue && `queue ${backend.queue.running} running, ${backend.queue.pending} waiting`, `slots ${backend.slots.used}/${backend.slots.limit}`, backend.restarts && `${backend.restarts} restarts`];
  node.append(make('p', facts.filter(Boolean).join(' · '), 'soft'));
  const button = make('button', 'Reconnect');
  button.onclick = () => ask(`backends/${backend.id}/reconnect`, { method: 'POST' });
  node.append(button);
  return node;
}

function branch(node) {
  const item = make('li');
  const bad = node.state !== 'running' && node.state !== 'starting';
  item.append(make('span', `${node.id}: ${node.state}`, bad ? 'warn' : ''));
  if (node.restarts) item.append(make('span', ` · ${node.restarts} restarts · last exit: ${node.last_exit?.message ?? ''}`, 'soft'));
  if (node.children.length) item.append(tree(node.children));
  return item;
}

function tree(nodes) {
  const list = make('ul');
  list.append(...nodes.map(branch));
  return list;
}

function draw() {
  if (!snapshot) return;
  const ready = snapshot.backends.filter((b) => b.phase === 'ready').length;
  const kind = { healthy: 'good', degraded: 'warn', down: 'bad' }[snapshot.overall];
  $('overall').textContent = `${snapshot.overall}: ${ready} of ${snapshot.backends.length} ready`;
  $('overall').className = kind;
  $('backends').replaceChildren(...snapshot.backends.map(card));
  if (!snapshot.backends.length) $('backends').append(make('p', 'No backend is configured. Write a backline.ron, then start Backline again.'));
  $('tree').replaceChildren(tree([snapshot.tree]));
}

function tell(event) {
  const what = { 'backend.phase': (d) => `${d.backend} is ${d.phase}${d.reason ? `: ${d.reason.message}` : ''}`, 'job.state': (d) => `job ${d.job.slice(0, 8)} is ${d.state}`, 'tree.crash': (d) => `${d.child} crashed: ${d.exit}`, 'tree.quarantined': (d) => `${d.child} is quarantined`, 'notice.raised': (d) => `${d.backend ?? 'Backline'}: ${d.message}${d.count > 1 ? ` (${d.count} times)` : ''}`, 'notice.cleared': (d) => `${d.backend ?? 'Backline'}: over: ${d.title}` }[event.type];
  if (!what) return;
  $('log').prepend(make('li', `${new Date(event.at).toLocaleTimeString()} ${what(event.data)}`));
  while ($('log').children.length > 200) $('log').lastChild.remove();
}

function note(notice) {
  const node = make('article');
  const title = make('h3');
  const kind = { error: 'bad', warning: 'warn' }[notice.severity] ?? 'soft';
  title.append(make('span', { error: '▲', warning: '◆' }[notice.severity] ?? '●', kind), make('span', notice.title), make('span', notice.backend ?? '', 'soft'));
  const button = make('button', 'Dismiss');
  button.onclick = () => ask(`notices/${notice.id}/dismiss`, { method: 'POST' }).then(notices);
  node.append(title, make('p', notice.message), make('p', notice.fix, 'soft'), make('p', `since ${new Date(notice.first_at).toLocaleString()}${notice.count > 1 ? ` · ${notice.count} times` : ''}`, 'soft'), button);
  return node;
}

async function notices() {
  const answer = await ask('notices');
  if (!answer.ok) return;
  const list = (await answer.json()).notices;
  $('notices').replaceChildren(...list.map(note));
  $('notices').hidden = !list.length;
}

async function refresh() {
  const answer = await ask('snapshot');
  if (answer.status === 401) throw new Error('Not logged in: run `backline open` for a fresh address.');
  snapshot = await answer.json();
  heard = Date.now();
  draw();
  await notices();
}

async function listen(seen) {
  const answer = await ask('events', seen ? { headers: { 'last-event-id': seen } } : {});
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  let due = null;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return seen;
    heard = Date.now();
    text += value;
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const fields = Object.fromEntries(text.slice(0, end).split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
      if (!fields.data) continue;
      seen = fields.id;
      const data = JSON.parse(fields.data);
      if (fields.event === 'resync') snapshot = data;
      else tell(data);
      due ??= setTimeout(() => { due = null; refresh().catch(() => {}); }, 50);
    }
  }
}

async function run() {
  await login();
  let seen;
  for (;;) {
    try {
      await refresh();
      seen = await listen(seen);
    } catch (error) {
      $('overall').textContent = error.message;
      $('overall').className = 'bad';
    }
    await new Promise((resume) => setTimeout(resume, 1000));
  }
}

setInterval(() => {
  const age = Math.round((Date.now() - heard) / 1000);
  $('fresh').textContent = !heard ? '' : age < 20 ? 'live' : `lost contact ${age} s ago`;
}, 1000);
run();
