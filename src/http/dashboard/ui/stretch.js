// A long list comes a stretch at a time: to lay out a thousand takes longer than a person waits. What stands at its end
// says how many are to come, and brings the next stretch as it comes near.
import { attr, text } from './dom.js';
import { plural } from './format.js';

export class Stretch {
  // `end` is the element after the list, `draw()` draws the list anew; `one` and `many` name what is listed.
  constructor(step, { end, one, many, draw, margin = '0px' }) {
    Object.assign(this, { step, end, one, many, room: step });
    const near = new IntersectionObserver((entries) => {
      if (!entries.at(-1).isIntersecting || end.hidden) return;
      this.room += step;
      draw();
      // It is looked at anew: the end may be near still.
      near.unobserve(end);
      near.observe(end);
    }, { rootMargin: margin });
    near.observe(end);
  }

  // Those of `all` that are listed.
  cut(all) {
    const left = all.length - this.room;
    attr(this.end, 'hidden', left <= 0);
    text(this.end, left > 0 ? `${plural(left, this.one, this.many)} below` : '');
    return left > 0 ? all.slice(0, this.room) : all;
  }

  // Back to the first stretch.
  reset() {
    this.room = this.step;
  }
}
