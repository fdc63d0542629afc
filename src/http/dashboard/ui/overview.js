// The first view: the cards, the supervision tree, the pools, what is wrong and what happened.
import * as activity from './activity.js';
import { Card } from './card.js';
import { attr, h, keyed, text } from './dom.js';
import { empty } from './empty.js';
import { plural } from './format.js';
import { want } from './past.js';
import { state } from './phase.js';
import * as pools from './pools.js';
import { known, on } from './store.js';
import * as strip from './strip.js';
import { Stretch } from './stretch.js';
import { tick } from './tick.js';
import * as tree from './tree.js';

// Beyond this many, the bodies of cards that are out of sight are taken down again.
const KEPT = 40;
// So long, in milliseconds, bodies are built in one frame; at least one is.
const A_FRAME = 5;
// Cards that are in the page at first, and so many more each time that their end comes near.
const PAGE = 60;

export function make() {
  const cards = new Map();
  const grid = h('div', { class: 'cards' });
  const filter = h('input', { type: 'search', placeholder: 'Filter backends', 'aria-label': 'Filter backends', class: 'filter', oninput: () => pick() });
  const trouble = h('input', { type: 'checkbox', onchange: () => pick() });
  const count = h('p', { class: 'soft num' });
  const bar = h('div', { class: 'bar' }, filter, h('label', { class: 'tick' }, trouble, 'Trouble only'), count);
  const nothing = h('div', { hidden: true });
  const rest = h('p', { class: 'soft num', hidden: true });
  // Where it stands below the cards, it would fly off as they come: it comes with them.
  const inside = h('aside', { 'aria-label': 'Inside', hidden: true }, tree.make(), pools.make(), activity.make());
  const root = h('div', { class: 'overview' },
    h('section', { class: 'backends', 'aria-label': 'Backends' }, strip.make(), bar, grid, rest, nothing),
    inside);
  const coming = new Set();
  const build = () => {
    const began = performance.now();
    for (const card of coming) {
      coming.delete(card);
      card.come();
      if (performance.now() - began > A_FRAME) break;
    }
    if (coming.size) requestAnimationFrame(build);
  };
  const near = new IntersectionObserver((entries) => entries.forEach((entry) => {
    const card = cards.get(entry.target.dataset.id);
    // A view that is left keeps what it showed, and is whole at once when it is back.
    if (!card || !root.isConnected) return;
    if (entry.isIntersecting) {
      if (!coming.size) requestAnimationFrame(build);
      coming.add(card);
    } else {
      coming.delete(card);
      if (cards.size > KEPT) card.leave(entry.boundingClientRect.height);
    }
  }), { rootMargin: '600px' });

  const fits = (status, words) => {
    const { tone, word } = state(status);
    if (trouble.checked && (tone === 'good' || tone === 'idle')) return false;
    const about = `${status.id} ${status.kind} ${status.url} ${status.phase} ${word} ${status.version ?? ''} ${(status.capabilities ?? []).join(' ')}`.toLowerCase();
    return words.every((one) => about.includes(one));
  };

  const stretch = new Stretch(PAGE, { end: rest, one: 'more backend', draw: () => draw(), margin: '1500px' });

  function pick() {
    stretch.reset();
    draw();
  }

  function draw() {
    if (!known.snapshot) return;
    const all = known.snapshot.backends;
    const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const fitting = words.length || trouble.checked ? all.filter((status) => fits(status, words)) : all;
    const shown = fitting.length;
    keyed(grid, stretch.cut(fitting), (status) => status.id, ({ id }) => {
      const card = cards.get(id) ?? new Card(id);
      cards.set(id, card);
      near.observe(card.root);
      return card.root;
    }, (node, status) => cards.get(status.id).fill(status));
    for (const id of cards.keys()) if (!known.backends.has(id)) cards.delete(id);
    attr(inside, 'hidden', null);
    attr(bar, 'hidden', all.length === 0);
    text(count, shown === all.length ? plural(all.length, 'backend') : `${shown} of ${plural(all.length, 'backend')}`);
    attr(nothing, 'hidden', all.length > 0);
    if (!all.length && !nothing.firstChild) nothing.append(empty());
    if (all.length) nothing.replaceChildren();
  }

  const bodies = () => [...cards.values()].filter((card) => card.near && card.root.isConnected);
  let beat = 0;
  on('backends', () => root.isConnected && draw());
  on('history', () => bodies().forEach((card) => card.fillBody(Date.now())));
  tick((now) => {
    if (!root.isConnected) return;
    beat += 1;
    for (const card of bodies()) {
      card.tick(now);
      if (beat % 4 === 0 && card.root.checkVisibility()) {
        const box = card.root.getBoundingClientRect();
        if (box.bottom > 0 && box.top < innerHeight) want(card.id);
      }
    }
  });
  return {
    root,
    show: draw,
    hide: () => {
      coming.clear();
      stretch.reset();
      draw();
      for (const card of cards.values()) if (card.near && !card.root.parentNode) card.leave();
    },
    filter,
    items: () => [...grid.children],
    open: (node) => {
      const details = node.querySelector('details');
      if (details) details.open = !details.open;
    },
  };
}
