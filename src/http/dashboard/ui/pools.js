// The pools: how many of their members are ready, and who waits.
import { attr, h, keyed, text } from './dom.js';
import { known, on } from './store.js';

function line() {
  return h('li', {}, h('b'), h('span', { class: 'num' }), h('span', { class: 'soft num' }));
}

function fill(node, pool) {
  const [name, ready, more] = node.children;
  text(name, pool.id);
  text(ready, `${pool.ready} of ${pool.members} ready`);
  text(more, `${pool.leases} at work · ${pool.waiting} waiting`);
  attr(node, 'data-tone', pool.ready === 0 ? 'bad' : pool.ready < pool.members ? 'warn' : 'good');
}

export function make() {
  const list = h('ul', { class: 'pools' });
  const root = h('section', { class: 'panel', hidden: true }, h('header', {}, h('h2', {}, 'Pools')), list);
  on('pools', () => {
    const pools = known.snapshot.pools ?? [];
    keyed(list, pools, (pool) => pool.id, line, fill);
    attr(root, 'hidden', pools.length === 0);
  });
  return root;
}
