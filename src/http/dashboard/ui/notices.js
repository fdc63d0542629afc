// The notices: grouped by cause and backend, with count and times, what to do, and what a person says of them.
import { post } from './api.js';
import { attempt } from './act.js';
import { attr, button, h, keyed, prose, text } from './dom.js';
import { ago, moment, plural, upper } from './format.js';
import { icon, swap } from './icons.js';
import { deed } from './rights.js';
import { known, on, takeNotice } from './store.js';
import { refreshNotices } from './stream.js';
import { Stretch } from './stretch.js';
import { open } from './strip.js';
import { tick } from './tick.js';
import { toast } from './toasts.js';

const FIELDS = ['id', 'code', 'severity', 'backend', 'subject', 'title', 'message', 'fix', 'count', 'first_at', 'last_at', 'cleared_at', 'detail'];
const TOASTED = 30_000;
// Notices that are in the page at first, of each list.
const LISTED = 20;

// As a person pastes it into a report. What a notice says holds no secret.
export function plain(notice) {
  const lines = [`${notice.severity}: ${notice.title}${notice.backend ? ` (${notice.backend})` : ''}`, notice.message, `What to do: ${notice.fix}`, `Met ${plural(notice.count, 'time')}, first ${notice.first_at}, last ${notice.last_at}${notice.cleared_at ? `, over ${notice.cleared_at}` : ''}`, `Cause: ${notice.code}`];
  if (notice.detail) lines.push('', notice.detail);
  return lines.join('\n');
}

const json = (notice) => JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, notice[name] ?? null])), null, 2);

async function copy(words, what) {
  try {
    await navigator.clipboard.writeText(words);
    toast('info', `Copied as ${what}`);
  } catch {
    toast('error', 'The browser does not let this page copy.', 'Select the text and copy it by hand.');
  }
}

const act = (id, verb, said, body) => attempt(said, async () => takeNotice(await (await post(`notices/${encodeURIComponent(id)}/${verb}`, body)).json()));

function item(notice) {
  const { id } = notice;
  const now = () => known.notices.find((one) => one.id === id) ?? notice;
  const node = h('article', { class: 'notice', tabindex: '-1', 'data-id': id },
    h('header', {}, icon('info', 'state'), h('h3'), h('span', { class: 'chip' }), h('span', { class: 'num soft' })),
    h('p', { class: 'sentence' }), h('p', { class: 'remedy' }), h('p', { class: 'num soft' }),
    h('footer', {},
      button('Copy as text', () => copy(plain(now()), 'text')), button('Copy as JSON', () => copy(json(now()), 'JSON')),
      deed('Dismiss', () => act(id, 'dismiss', 'Dismissed')), deed('Mute 8 h', () => act(id, 'mute', 'Muted for 8 hours', { for: '8h' })), deed('Unmute', () => act(id, 'mute', 'Not muted any more', { for: '0s' })),
      h('a', { href: `help/${encodeURIComponent(notice.code)}`, target: '_blank', rel: 'noopener' }, 'About this cause')),
    h('details', { hidden: true }, h('summary', {}, 'What the other side said'), h('pre', { class: 'log', tabindex: '0' })));
  return node;
}

function fill(node, notice) {
  const [head, sentence, remedy, times, foot, detail] = node.children;
  const [picture, title, chip, count] = head.children;
  attr(node, 'data-severity', notice.severity);
  attr(node, 'data-over', notice.cleared_at !== null);
  swap(picture, notice.cleared_at ? 'ready' : notice.severity);
  text(title, notice.title);
  text(chip, notice.backend ?? notice.subject ?? 'Backline');
  text(count, notice.count > 1 ? `${notice.count} times` : '');
  prose(sentence, upper(notice.message));
  prose(remedy, notice.fix);
  text(times, `first ${moment(notice.first_at)}, last ${ago(notice.last_at)} ago${notice.cleared_at ? `, over since ${ago(notice.cleared_at)}` : ''}${notice.hidden ? `, ${notice.hidden}` : ''}`);
  const [, , dismiss, mute, unmute] = foot.children;
  attr(dismiss, 'hidden', Boolean(notice.cleared_at || notice.hidden));
  attr(mute, 'hidden', notice.hidden === 'muted');
  attr(unmute, 'hidden', notice.hidden !== 'muted');
  attr(detail, 'hidden', !notice.detail);
  text(detail.lastElementChild, notice.detail);
}

const seen = new Map();

// New trouble is told once, not at each count; the toasts keep to three.
function toasts() {
  for (const notice of open().slice(0, 10)) {
    const key = `${notice.code} ${notice.backend}`;
    const fresh = Date.now() - Date.parse(notice.last_at) < 5000;
    if (!fresh || Date.now() - (seen.get(key) ?? 0) < TOASTED) continue;
    seen.set(key, Date.now());
    if (notice.severity !== 'info') toast(notice.severity, `${notice.backend ?? 'Backline'}: ${notice.title}`, notice.fix);
  }
}
on('raised', toasts);

export function make() {
  const list = h('div', { class: 'noticelist' });
  const over = h('div', { class: 'noticelist' });
  const ends = [h('p', { class: 'soft num', hidden: true }), h('p', { class: 'soft num', hidden: true })];
  const [opens, overs] = ends.map((end) => new Stretch(LISTED, { end, one: 'more', many: 'more', draw: () => draw(), margin: '900px' }));
  const none = h('div', { class: 'none' }, icon('ready', 'large'), h('p', {}, 'Nothing to see to.'), h('p', { class: 'soft' }, 'What goes wrong shows here, with what to do about it, and goes away by itself when it is over.'));
  const history = h('details', { class: 'history', open: true }, h('summary', {}, 'Over, dismissed and muted'), over, ends[1]);
  const all = () => open().map(plain).join('\n\n');
  const root = h('div', { class: 'notices' }, h('div', { class: 'bar' }, h('h2', {}, 'Open'), button('Copy all as text', () => copy(all(), 'text')), button('Copy all as JSON', () => copy(`[${open().map(json).join(',\n')}]`, 'JSON'))), none, list, ends[0], history);
  function draw() {
    if (!root.isConnected) return;
    const now = open();
    const rest = known.notices.filter((notice) => !now.includes(notice)).sort((a, b) => (a.last_at < b.last_at ? 1 : -1)).slice(0, 100);
    keyed(list, opens.cut(now), (notice) => notice.id, item, fill);
    keyed(over, overs.cut(rest), (notice) => notice.id, item, fill);
    attr(none, 'hidden', now.length > 0);
    attr(history, 'hidden', rest.length === 0);
  }
  on('notices', draw);
  let beat = 0;
  tick(() => {
    beat += 1;
    if (!root.isConnected || beat % 10 !== 0) return;
    // A count that grows is an event at most once in thirty seconds.
    refreshNotices();
    draw();
  });
  const hide = () => {
    opens.reset();
    overs.reset();
  };
  return { root, show: draw, hide, items: () => [...root.querySelectorAll('.notice')] };
}
