// What a change would come to, before it is made: the values that differ, and what becomes of the backends.
import { read } from './api.js';
import { dialog } from './dialog.js';
import { button, h } from './dom.js';
import { problems } from './form.js';

const line = (kind, path, value) => (value === null || value === undefined ? null : h('li', { class: kind }, `${path}: ${value}`));

function effects({ added = [], removed = [], changed = [] }) {
  const anew = changed.filter(({ how }) => how === 'anew').map(({ id }) => id);
  const kept = changed.filter(({ how }) => how !== 'anew').map(({ id }) => id);
  const say = (ids, words) => (ids.length ? h('li', {}, h('b', {}, ids.join(', ')), ` ${words}`) : null);
  const lines = [say(added, 'will be connected.'), say(anew, 'will drain and connect again.'), say(kept, 'will keep its session.'), say(removed, 'will drain and be removed.')].filter(Boolean);
  return lines.length ? h('ul', {}, lines) : h('p', { class: 'soft' }, 'No connection is touched.');
}

// `proposed` is what `config/check` takes; `apply()` makes it. Answers the problems, where there are some.
export async function preview(title, proposed, apply) {
  const found = await read('config/check', { method: 'POST', body: proposed, wait: 30_000 });
  if (found.problems.length) return found.problems;
  if (!found.values.length && !found.backends.added.length && !found.backends.removed.length) {
    dialog(title, [h('p', {}, 'Nothing would change.')]);
    return [];
  }
  const place = h('div');
  const make = button('Apply', async () => {
    make.disabled = true;
    try {
      await apply();
      node.close();
    } catch (cause) {
      make.disabled = false;
      place.replaceChildren(cause.detail?.length ? problems(cause.detail) : h('p', { class: 'error', role: 'alert' }, `${cause.message} ${cause.fix ?? ''}`));
    }
  }, { class: 'primary' });
  const node = dialog(title, [
    h('ul', { class: 'diff', 'aria-label': 'Difference' }, found.values.flatMap(({ path, old, new: now }) => [line('out', path, old), line('in', path, now)]).filter(Boolean)),
    effects(found.backends),
    found.warnings.length ? h('details', {}, h('summary', {}, `To look at (${found.warnings.length})`), problems(found.warnings)) : null, place,
  ].filter(Boolean), { wide: true, actions: [button('Not yet', () => node.close()), make] });
  make.focus();
  return [];
}
