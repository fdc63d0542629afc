// The supervision tree: who watches whom, how often each was restarted, and how it last ended.
import { attr, h, keyed, text } from './dom.js';
import { plural, upper } from './format.js';
import { icon, swap } from './icons.js';
import { known, on } from './store.js';
import { Stretch } from './stretch.js';

const LOOKS = { running: ['ready', 'good'], starting: ['dialing', 'busy'], stopping: ['draining', 'busy'], waiting: ['waiting', 'warn'], quarantined: ['quarantined', 'bad'], down: ['closed', 'idle'], ended: ['closed', 'idle'] };
// A crowd of children begins closed.
const OPEN = 30;
// Children that are listed at first.
const LISTED = 100;

const worst = (node) => (node.state === 'running' ? node.children.map(worst).find((state) => state !== 'running') ?? 'running' : node.state);

function item(node) {
  const label = [icon('idle', 'state'), h('span', { class: 'name' }), h('span', { class: 'soft num' })];
  const last = h('p', { class: 'exit soft', hidden: true });
  if (!node.children.length) return h('li', {}, h('div', { class: 'leaf' }, label), last);
  const rest = h('li', { class: 'soft num', hidden: true });
  const list = h('ul', {}, rest);
  const li = h('li', {}, h('details', { open: node.children.length <= OPEN, ontoggle: () => grow(li) }, h('summary', {}, label), last, list));
  li.stretch = new Stretch(LISTED, { end: rest, one: 'more', many: 'more', draw: () => grow(li) });
  return li;
}

// What is folded away is not in the page.
function grow(li) {
  const inner = li.firstElementChild;
  if (!inner.open) li.stretch.reset();
  branches(inner.lastElementChild, li.stretch.cut(inner.open ? li.node.children : []));
}

function fill(li, node) {
  li.node = node;
  const inner = li.firstElementChild;
  const folded = inner.tagName === 'DETAILS';
  const [picture, name, more] = (folded ? inner.firstElementChild : inner).children;
  const [shape, tone] = LOOKS[folded ? worst(node) : node.state] ?? ['idle', 'idle'];
  swap(picture, shape);
  attr(li, 'data-tone', tone);
  text(name, node.id);
  const word = node.state === 'running' ? '' : node.state;
  text(more, [word, folded && node.children.length ? plural(node.children.length, 'child', 'children') : '', node.restarts ? `↻ ${node.restarts}` : ''].filter(Boolean).join(' · '));
  const exit = folded ? inner.children[1] : inner.nextElementSibling;
  attr(exit, 'hidden', !node.last_exit || (node.last_exit.kind === 'normal' && !node.restarts));
  text(exit, node.last_exit ? `${upper(node.last_exit.kind.replace('_', ' '))}: ${node.last_exit.message}` : '');
  if (folded) grow(li);
}

const branches = (list, nodes) => keyed(list, nodes, (node) => `${node.id} ${node.children.length > 0}`, item, fill);

const sum = (node) => node.restarts + node.children.reduce((all, child) => all + sum(child), 0);

export function make() {
  const list = h('ul', { class: 'tree' });
  const total = h('span', { class: 'soft num' });
  on('tree', () => {
    const { tree } = known.snapshot;
    branches(list, [tree]);
    text(total, plural(sum(tree), 'restart'));
  });
  return h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Supervision tree'), total), list);
}
