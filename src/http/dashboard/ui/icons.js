// Pictures of 16 by 16. A state has a shape of its own, so that its colour is never all that tells it.
import { s } from './dom.js';

const line = (d) => s('path', { d, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
const solid = (d) => s('path', { d, fill: 'currentColor' });
const knock = (d) => s('path', { d, fill: 'none', stroke: 'var(--knock)', 'stroke-width': 1.8, 'stroke-linecap': 'round', 'stroke-linejoin': 'round' });
const disc = (r) => s('circle', { cx: 8, cy: 8, r, fill: 'currentColor' });
const ring = (more = {}) => s('circle', { cx: 8, cy: 8, r: 6, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.7, ...more });

const SHAPES = {
  ready: () => [disc(7), knock('M4.9 8.3l2.2 2.2 4-4.6')],
  degraded: () => [ring(), solid('M8 2a6 6 0 0 1 0 12z')],
  unhealthy: () => [solid('M8 .8L15.2 8 8 15.2.8 8z'), knock('M8 4.8v3.6M8 11v.1')],
  dialing: () => [ring({ 'stroke-dasharray': '3.2 3.1' }), disc(1.8)],
  waiting: () => [line('M13.4 8A5.4 5.4 0 1 1 11.6 4'), line('M12 .9v3.3H8.7')],
  parked: () => [solid('M8 1.2l7.2 13H.8z'), knock('M8 6v3.4M8 11.8v.1')],
  quarantined: () => [solid('M5 1h6l4 4v6l-4 4H5l-4-4V5z'), knock('M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8')],
  paused: () => [ring(), line('M6.4 5.7v4.6M9.6 5.7v4.6')],
  draining: () => [ring(), solid('M3.5 8h9a4.5 4.5 0 0 1-9 0z')],
  idle: () => [ring()],
  closed: () => [ring(), line('M5.5 8h5')],
  queued: () => [ring(), line('M8 4.6V8l2.3 1.5')],
  sent: () => [line('M2 8h11M9 4l4 4-4 4')],
  running: () => [ring({ 'stroke-dasharray': '28 10' }), solid('M6.6 5.2v5.6L11 8z')],
  fetching: () => [line('M8 2v8M4.5 6.8L8 10.3l3.5-3.5M3 13.5h10')],
  done: () => [disc(7), knock('M4.9 8.3l2.2 2.2 4-4.6')],
  failed: () => [solid('M5 1h6l4 4v6l-4 4H5l-4-4V5z'), knock('M5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8')],
  cancelled: () => [ring(), line('M4 12L12 4')],
  lost: () => [solid('M8 .8L15.2 8 8 15.2.8 8z'), knock('M6 6.2A2 2 0 1 1 8.4 8v1M8 11.4v.1')],
  uncertain: () => [solid('M8 .8L15.2 8 8 15.2.8 8z'), knock('M6 6.2A2 2 0 1 1 8.4 8v1M8 11.4v.1')],
  held: () => [ring(), line('M6.4 5.7v4.6M9.6 5.7v4.6')],
  error: () => [solid('M8 1.2l7.2 13H.8z'), knock('M8 6v3.4M8 11.8v.1')],
  warning: () => [solid('M8 .8L15.2 8 8 15.2.8 8z'), knock('M8 4.8v3.6M8 11v.1')],
  info: () => [disc(7), knock('M8 7.4v4M8 4.6v.1')],
  check: () => [line('M3 8.4l3.4 3.4L13 4.6')],
  cross: () => [line('M4 4l8 8M12 4l-8 8')],
  bell: () => [line('M4 6.5a4 4 0 0 1 8 0c0 3.6 1.5 4.5 1.5 4.5h-11S4 10.1 4 6.5M6.5 13.5a1.6 1.6 0 0 0 3 0')],
  search: () => [s('circle', { cx: 7, cy: 7, r: 4.4, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 }), line('M10.4 10.4L14 14')],
  sun: () => [disc(3), line('M8 1v1.4M8 13.6V15M1 8h1.4M13.6 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1')],
  moon: () => [line('M13.5 9.6A6 6 0 1 1 6.4 2.5a4.7 4.7 0 0 0 7.1 7.1z')],
  auto: () => [ring(), solid('M8 2a6 6 0 0 1 0 12z')],
  help: () => [ring(), line('M6.3 6.3a1.8 1.8 0 1 1 2.3 1.9c-.4.2-.6.4-.6.9M8 11.3v.1')],
  overview: () => [line('M2.5 2.5h4.6v4.6H2.5zM9 2.5h4.6v4.6H9zM2.5 9h4.6v4.6H2.5zM9 9h4.6v4.6H9z')],
  jobs: () => [line('M2.5 4h7M2.5 8h11M2.5 12h5'), solid('M11 10.2l4 2.3-4 2.3z')],
  charts: () => [line('M2 13.5h12M3.5 10.5l3-3.5 2.5 2 4-5.5')],
  settings: () => [line('M2 4.5h5M11 4.5h3M2 11.5h2M8 11.5h6'), s('circle', { cx: 9, cy: 4.5, r: 1.9, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 }), s('circle', { cx: 6, cy: 11.5, r: 1.9, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 })],
  flask: () => [line('M6 1.8h4M6.8 2v4.2L2.8 13a1 1 0 0 0 .9 1.5h8.6a1 1 0 0 0 .9-1.5L9.2 6.2V2'), solid('M5 10.5h6l1.5 3h-9z')],
  more: () => [solid('M3 6.7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zM8 6.7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zM13 6.7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6z')],
  download: () => [line('M8 2v8M4.5 6.8L8 10.3l3.5-3.5M3 13.5h10')],
  copy: () => [line('M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3')],
  plus: () => [line('M8 3v10M3 8h10')],
  key: () => [s('circle', { cx: 5, cy: 11, r: 2.8, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.6 }), line('M7 9l6-6M11 5l2 2')],
  leave: () => [line('M6.5 2.5h-4v11h4M6.5 8h7M10.5 5l3 3-3 3')],
  lock: () => [line('M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5')],
};

// A picture; it says nothing to a screen reader, since a word stands beside it.
export function icon(name, more = '') {
  const shape = SHAPES[name] ?? SHAPES.idle;
  return s('svg', { viewBox: '0 0 16 16', class: `icon ${more}`.trim(), 'aria-hidden': 'true', focusable: 'false', 'data-icon': name }, ...shape());
}

// Another picture in place of the one that is shown, where it differs.
export function swap(node, name) {
  if (node.dataset.icon === name) return;
  node.dataset.icon = name;
  node.replaceChildren(...(SHAPES[name] ?? SHAPES.idle)());
}
