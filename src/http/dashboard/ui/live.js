// The one polite live region: transitions only, joined, at most one in two seconds.
import { h } from './dom.js';

const region = h('p', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
const PACE = 2000;
let waiting = [];
let due = null;
let last = 0;

export function mount(parent) {
  parent.append(region);
}

export function say(sentence) {
  if (!waiting.includes(sentence)) waiting.push(sentence);
  due ??= setTimeout(speak, Math.max(50, last + PACE - Date.now()));
}

function speak() {
  due = null;
  last = Date.now();
  const more = waiting.length > 4 ? ` And ${waiting.length - 4} more.` : '';
  region.textContent = waiting.slice(0, 4).join('. ') + more;
  waiting = [];
}
