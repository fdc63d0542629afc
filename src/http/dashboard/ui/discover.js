// Looks for servers now, and adopts what a person picks.
import { post } from './api.js';
import { attempt } from './act.js';
import { dialog } from './dialog.js';
import { h } from './dom.js';
import { ms, plural } from './format.js';
import { kind } from './phase.js';
import { deed } from './rights.js';
import { known } from './store.js';
import { run as probe } from './staged.js';

const origin = (url) => new URL(url).origin;

// An id that is free: the kind's name, with a number from the second on.
export function freeId(name) {
  for (let n = 1; ; n += 1) {
    const id = n === 1 ? name : `${name}-${n}`;
    if (!known.backends.has(id)) return id;
  }
}

// A server that was found, with what may become of it.
export function find(one) {
  const has = [...known.backends.values()].find((b) => origin(b.url) === origin(one.url));
  const place = h('div');
  const id = h('input', { value: freeId(one.kind), 'aria-label': 'Id', size: 12 });
  const adopt = deed('Adopt', async () => {
    const taken = await attempt(`Added ${id.value}`, () => post('backends', { id: id.value, kind: one.kind, url: one.url }));
    if (taken) adopt.replaceWith(h('span', { class: 'soft' }, 'added'));
  }, { class: 'primary' });
  return h('li', {}, h('div', {}, h('b', {}, kind(one.kind)), ' ', h('span', { class: 'soft' }, [one.version, one.title].filter(Boolean).join(' · ')), h('p', {}, h('code', {}, one.url), one.needs === 'auth' ? ' wants a key or a log-in' : '')),
    h('div', { class: 'acts' }, deed('Test', () => probe({ candidate: { kind: one.kind, url: one.url } }, place)), has ? h('span', { class: 'soft' }, `is ${has.id}`) : [id, adopt]), place);
}

// A server that took the connection and said nothing in time.
function mute(url) {
  return h('li', {}, h('div', {}, h('code', {}, url), h('p', { class: 'soft' }, 'Takes connections and did not say in 1.5 s what it is: it may still be starting, or hang. Look again in a moment.')));
}

export function discover() {
  const ports = h('input', { placeholder: '8188, 9000-9100', 'aria-label': 'Ports', size: 18 });
  const hosts = h('input', { placeholder: 'render-box, 10.0.0.0/28', 'aria-label': 'Machines', size: 22 });
  const list = h('ul', { class: 'finds', 'aria-live': 'polite' });
  const look = async () => {
    const split = (input) => input.value.split(',').map((part) => part.trim()).filter(Boolean);
    const scope = Object.fromEntries([['ports', split(ports)], ['hosts', split(hosts)]].filter(([, parts]) => parts.length));
    list.replaceChildren(h('li', { class: 'soft' }, 'Looking …'));
    const answer = await attempt(null, () => post('discover', Object.keys(scope).length ? scope : undefined, { wait: 35_000 }));
    if (!answer) return list.replaceChildren();
    const { found, scanned, took_ms: took, silent } = await answer.json();
    return list.replaceChildren(...found.map(find), ...silent.map(mute), h('li', { class: 'soft' }, `${plural(found.length, 'server')} found; ${plural(scanned, 'port')} looked at in ${ms(took)}.`));
  };
  dialog('Discover', [h('p', { class: 'soft' }, 'Looks at the ports that such servers usually have, on this machine. No key is sent.'),
    h('div', { class: 'bar' }, h('label', {}, 'Ports ', ports), h('label', {}, 'Machines ', hosts), deed('Look', look, { class: 'primary' })), list], { wide: true });
  look();
}
