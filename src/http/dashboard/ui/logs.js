// The last lines of the log about one backend.
import { read } from './api.js';
import { h } from './dom.js';
import { clock } from './format.js';

const line = ({ at, level, message }) => `${clock(at)} ${level.toUpperCase().padEnd(5)} ${message}`;

export async function logs(id, place) {
  const none = (why) => place.replaceChildren(h('p', { class: 'soft' }, why));
  try {
    const { kept, lines } = await read(`backends/${encodeURIComponent(id)}/logs`);
    if (!lines.length) return none(kept ? 'Nothing was logged about it yet.' : 'The program that Backline is part of keeps no log here.');
    const log = h('pre', { class: 'log', tabindex: '0', 'aria-label': `Log of ${id}` }, lines.map(line).join('\n'));
    place.replaceChildren(log);
    log.scrollTop = log.scrollHeight;
    return undefined;
  } catch (cause) {
    return none(cause.message);
  }
}
