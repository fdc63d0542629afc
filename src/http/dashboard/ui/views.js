// Which view is shown, by the address's fragment: `#/jobs/ID`. A view is made at its first visit and kept.
import { attr, h } from './dom.js';

const views = new Map();
const box = h('main', { id: 'main', tabindex: '-1' });
let current = null;

export const NAMES = [
  ['overview', 'Overview'],
  ['jobs', 'Jobs'],
  ['charts', 'Charts'],
  ['notices', 'Notices'],
  ['settings', 'Settings'],
];

// `make()` answers { root, show(rest), hide() }.
export function define(name, make) {
  views.set(name, { make, view: null });
}

export function go(path) {
  location.hash = `#/${path}`;
}

export const here = () => current;

function route() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
  return views.has(name) ? [name, rest] : ['overview', []];
}

export function show() {
  const [name, rest] = route();
  const entry = views.get(name);
  entry.view ??= entry.make();
  if (current !== name) {
    views.get(current)?.view?.hide?.();
    box.replaceChildren(entry.view.root);
    current = name;
    box.scrollTop = 0;
    scrollTo(0, 0);
  }
  entry.view.show?.(rest);
  for (const link of document.querySelectorAll('[data-view]')) attr(link, 'aria-current', link.dataset.view === name ? 'page' : null);
  document.title = `${NAMES.find(([key]) => key === name)?.[1] ?? 'Overview'} · Backline`;
}

export function mount(parent) {
  parent.append(box);
  addEventListener('hashchange', () => location.hash.startsWith('#/') && show());
  show();
}

// What is selected in the view, for the keys.
export const view = () => views.get(current)?.view;
