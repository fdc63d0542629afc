// What a state is called, its shape and its tone: one place, so that a word means the same everywhere.
import { ago, ms, plural, upper } from './format.js';

const PHASES = {
  ready: ['Ready', 'ready', 'good'],
  dialing: ['Connecting', 'dialing', 'busy'],
  waiting: ['Retrying', 'waiting', 'warn'],
  parked: ['Needs you', 'parked', 'bad'],
  paused: ['Paused', 'paused', 'idle'],
  draining: ['Draining', 'draining', 'busy'],
  quarantined: ['Quarantined', 'quarantined', 'bad'],
  idle: ['Idle', 'idle', 'idle'],
  closed: ['Closed', 'closed', 'idle'],
};

const UNWELL = {
  unhealthy: ['Unhealthy', 'unhealthy', 'bad'],
  degraded: ['Degraded', 'degraded', 'warn'],
};

const JOBS = {
  queued: ['Queued', 'idle'],
  sent: ['Sent', 'busy'],
  running: ['Running', 'busy'],
  fetching: ['Fetching', 'busy'],
  done: ['Done', 'good'],
  failed: ['Failed', 'bad'],
  cancelled: ['Cancelled', 'idle'],
  lost: ['Lost', 'bad'],
  uncertain: ['Uncertain', 'warn'],
  held: ['Held', 'warn'],
};

const ENDS = new Set(['done', 'failed', 'cancelled', 'lost', 'uncertain', 'held']);

export const KINDS = { comfyui: 'ComfyUI', gradio: 'Gradio', wan2gp: 'Wan2GP', litellm: 'LiteLLM', openai: 'OpenAI-compatible' };
export const kind = (name) => KINDS[name] ?? name;
export const ended = (state) => ENDS.has(state);

// The next attempt of a backend that is away is the same trouble, not another state: it would flicker.
const isAgain = (backend) => backend.phase === 'dialing' && backend.attempts > 0 && backend.last_error !== null;

export function state(backend) {
  if (!backend.enabled) return { word: 'Disabled', icon: 'closed', tone: 'idle' };
  const [word, icon, tone] = (backend.phase === 'ready' && UNWELL[backend.health]) || PHASES[isAgain(backend) ? 'waiting' : backend.phase] || [upper(backend.phase), 'idle', 'idle'];
  return { word, icon, tone };
}

export function jobState(name) {
  const [word, tone] = JOBS[name] ?? [upper(name), 'idle'];
  return { word, icon: name, tone };
}

// A card says the address already.
function own(backend, words) {
  const host = backend.url.replace(/^https?:\/\//, '').replace(/\/$/, '');
  return words.startsWith(`${host}: `) ? upper(words.slice(host.length + 2)) : upper(words);
}

// When it went away: attempts that fail again and again are one outage.
export function downSince(backend, timeline) {
  if (backend.phase === 'ready' || !timeline) return backend.since;
  const last = timeline.findLastIndex((step) => step.phase === 'ready' || step.phase === 'paused' || step.phase === 'idle');
  return timeline[last + 1]?.at ?? backend.since;
}

// The plain sentence of a card, and what to do; both always there, so that nothing jumps.
export function sentence(backend, now) {
  const error = backend.last_error;
  if (!backend.enabled) return ['Switched off in the configuration.', 'Enable it to connect.'];
  if (backend.phase === 'ready') {
    if (backend.health === 'unhealthy' || backend.health === 'degraded') {
      return [backend.reason ?? error?.message ?? 'Its answers are late or missing.', error?.fix ?? 'It is kept while a job runs there, and gets no new work until it answers.'];
    }
    if (backend.cordoned_at) return ['Cordoned by a person: nothing new goes there, and what runs goes on.', 'Uncordon it when it may get work again.'];
    const speed = backend.latency_ms ? `Answers probes in ${ms(backend.latency_ms.p50)}` : 'Answers';
    const channel = { live: 'live events', polling: 'read by polling', degraded: 'a live channel that does not tell everything', none: 'no live channel' }[backend.channel] ?? backend.channel;
    return [`${speed}; connected for ${ago(backend.connected_at ?? backend.since, now)}.`, `${upper(channel)}.`];
  }
  if (backend.phase === 'dialing' && !isAgain(backend)) return [backend.reason ?? 'An attempt is under way.', error?.fix ?? 'Nothing to do.'];
  if (backend.phase === 'paused') return ['Paused by a person; no work goes there.', 'Resume it when it may work again.'];
  return [own(backend, backend.reason ?? error?.message ?? `It is ${backend.phase}.`), error?.fix ?? 'Nothing to do: Backline goes on by itself.'];
}

// As the server judges: by the required backends, or by every enabled one where none is marked.
export function judge(backends) {
  const enabled = backends.filter((b) => b.enabled);
  const marked = enabled.some((b) => b.required);
  const counted = marked ? enabled.filter((b) => b.required) : enabled;
  const fit = counted.filter((b) => b.phase === 'ready' && b.health !== 'unhealthy').length;
  const overall = fit === 0 ? 'down' : fit === counted.length ? 'healthy' : 'degraded';
  const others = marked ? enabled.filter((b) => !b.required && b.phase !== 'ready').length : 0;
  return { overall, fit, of: counted.length, marked, others };
}

export function verdict({ overall, fit, of, marked, others }, total) {
  const what = marked ? 'required' : 'enabled';
  if (!total) return { word: 'Nothing yet', icon: 'idle', tone: 'idle', detail: 'no backend is configured' };
  if (overall === 'healthy') return { word: 'Healthy', icon: 'ready', tone: 'good', detail: (of === 1 ? `the ${what} backend is ready` : `all ${of} ${what} are ready`) + (others ? `, ${others} other${others === 1 ? ' is' : 's are'} not` : '') };
  const down = of - fit;
  if (overall === 'down') return { word: 'Down', icon: 'quarantined', tone: 'bad', detail: of === 1 ? `the ${what} backend is not ready` : of ? `none of ${of} ${what} is ready` : 'nothing is enabled' };
  return { word: 'Degraded', icon: 'unhealthy', tone: 'warn', detail: `${down} of ${plural(of, what, what)} ${down === 1 ? 'is' : 'are'} down` };
}
