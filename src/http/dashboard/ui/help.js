// What the keys do.
import { dialog } from './dialog.js';
import { h } from './dom.js';
import { icon } from './icons.js';

export const KEYS = [
  ['?', 'this page'], ['/', 'filter what is shown'], ['j, k', 'next, previous'], ['Enter', 'open or close what is selected'],
  ['r', 'check the selected backend now'], ['t', 'test the selected backend'], ['n', 'notices'],
  ['1 to 5', 'overview, jobs, charts, notices, settings'], ['Ctrl K', 'every command'], ['Esc', 'close, or leave a field'],
];

const SHAPES = [['ready', 'ready'], ['degraded', 'works, but something is off'], ['unhealthy', 'does not answer; kept for its job'], ['dialing', 'connecting'], ['waiting', 'failed; tries again by itself'], ['parked', 'needs a person'], ['quarantined', 'its actor kept crashing'], ['paused', 'stopped by a person'], ['draining', 'ends what runs'], ['idle', 'not begun, or switched off']];

let shown = null;

export function open() {
  if (shown?.open) return shown.close();
  shown = dialog('Keys and shapes', [
    h('dl', { class: 'keys' }, KEYS.map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, what)])),
    h('h3', {}, 'What the shapes say'),
    h('ul', { class: 'shapes' }, SHAPES.map(([name, what]) => h('li', {}, icon(name, 'state'), what))),
  ]);
}
