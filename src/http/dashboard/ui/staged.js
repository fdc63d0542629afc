// The staged test of a backend or of a candidate: each stage with its time, and what to do where one fails.
import { post } from './api.js';
import { h, prose } from './dom.js';
import { ms } from './format.js';
import { icon } from './icons.js';
import { dialog } from './dialog.js';

const NAMES = { dns: 'Name', tcp: 'Connection', tls: 'TLS', http: 'HTTP', api: 'API', auth: 'Access', capability: 'Capabilities' };

export function stages(report) {
  const row = ({ stage, ok, ms: took, message, fix }) => h('li', { 'data-tone': ok ? 'good' : 'bad' },
    icon(ok ? 'ready' : 'quarantined', 'state'), h('b', {}, NAMES[stage] ?? stage),
    h('span', {}, message, !ok && fix ? prose(h('span', { class: 'fix' }), fix) : null), h('span', { class: 'num soft' }, ms(took)));
  return h('ol', { class: 'stages' }, report.stages.map(row));
}

const ask = ({ id, candidate, fields }) => (id ? post(`backends/${encodeURIComponent(id)}/test`, fields, { wait: 30_000 }) : post('probe', candidate, { wait: 30_000 }));

// Fills `place` with what came of it; answers whether all was well.
export async function run(what, place) {
  place.replaceChildren(h('p', { class: 'soft' }, 'Testing …'));
  const began = performance.now();
  try {
    const report = await (await ask(what)).json();
    place.replaceChildren(stages(report), h('p', { class: 'verdict', 'data-tone': report.ok ? 'good' : 'bad' }, report.ok ? `All well, in ${ms(performance.now() - began)}.` : `Failed after ${ms(performance.now() - began)}.`));
    return report.ok;
  } catch (cause) {
    place.replaceChildren(h('p', { class: 'error' }, cause.message), h('p', { class: 'soft' }, cause.fix ?? ''));
    return false;
  }
}

export function test(what) {
  const place = h('div', { 'aria-live': 'polite' });
  dialog(`Test of ${what.id ?? what.candidate.url}`, [place, h('p', { class: 'soft' }, 'The test changes nothing.')]);
  return run(what, place);
}
