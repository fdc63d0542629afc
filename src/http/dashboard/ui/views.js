// Which view is shown, by the address's fragment: `#/jobs/ID`. A view is made at its first visit and kept.
import { attr, h } from './dom.js';

const views = new Map();
const box = h('main', { id: 'main', tabindex: '-1' });
let current = null;
// Whether the page is scrolled, as it was told: to ask would lay out the page.
let down = false;
addEventListener('scroll', () => {
  down = scrollY > 0;
}, { passive: true });

export const NAMES = [
  ['overview', 'Overview'],
  ['jobs', 'Jobs'],
  ['charts', 'Charts'],
  ['notices', 'Notices'],
  ['settings', 'Settings'],
];

// `make()` answers { root, show(rest), hide() }; `hide` is called once the root has left the page and another is seen,
// unless the person was back before.
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
    const left = views.get(current)?.view;
    current = name;
    // Before the page changes: afterwards, to scroll would lay it out, and what is shown next once more.
    if (down) scrollTo(0, 0);
    box.replaceChildren(entry.view.root);
    requestAnimationFrame(() => setTimeout(() => left !== view() && left?.hide?.()));
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
