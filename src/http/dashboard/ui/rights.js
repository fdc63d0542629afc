// What the token of this page may do. Where it may only look, every deed is disabled, and the page says why.
import { read } from './api.js';
import { button } from './dom.js';
import { touch } from './store.js';

const WHY = 'This token may only look';

let looks = false;
let deeds = new Set();

export const mayChange = () => !looks;

function settle(node) {
  node.disabled = looks || Boolean(node.off);
  if (looks) node.title = WHY;
  else if (node.title === WHY) node.removeAttribute('title');
}

// A button that changes something.
export function deed(label, run, { disabled = false, ...props } = {}) {
  const node = button(label, run, props);
  deeds.add(new WeakRef(node));
  off(node, disabled);
  return node;
}

// Whether it has nothing to do, for a reason of its own.
export function off(node, is) {
  node.off = is;
  settle(node);
}

export async function learn() {
  // An older server that does not say is asked for each deed, and refuses it itself.
  const { may } = await read('session').catch(() => ({ may: 'change' }));
  looks = may === 'look';
  document.documentElement.classList.toggle('looks', looks);
  deeds = new Set([...deeds].filter((one) => one.deref()));
  deeds.forEach((one) => settle(one.deref()));
  touch('rights');
}

// Those whose nodes are gone need no care: looked at now and then, as new ones come.
setInterval(() => {
  deeds = new Set([...deeds].filter((one) => one.deref()));
}, 60_000);
