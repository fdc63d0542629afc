// The way in: an address with a one-time code, or the code alone.
import { keep, trade } from './api.js';
import { button, h } from './dom.js';
import { icon } from './icons.js';

// A fragment that is no view's is a code; it leaves the history at once.
export async function byAddress() {
  const code = location.hash.slice(1);
  if (!code || code.startsWith('/')) return false;
  history.replaceState(null, '', location.pathname + location.search);
  await trade(code);
  return true;
}

export function ask(why, done) {
  const input = h('input', { type: 'password', id: 'code', autocomplete: 'off', spellcheck: 'false', required: true });
  const trouble = h('p', { class: 'error', role: 'alert' });
  const enter = async (event) => {
    event.preventDefault();
    const given = input.value.trim().replace(/^.*#/, '');
    try {
      await trade(given);
    } catch {
      // Then it is the token itself; the first request shows whether it is.
      keep(given);
    }
    root.remove();
    done();
  };
  const root = h('main', { class: 'login' }, icon('key', 'large'), h('h1', {}, 'Backline'), h('p', {}, why || 'This page needs an address with a fresh code.'), h('p', { class: 'soft' }, 'On the machine where Backline runs:'), h('pre', {}, 'backline open'),
    h('form', { onsubmit: enter }, h('label', { for: 'code' }, 'Or the code, or the token'), h('div', { class: 'bar' }, input, button('Enter', null, { type: 'submit', class: 'primary' }))), trouble);
  document.body.append(root);
  return root;
}
