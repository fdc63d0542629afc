// The drawer of the demo: break a simulated backend, and watch it heal. Only the demo has what this asks for.
import { send } from './api.js';
import { attempt } from './act.js';
import { button, h, keyed, text, attr } from './dom.js';
import { icon } from './icons.js';
import { state } from './phase.js';
import * as palette from './palette.js';
import { deed } from './rights.js';
import { known, on } from './store.js';

const TITLES = { kill: 'Kill', start: 'Start', hang: 'Hang', slow: 'Slow', corrupt: 'Corrupt', deny: 'Refuse the key', heal: 'Heal', panic: 'Panic its actor', job: 'Run a job' };
const SAID = { kill: 'was killed', start: 'was started', hang: 'hangs', slow: 'is slow', corrupt: 'answers garbage', deny: 'refuses every key', heal: 'is well again', panic: 'has a panicking actor', job: 'got a job' };

const run = (id, act) => attempt(`${id} ${SAID[act] ?? act}`, () => send(`demo/${encodeURIComponent(id)}/${act}`, { method: 'POST' }));

function row({ id, acts }) {
  const looks = h('span', { class: 'soft' });
  const buttons = acts.map((act) => deed(TITLES[act] ?? act, () => run(id, act), { 'data-act': act, class: ['kill', 'panic'].includes(act) ? 'danger' : '' }));
  return h('li', { 'data-id': id }, h('p', {}, h('b', {}, id), ' ', looks), h('div', { class: 'acts' }, buttons));
}

function fill(node, { id }) {
  const status = known.backends.get(id);
  if (!status) return;
  const { word, tone } = state(status);
  text(node.querySelector('.soft'), word.toLowerCase());
  attr(node, 'data-tone', tone);
}

export function mount(parent) {
  if (document.documentElement.dataset.demo === undefined) return;
  const list = h('ul', {});
  const drawer = h('aside', { class: 'drawer', id: 'drawer', 'aria-label': 'Break something', hidden: true },
    h('header', {}, icon('flask', 'state'), h('h2', {}, 'Break something'), button(icon('cross'), () => toggle(), { class: 'quiet', 'aria-label': 'Close the drawer' })),
    h('p', { class: 'soft' }, 'These servers are simulated. Break one, and watch what Backline does about it.'), list);
  const handle = button([icon('flask'), h('span', {}, 'Break something')], () => toggle(), { class: 'handle', 'aria-expanded': 'false', 'aria-controls': 'drawer' });
  let acts = [];
  const draw = () => keyed(list, acts, ({ id }) => id, row, fill);
  const toggle = async () => {
    drawer.hidden = !drawer.hidden;
    handle.hidden = !drawer.hidden;
    if (drawer.hidden) handle.focus();
    attr(handle, 'aria-expanded', String(!drawer.hidden));
    if (!drawer.hidden && !acts.length) {
      const answer = await attempt(null, () => send('demo/backends'));
      acts = answer ? (await answer.json()).backends : [];
      draw();
    }
    if (!drawer.hidden) drawer.querySelector('[data-act]')?.focus();
  };
  parent.append(handle, drawer);
  on('backends', draw);
  palette.add(() => acts.flatMap(({ id, acts: all }) => all.map((act) => [`Demo: ${TITLES[act] ?? act} ${id}`, () => run(id, act)])));
}
