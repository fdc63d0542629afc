// A list of any length, of which only what is in sight is in the page. Every row is as high as any other.
import { attr, h, style } from './dom.js';

const AROUND = 8;

export class Rows {
  // `make()` builds a row, `fill(row, item)` brings it up to date; rows are used again for other items.
  constructor({ height, make, fill, label }) {
    // Where it is scrolled to, and how much of it is seen: as it was told, since to ask would lay out the page.
    Object.assign(this, { height, make, fill, items: [], pool: [], top: 0, seen: innerHeight });
    this.space = h('div', { class: 'space', role: 'list', 'aria-label': label });
    this.root = h('div', { class: 'rows', tabindex: '-1', onscroll: () => this.look() }, this.space);
    new ResizeObserver(() => this.look()).observe(this.root);
  }

  set(items) {
    this.items = items;
    style(this.space, 'height', `${items.length * this.height}px`);
    this.draw();
  }

  look() {
    if (!this.root.isConnected) return;
    const { scrollTop, clientHeight } = this.root;
    this.top = scrollTop;
    this.seen = clientHeight || this.seen;
    this.draw();
  }

  draw() {
    // Fewer items than there were: the end is in sight.
    const top = Math.min(this.top, Math.max(0, this.items.length * this.height - this.seen));
    const first = Math.max(0, Math.floor(top / this.height) - AROUND);
    const last = Math.min(this.items.length, Math.ceil((top + this.seen) / this.height) + AROUND);
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
      attr(row, 'aria-setsize', this.items.length);
      attr(row, 'aria-posinset', at + 1);
      this.fill(row, this.items[at]);
    });
  }

  // Scrolls no further than it must for the item to be in sight.
  reveal(at) {
    const from = at * this.height;
    if (from < this.top) this.go(from);
    else if (from + this.height > this.top + this.seen) this.go(from + this.height - this.seen);
    this.draw();
  }

  // What is there is drawn with what comes next.
  go(top) {
    this.root.scrollTop = top;
    this.top = top;
  }
}
