// Every command by its name, in a native dialog: type, choose, done.
import * as act from './act.js';
import { discover } from './discover.js';
import { attr, h } from './dom.js';
import * as help from './help.js';
import { test } from './staged.js';
import { mayChange } from './rights.js';
import { known } from './store.js';
import * as theme from './theme.js';
import { NAMES, go } from './views.js';

const MOST = 60;
const more = [];

// Commands of parts that are not always there.
export const add = (make) => more.push(make);

function commands() {
  const all = NAMES.map(([name, title]) => [`Go to ${title}`, () => go(name)]);
  for (const { id, phase, enabled, cordoned_at: cordoned } of known.backends.values()) {
    if (!mayChange()) break;
    all.push([`Check ${id}`, () => act.check(id)], [`Test ${id}`, () => test({ id })], [`Reconnect ${id}`, () => act.reconnect(id)], [`Reconnect ${id}, ending its session`, () => act.reconnect(id, true)],
      phase === 'paused' ? [`Resume ${id}`, () => act.resume(id)] : [`Pause ${id}`, () => act.pause(id)],
      cordoned ? [`Uncordon ${id}`, () => act.uncordon(id)] : [`Cordon ${id}`, () => act.cordon(id)],
      [enabled ? `Disable ${id}` : `Enable ${id}`, () => act.enable(id, !enabled)], [`Edit ${id}`, () => go(`settings/${id}`)]);
  }
  if (mayChange()) all.push(['Add a backend', () => go('settings/+')], ['Discover backends', () => discover()]);
  all.push(['Theme: light', () => theme.set('light')], ['Theme: dark', () => theme.set('dark')], ['Theme: as the system', () => theme.set('auto')], ['Keys and shapes', () => help.open()], ['Log out', () => act.logOut()]);
  return mayChange() ? all.concat(more.flatMap((make) => make())) : all;
}

// The letters in their order, words first.
function score(name, wanted) {
  const text = name.toLowerCase();
  const at = text.indexOf(wanted);
  if (at >= 0) return at === 0 || text[at - 1] === ' ' ? 0 : 1;
  let from = 0;
  for (const letter of wanted) {
    from = text.indexOf(letter, from) + 1;
    if (!from) return -1;
  }
  return 2;
}

let shown = null;

export function open() {
  if (shown?.open) return shown.close();
  const all = commands();
  let found = [];
  let at = 0;
  const list = h('ul', { role: 'listbox', id: 'commands', 'aria-label': 'Commands' });
  const input = h('input', { type: 'text', role: 'combobox', 'aria-expanded': 'true', 'aria-controls': 'commands', 'aria-autocomplete': 'list', 'aria-label': 'Command', placeholder: 'What shall be done?', autocomplete: 'off', spellcheck: 'false' });
  const dialog = h('dialog', { class: 'palette', 'aria-label': 'Commands' }, input, list);

  const run = (command) => {
    dialog.close();
    command[1]();
  };
  const choose = (next) => {
    at = (next + found.length) % Math.max(1, found.length);
    [...list.children].forEach((node, n) => attr(node, 'aria-selected', String(n === at)));
    attr(input, 'aria-activedescendant', found.length ? `command-${at}` : null);
  };
  const draw = () => {
    const wanted = input.value.trim().toLowerCase();
    found = all.map((command) => [score(command[0], wanted), command]).filter(([rank]) => rank >= 0).sort((a, b) => a[0] - b[0]).slice(0, MOST).map(([, command]) => command);
    if (at > 0) list.scrollTop = 0;
    list.replaceChildren(...found.map((command, n) => h('li', { role: 'option', id: `command-${n}`, onclick: () => run(command) }, command[0])));
    choose(0);
  };
  input.addEventListener('input', draw);
  input.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      choose(at + step);
      list.children[at]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && found[at]) {
      event.preventDefault();
      run(found[at]);
    }
  });
  dialog.addEventListener('click', (event) => event.target === dialog && dialog.close());
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  draw();
  dialog.showModal();
  shown = dialog;
  return undefined;
}
