// A native dialog with a title; it closes by Escape, by its cross, and by a click beside it.
import { button, h } from './dom.js';
import { icon } from './icons.js';

let count = 0;

export function dialog(title, content, { wide = false, actions = [] } = {}) {
  const id = `dialog-${(count += 1)}`;
  const node = h('dialog', { class: wide ? 'wide' : '', 'aria-labelledby': id },
    h('header', {}, h('h2', { id }, title), button(icon('cross'), () => node.close(), { class: 'quiet', 'aria-label': 'Close' })),
    h('div', { class: 'content' }, content),
    actions.length ? h('footer', {}, actions) : null);
  node.addEventListener('close', () => node.remove());
  node.addEventListener('click', (event) => event.target === node && node.close());
  document.body.append(node);
  node.showModal();
  return node;
}

// Whether a person really means it.
export function sure(title, sentence, word) {
  return new Promise((answer) => {
    let yes = false;
    const node = dialog(title, [h('p', {}, sentence)], {
      actions: [button('Keep it', () => node.close()), button(word, () => { yes = true; node.close(); }, { class: 'danger' })],
    });
    node.addEventListener('close', () => answer(yes));
  });
}
