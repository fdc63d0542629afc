// Light, dark, or as the system has it; kept in this browser.
import { button } from './dom.js';
import { icon, swap } from './icons.js';

const KEY = 'backline-theme';
const ORDER = ['auto', 'light', 'dark'];
const SHAPES = { auto: 'auto', light: 'sun', dark: 'moon' };

let chosen = localStorage.getItem(KEY) ?? 'auto';
let tool = null;

export function set(name) {
  chosen = ORDER.includes(name) ? name : 'auto';
  if (chosen === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  localStorage.setItem(KEY, chosen);
  if (!tool) return;
  swap(tool.firstElementChild, SHAPES[chosen]);
  tool.setAttribute('aria-label', `Theme: ${chosen}`);
}

export const next = () => set(ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length]);

export function toggle() {
  tool = button(icon(SHAPES[chosen]), next, { class: 'tool' });
  set(chosen);
  return tool;
}
