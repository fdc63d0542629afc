// Short messages at the edge: three at most, none modal, none over what is being typed.
import { button, h, prose } from './dom.js';
import { icon } from './icons.js';
import { say } from './live.js';

const MOST = 3;
const LIFE = { info: 4000, warning: 9000, error: 12_000 };

const box = h('div', { class: 'toasts' });

export function mount(parent) {
  parent.append(box);
}

export function toast(severity, message, fix) {
  const close = () => {
    clearTimeout(end);
    node.remove();
  };
  const words = h('div', {}, h('p', {}, message), fix ? prose(h('p', { class: 'soft' }), fix) : null);
  const node = h('div', { class: 'toast', 'data-severity': severity }, icon(severity, 'state'), words, button(icon('cross'), close, { class: 'quiet', 'aria-label': 'Close' }));
  const end = setTimeout(close, LIFE[severity] ?? LIFE.info);
  while (box.children.length >= MOST) box.firstElementChild.remove();
  box.append(node);
  say(message);
}
