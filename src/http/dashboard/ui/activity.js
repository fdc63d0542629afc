// What happened, newest first.
import { attr, h, keyed, text } from './dom.js';
import { clock } from './format.js';
import { known, on } from './store.js';

const SHOWN = 60;

export function make() {
  const list = h('ol', { class: 'activity', tabindex: '0', 'aria-label': 'What happened' });
  const none = h('p', { class: 'soft' }, 'Nothing since this page was opened.');
  on('activity', () => {
    attr(none, 'hidden', known.activity.length > 0);
    keyed(list, known.activity.slice(0, SHOWN), (one) => one.key, (one) => {
      return h('li', { 'data-tone': one.tone }, h('time', { class: 'soft num' }), h('span'));
    }, (node, one) => {
      text(node.firstElementChild, clock(one.at));
      text(node.lastElementChild, one.times > 1 ? `${one.text} × ${one.times}` : one.text);
    });
  });
  return h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'What happened')), none, list);
}
