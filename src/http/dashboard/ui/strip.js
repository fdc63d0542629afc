// The open notices in a line each, over the cards: what is wrong, and the way to more.
import { h, keyed, text, attr } from './dom.js';
import { ago } from './format.js';
import { icon, swap } from './icons.js';
import { known, on } from './store.js';

// Its height never changes, so that nothing below it moves.
const MOST = 2;
const RANK = { error: 0, warning: 1, info: 2 };

export const open = () => known.notices.filter((n) => !n.cleared_at && !n.hidden).sort((a, b) => RANK[a.severity] - RANK[b.severity]);

function line() {
  return h('li', {}, icon('info', 'state'), h('b'), h('span', { class: 'message' }), h('span', { class: 'soft num' }));
}

function fill(node, notice) {
  const [picture, title, message, when] = node.children;
  swap(picture, notice.severity);
  attr(node, 'data-severity', notice.severity);
  text(title, `${notice.backend ?? 'Backline'}: ${notice.title}`);
  text(message, notice.message);
  text(when, `${notice.count > 1 ? `${notice.count} × · ` : ''}since ${ago(notice.first_at)}`);
}

export function make() {
  const list = h('ul', {});
  const more = h('a', { href: '#/notices' });
  const root = h('section', { class: 'strip', 'aria-label': 'Open notices' }, list, more);
  on('notices', () => {
    const all = open();
    keyed(list, all.slice(0, MOST), (n) => n.id, line, fill);
    attr(root, 'data-quiet', all.length === 0);
    text(more, all.length > MOST ? `${all.length - MOST} more` : all.length ? 'All notices' : 'No open notices, nothing to do');
  });
  return root;
}
