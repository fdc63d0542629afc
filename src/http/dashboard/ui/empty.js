// What a page says that has nothing to show yet: how to begin.
import { button, h } from './dom.js';
import { icon } from './icons.js';
import { discover } from './discover.js';
import { deed } from './rights.js';
import { go } from './views.js';

const step = (title, ...content) => h('li', {}, h('h3', {}, title), ...content);

export function empty() {
  return h('section', { class: 'begin' },
    icon('search', 'large'),
    h('h2', {}, 'No backend yet'),
    h('p', { class: 'soft' }, 'Backline looks for ComfyUI, Gradio, Wan2GP and OpenAI-compatible servers on this machine by itself. Nothing has answered so far.'),
    h('ol', { class: 'steps' },
      step('Start a server', h('p', { class: 'soft' }, 'As soon as one listens on a port that it usually has, it appears here.')),
      step('Or look now', h('p', { class: 'soft' }, 'On this machine, or on ports of your own.'), deed('Discover', () => discover(), { class: 'primary' })),
      step('Or name one', h('p', { class: 'soft' }, 'A kind and an address are enough; it is tested before it is added.'), button('Add a backend', () => go('settings/+'))),
      step('Or see how it works', h('p', { class: 'soft' }, 'With simulated servers, nothing installed:'), h('pre', {}, 'backline demo --stay'))));
}
