// Elements. Text of others reaches the page as text nodes and attributes of ours only: nothing here parses HTML.

const SVG = 'http://www.w3.org/2000/svg';

function put(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'value' || name === 'checked' || name === 'disabled' || name === 'open') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// h('p', { class: 'soft' }, 'text', node, …)
export const h = (tag, props = {}, ...children) => put(document.createElement(tag), props ?? {}, children);
export const s = (tag, props = {}, ...children) => put(document.createElementNS(SVG, tag), props ?? {}, children);

// Writes only what differs, so that nothing is laid out for nothing.
export function text(node, value) {
  const wanted = value === null || value === undefined ? '' : String(value);
  if (node.textContent !== wanted) node.textContent = wanted;
}

// A sentence in which `such parts` are code.
export function prose(node, value) {
  const wanted = value ?? '';
  if (node.prose === wanted) return node;
  node.prose = wanted;
  node.replaceChildren(...wanted.split('`').map((part, n) => (n % 2 ? h('code', {}, part) : part)));
  return node;
}

export function attr(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const wanted = value === true ? '' : String(value);
  if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
}

// Style by the object model: the policy of the page forbids the attribute.
export function style(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}

// How far a bar is, from 0 to 1. It is moved, not made wider: that lays out nothing, however long it takes.
export const far = (bar, share) => style(bar, 'translate', `${Math.round(Math.min(1, Math.max(0, share)) * 100) - 100}%`);

// Keeps the children of `parent` in step with `items`: `make(item)` builds a node once for each key, `fill(node, item)`
// brings it up to date.
export function keyed(parent, items, key, make, fill) {
  const known = (parent.keyed ??= new Map());
  const wanted = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    wanted.add(name);
    let node = known.get(name);
    if (!node) known.set(name, (node = make(item)));
    fill?.(node, item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const [name, node] of known) {
    if (wanted.has(name)) continue;
    node.remove();
    known.delete(name);
  }
}

export const button = (label, onclick, props = {}) => h('button', { type: 'button', onclick, ...props }, label);
