// A list of any length, of which only what is in sight is in the page. Every row is as high as any other.
import { h, style } from './dom.js';

const AROUND = 8;

export class Rows {
  // `make()` builds a row, `fill(row, item)` brings it up to date; rows are used again for other items.
  constructor({ height, make, fill, label }) {
    Object.assign(this, { height, make, fill, items: [], pool: [] });
    this.space = h('div', { class: 'space', role: 'list', 'aria-label': label });
    this.root = h('div', { class: 'rows', tabindex: '-1', onscroll: () => this.draw() }, this.space);
    new ResizeObserver(() => this.draw()).observe(this.root);
  }

  set(items) {
    this.items = items;
    style(this.space, 'height', `${items.length * this.height}px`);
    this.draw();
  }

  draw() {
    const { scrollTop, clientHeight } = this.root;
    const first = Math.max(0, Math.floor(scrollTop / this.height) - AROUND);
    const last = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.height) + AROUND);
    const wanted = last - first;
    while (this.pool.length < wanted) {
      const row = this.make();
      row.setAttribute('role', 'listitem');
      this.pool.push(row);
      this.space.append(row);
    }
    this.pool.forEach((row, n) => {
      row.hidden = n >= wanted;
      if (n >= wanted) return;
      const at = first + n;
      style(row, 'transform', `translateY(${at * this.height}px)`);
      row.setAttribute('aria-setsize', this.items.length);
      row.setAttribute('aria-posinset', at + 1);
      this.fill(row, this.items[at]);
    });
  }

  reveal(at) {
    const { scrollTop, clientHeight } = this.root;
    const top = at * this.height;
    if (top < scrollTop) this.root.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.root.scrollTop = top + this.height - clientHeight;
    this.draw();
  }
}
