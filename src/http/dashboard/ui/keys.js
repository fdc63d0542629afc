// The keys. Letters count only where nobody types.
import * as act from './act.js';
import * as help from './help.js';
import * as palette from './palette.js';
import { mayChange } from './rights.js';
import { test } from './staged.js';
import { NAMES, go, view } from './views.js';

const typing = (node) => node.closest?.('input, textarea, select, [contenteditable]');
const card = () => document.activeElement?.closest?.('.card')?.dataset.id;

function move(by) {
  const here = view();
  if (here?.move) return here.move(by);
  const items = here?.items?.() ?? [];
  if (!items.length) return undefined;
  const at = items.indexOf(document.activeElement?.closest?.('[tabindex="-1"]'));
  const next = items[at < 0 ? 0 : Math.max(0, Math.min(items.length - 1, at + by))];
  next.focus();
  return next.scrollIntoView({ block: 'nearest' });
}

const LETTERS = {
  '?': () => help.open(),
  '/': () => view()?.filter?.focus(),
  j: () => move(1),
  k: () => move(-1),
  n: () => go('notices'),
  r: () => card() && mayChange() && act.check(card()),
  t: () => card() && mayChange() && test({ id: card() }),
};

export function listen() {
  addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      return palette.open();
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
    if (event.key === 'Escape' && typing(event.target) && !event.target.closest('dialog')) return event.target.blur();
    if (typing(event.target) || document.querySelector('dialog[open]')) return undefined;
    const target = document.activeElement;
    if (event.key === 'Enter' && target?.matches('.card, .notice')) return view()?.open?.(target);
    const place = NAMES[Number(event.key) - 1];
    if (place) return go(place[0]);
    const run = LETTERS[event.key];
    if (!run) return undefined;
    event.preventDefault();
    return run();
  });
}
