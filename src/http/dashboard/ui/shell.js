// The frame around every view: how all is, how fresh that is, and the ways to everywhere.
import { known, on } from './store.js';
import { logOut } from './act.js';
import { attr, button, h, text } from './dom.js';
import { span } from './format.js';
import { icon, swap } from './icons.js';
import { say } from './live.js';
import { judge, state, verdict } from './phase.js';
import { tick } from './tick.js';
import { NAMES } from './views.js';
import * as help from './help.js';
import * as palette from './palette.js';
import * as theme from './theme.js';

// Longer than a poll and its answer, of a thousand backends too: then what is shown may be old.
const stale = () => (known.backends.size < 200 ? 6500 : 12_000);

export function mount(parent) {
  const overall = { icon: icon('idle', 'state'), word: h('b'), detail: h('span', { class: 'detail' }) };
  const pill = h('p', { class: 'overall', 'data-tone': 'idle' }, overall.icon, h('span', {}, overall.word, h('span', { class: 'colon' }, ': '), overall.detail));
  const looks = h('p', { class: 'chip looks', title: 'This token may look, and change nothing' }, icon('lock'), 'read-only');
  const fresh = h('p', { class: 'fresh num' }, h('i', { class: 'pulse' }), h('span', {}, 'connecting'));
  const bell = h('a', { class: 'tool', href: '#/notices', 'aria-label': 'Notices' }, icon('bell'), h('b', { class: 'count num' }));
  const tools = h('div', { class: 'tools' },
    button([icon('search'), h('span', {}, 'Commands'), h('kbd', {}, 'Ctrl K')], palette.open, { class: 'tool wide' }),
    bell, theme.toggle(),
    button(icon('help'), help.open, { class: 'tool', 'aria-label': 'Help and keys' }),
    button(icon('leave'), logOut, { class: 'tool', 'aria-label': 'Log out', title: 'Log out' }));
  const top = h('header', { class: 'top' }, h('a', { class: 'brand', href: '#/overview', 'aria-label': 'Backline' }, mark(), h('span', {}, 'Backline')), pill, fresh, looks, tools);
  const links = NAMES.map(([name, title]) => h('a', { href: `#/${name}`, 'data-view': name }, icon(name === 'notices' ? 'bell' : name), h('span', {}, title)));
  const rail = h('nav', { class: 'rail', 'aria-label': 'Views' }, links);
  parent.append(h('a', { class: 'skip', href: '#main', onclick: (e) => { e.preventDefault(); document.getElementById('main').focus(); } }, 'Skip to the content'), top, rail);
  on('backends', () => drawOverall(overall, pill));
  on('notices', () => drawBell(bell));
  const draw = () => drawFresh(fresh);
  on('link', draw);
  tick(draw);
  on('backends', announce);
}

function mark() {
  const logo = icon('idle', 'mark');
  logo.replaceChildren(...['M2 12.5V6', 'M6 12.5V2.5', 'M10 12.5V8', 'M14 12.5V4.5'].map((d) => {
    const bar = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    for (const [name, value] of Object.entries({ d, stroke: 'currentColor', 'stroke-width': 2.2, 'stroke-linecap': 'round' })) bar.setAttribute(name, value);
    return bar;
  }));
  return logo;
}

function drawOverall(overall, pill) {
  const backends = known.snapshot?.backends ?? [];
  const { word, icon: shape, tone, detail } = verdict(judge(backends), backends.length);
  swap(overall.icon, shape);
  text(overall.word, word);
  text(overall.detail, detail);
  attr(pill, 'data-tone', tone);
  const link = document.querySelector('link[rel=icon]');
  const wanted = `icon-${tone}.svg`;
  if (link && !link.href.endsWith(wanted)) link.href = new URL(wanted, import.meta.url).href;
}

function drawBell(bell) {
  const open = known.notices.filter((n) => !n.cleared_at && !n.hidden);
  const worst = ['error', 'warning', 'info'].find((severity) => open.some((n) => n.severity === severity));
  text(bell.querySelector('.count'), open.length ? String(open.length) : '');
  attr(bell, 'data-severity', worst);
  attr(bell, 'aria-label', open.length ? `Notices: ${open.length} open` : 'Notices: none open');
}

function drawFresh(fresh) {
  const { state: link, heard } = known.link;
  const age = Date.now() - heard;
  const lost = link === 'lost' || (heard > 0 && age > stale() && !document.hidden);
  const words = link === 'denied' ? 'logged out' : !heard ? 'connecting' : lost ? `lost contact ${span(age)} ago` : 'live';
  text(fresh.lastElementChild, words);
  attr(fresh, 'data-tone', link === 'denied' ? 'bad' : !heard ? 'busy' : lost ? 'bad' : 'good');
  if (lost !== document.documentElement.classList.contains('stale')) {
    document.documentElement.classList.toggle('stale', lost);
    say(lost ? 'Lost contact with Backline; what is shown is old' : 'In contact with Backline again');
  }
}

const told = new Map();
function announce() {
  for (const backend of known.backends.values()) {
    const { word } = state(backend);
    const before = told.get(backend.id);
    told.set(backend.id, word);
    if (before && before !== word && word !== 'Connecting') say(`${backend.id} is ${word.toLowerCase()}`);
  }
}
