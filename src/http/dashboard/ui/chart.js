// One chart over time: a line a backend, gaps where nothing was measured, a crosshair for pointer and arrow keys.
import { attr, h, s, text } from './dom.js';
import { clock, minutes } from './format.js';

const [HEIGHT, LEFT, BOTTOM, TOP] = [210, 62, 22, 10];

const nice = (top) => {
  const power = 10 ** Math.floor(Math.log10(top));
  return [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= top);
};

export class Chart {
  // `show(value)` writes a value; `top` fixes the upper end, where it is known.
  constructor(label, show, top) {
    Object.assign(this, { label, show, fixed: top, series: [], from: 0, to: 1, width: 600 });
    this.grid = s('g', { class: 'grid' });
    this.lines = s('g', { class: 'lines' });
    this.cross = s('line', { class: 'cross', y1: TOP, y2: HEIGHT - BOTTOM, 'vector-effect': 'non-scaling-stroke' });
    this.dots = s('g', {});
    this.svg = s('svg', { viewBox: `0 0 ${this.width} ${HEIGHT}`, class: 'chart', role: 'img', 'aria-label': label }, this.grid, this.lines, this.cross, this.dots);
    this.when = h('span', { class: 'num soft' });
    this.legend = h('ul', { class: 'legend' });
    this.root = h('figure', { class: 'figure', tabindex: '0', 'aria-label': `${label}; arrow keys move the crosshair` }, h('figcaption', {}, h('b', {}, label), this.when), this.svg, this.legend);
    this.svg.addEventListener('pointermove', (event) => {
      const box = this.svg.getBoundingClientRect();
      this.point(this.from + ((((event.clientX - box.left) / box.width) * this.width - LEFT) / (this.width - LEFT)) * (this.to - this.from));
    });
    this.svg.addEventListener('pointerleave', () => this.point(null));
    this.root.addEventListener('keydown', (event) => this.key(event));
    this.at = null;
    // Drawn in pixels: a letter is as large on a phone as on a wall.
    new ResizeObserver(([{ contentRect }]) => this.resize(Math.round(contentRect.width))).observe(this.svg);
  }

  resize(width) {
    if (width < 50 || width === this.width) return;
    this.width = width;
    attr(this.svg, 'viewBox', `0 0 ${width} ${HEIGHT}`);
    this.fill(this.series, this.from, this.to);
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const width = (this.to - this.from) / 60;
    this.point(Math.min(this.to, Math.max(this.from, (this.at ?? this.to) + step * width)));
  }

  x(at) {
    return LEFT + ((at - this.from) / (this.to - this.from)) * (this.width - LEFT - 4);
  }

  y(value) {
    return HEIGHT - BOTTOM - (value / this.top) * (HEIGHT - BOTTOM - TOP);
  }

  // `series`: [{ name, mark, gap, points: [[time, value]] }]
  fill(series, from, to) {
    Object.assign(this, { series, from, to });
    const most = Math.max(0, ...series.flatMap((one) => one.points.map(([, value]) => value)));
    this.top = this.fixed ?? nice(Math.max(most * 1.05, 1));
    this.axes();
    this.lines.replaceChildren(...series.map((one) => s('path', { d: this.path(one), class: 'line', 'data-mark': one.mark, 'vector-effect': 'non-scaling-stroke' })));
    this.legend.replaceChildren(...series.map((one) => h('li', { 'data-mark': one.mark }, h('i'), h('span', {}, one.name), h('b', { class: 'num' }))));
    this.point(this.at);
  }

  path({ points, gap }) {
    let d = '';
    points.forEach(([at, value], n) => {
      const starts = n === 0 || at - points[n - 1][0] > gap;
      d += `${starts ? 'M' : 'L'}${this.x(at).toFixed(1)} ${this.y(value).toFixed(1)}${starts ? 'h.5' : ''}`;
    });
    return d;
  }

  axes() {
    const marks = [];
    for (const part of [0, 0.25, 0.5, 0.75, 1]) {
      const y = this.y(this.top * part);
      marks.push(s('line', { x1: LEFT, x2: this.width, y1: y, y2: y, 'vector-effect': 'non-scaling-stroke' }), s('text', { x: LEFT - 8, y: y + 4, 'text-anchor': 'end' }, this.show(this.top * part)));
    }
    const ticks = this.width < 480 ? 3 : 6;
    for (let part = 0; part <= ticks; part += 1) {
      const at = this.from + ((this.to - this.from) * part) / ticks;
      marks.push(s('text', { x: this.x(at), y: HEIGHT - 6, 'text-anchor': part === 0 ? 'start' : part === ticks ? 'end' : 'middle' }, minutes(at)));
    }
    this.grid.replaceChildren(...marks);
  }

  point(at) {
    this.at = at;
    const shown = at ?? this.to;
    attr(this.cross, 'visibility', at === null ? 'hidden' : 'visible');
    attr(this.cross, 'x1', this.x(shown));
    attr(this.cross, 'x2', this.x(shown));
    text(this.when, at === null ? 'now' : clock(at));
    const dots = [];
    this.series.forEach((one, n) => {
      const met = one.points.findLast(([time]) => time <= shown);
      const is = met && shown - met[0] <= one.gap * 2;
      text(this.legend.children[n].lastElementChild, is ? this.show(met[1]) : '–');
      if (is && at !== null) dots.push(s('circle', { cx: this.x(met[0]), cy: this.y(met[1]), r: 4, 'data-mark': one.mark }));
    });
    this.dots.replaceChildren(...dots);
  }
}
