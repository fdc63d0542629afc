// What a person asks of a backend; what came of it shows in the events, a refusal in a toast.
import { api, forget, post } from './api.js';
import { takeLink } from './store.js';
import { soon } from './stream.js';
import { toast } from './toasts.js';
import { want } from './past.js';

const path = (id, verb) => `backends/${encodeURIComponent(id)}/${verb}`;

// Runs an action; `said` is what is told when it was taken.
export async function attempt(said, run) {
  try {
    const answer = await run();
    if (said) toast('info', said);
    soon(0);
    return answer;
  } catch (cause) {
    toast('error', cause.message, cause.fix);
    return null;
  }
}

// Ends the session of this page; the token is good for nothing after it.
export async function logOut() {
  // The instance's own token belongs to no session: then there is none to end, and it is only forgotten here.
  await api('session', { method: 'DELETE' }).catch((cause) => cause.status !== 404 && toast('error', cause.message, cause.fix));
  forget();
  takeLink('denied', 'You are logged out.');
}

export const check = (id) => attempt(`Checking ${id}`, () => post(path(id, 'check'))).then(() => setTimeout(() => want(id, '5m', { now: true }), 300));
export const reconnect = (id, force) => attempt(`Reconnecting ${id}`, () => post(path(id, 'reconnect'), force ? { force: true } : undefined));
export const pause = (id) => attempt(`Pausing ${id}`, () => post(path(id, 'pause')));
export const resume = (id) => attempt(`Resuming ${id}`, () => post(path(id, 'resume')));
export const cordon = (id) => attempt(`Cordoned ${id}`, () => post(path(id, 'cordon')));
export const uncordon = (id) => attempt(`${id} gets work again`, () => post(path(id, 'uncordon')));
export const enable = (id, enabled) => attempt(`${enabled ? 'Enabling' : 'Disabling'} ${id}`, () => api(`backends/${encodeURIComponent(id)}`, { method: 'PATCH', body: { enabled } }));
