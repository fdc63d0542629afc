// The configuration: a sheet for each backend, for a new one, for everything else, and for the whole.
import { Refusal } from './api.js';
import { discover } from './discover.js';
import { attr, h, keyed, text } from './dom.js';
import { load } from './draft.js';
import { Files } from './files.js';
import { icon, swap } from './icons.js';
import { state } from './phase.js';
import { Sheet } from './sheet.js';
import { deed } from './rights.js';
import { known, on } from './store.js';
import { Stretch } from './stretch.js';

// Backends that are listed at first; beyond as many, there is a field that finds one.
const LISTED = 60;
const PLACES = [['+', 'plus', 'Add a backend'], ['general', 'settings', 'General'], ['files', 'download', 'Undo, presets, files']];

export function make() {
  let chosen = null;
  let sheet = null;
  let due = 0;
  const list = h('div', {});
  const rest = h('p', { class: 'soft num', hidden: true });
  const filter = h('input', { type: 'search', class: 'filter', placeholder: 'Filter backends', 'aria-label': 'Filter backends', hidden: true, oninput: () => { stretch.reset(); draw(); } });
  const stretch = new Stretch(LISTED, { end: rest, one: 'more', many: 'more', draw: () => draw() });
  const link = (key, picture, title) => h('a', { href: `#/settings/${key}`, 'data-key': key }, icon(picture), h('span', {}, title));
  const nav = h('nav', { 'aria-label': 'Settings' }, h('h2', {}, 'Backends'), filter, list, rest, link(...PLACES[0]), deed([icon('search'), 'Discover'], () => discover(), { class: 'quiet' }), h('h2', {}, 'All'), PLACES.slice(1).map((place) => link(...place)));
  const place = h('div', {});
  const root = h('div', { class: 'settings' }, nav, place);

  function draw() {
    const backends = known.snapshot?.backends ?? [];
    const words = filter.value.trim().toLowerCase();
    const listed = stretch.cut(words ? backends.filter(({ id }) => id.includes(words)) : backends);
    // The one that is open is listed, however far down it is.
    const open = !words && !listed.some(({ id }) => id === chosen) ? backends.filter(({ id }) => id === chosen) : [];
    attr(filter, 'hidden', backends.length <= LISTED);
    keyed(list, [...open, ...listed], ({ id }) => id, ({ id }) => link(id, 'idle', id), (node, backend) => {
      const { icon: shape, tone } = state(backend);
      swap(node.firstElementChild, shape);
      attr(node, 'data-tone', tone);
      attr(node.firstElementChild, 'class', 'icon state');
      text(node.lastElementChild, backend.id);
    });
    for (const node of nav.querySelectorAll('a')) attr(node, 'aria-current', node.dataset.key === chosen ? 'page' : null);
  }

  async function open({ anew = false } = {}) {
    const turn = (due += 1);
    try {
      const config = await load({ anew: anew || chosen === 'files' });
      if (turn !== due) return;
      if (!config.values.length) throw new Refusal(409, { code: 'fixed', message: 'This configuration comes from the program that Backline is part of.', fix: 'Change it there; what `backline run` loads can be edited here.' });
      const reload = () => open({ anew: true });
      sheet = chosen === 'files' ? new Files(config, reload) : new Sheet(config, chosen === 'general' ? { rest: true } : { id: chosen === '+' ? null : chosen }, reload);
      place.replaceChildren(sheet.root);
    } catch (cause) {
      if (turn === due) place.replaceChildren(h('div', { class: 'none' }, icon('lock', 'large'), h('p', {}, cause.message), h('p', { class: 'soft' }, cause.fix ?? '')));
    }
  }

  on('backends', () => root.isConnected && draw());
  // Another page or the file changed it: what is typed here stays, and its tag tells when it is applied.
  on('config', () => root.isConnected && !sheet?.edits?.size && open());
  return {
    root,
    filter,
    show: ([key]) => {
      const wanted = key ?? known.snapshot?.backends[0]?.id ?? '+';
      if (wanted !== chosen) {
        chosen = wanted;
        open();
      }
      draw();
    },
    hide: () => stretch.reset(),
  };
}
