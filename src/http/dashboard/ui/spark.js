// The latency of the last five minutes as a line, without axes: the numbers stand beside it.
import { attr, h, s, text } from './dom.js';
import { ms } from './format.js';

const [WIDTH, HEIGHT, SPAN] = [300, 36, 300_000];

export class Spark {
  constructor() {
    this.area = s('path', { class: 'area' });
    this.line = s('path', { class: 'line', 'vector-effect': 'non-scaling-stroke' });
    this.svg = s('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', class: 'spark', role: 'img', 'aria-label': 'Latency' }, this.area, this.line);
    this.numbers = ['p50', 'p95', 'p99'].map((name) => [name, h('b', {}, '–')]);
    const list = this.numbers.map(([name, value]) => h('span', {}, h('span', { class: 'soft' }, name), ' ', value));
    this.root = h('div', { class: 'latency' }, this.svg, h('p', { class: 'quantiles' }, list));
  }

  fill(report, latency, now) {
    this.numbers.forEach(([name, value]) => text(value, ms(latency?.[name])));
    const points = (report?.buckets ?? []).filter((b) => b.latency_mean_ms !== null).map((b) => [Date.parse(b.at), b.latency_mean_ms]);
    const top = Math.max(1, ...points.map(([, value]) => value)) * 1.15;
    const runs = [];
    points.forEach(([at, value], n) => {
      const x = WIDTH - ((now - at) / SPAN) * WIDTH;
      if (x < 0) return;
      const y = HEIGHT - 1 - (value / top) * (HEIGHT - 3);
      // Where nothing was answered for a while, the line has a gap.
      if (!runs.length || at - points[n - 1][0] > 15_000) runs.push([]);
      runs.at(-1).push(`${x.toFixed(1)} ${y.toFixed(1)}`);
    });
    const path = (run) => (run.length === 1 ? `M${run[0]} h1` : `M${run.join(' L')}`);
    attr(this.line, 'd', runs.map(path).join(' '));
    const under = (run) => `M${run[0].split(' ')[0]} ${HEIGHT} L${run.join(' L')} L${run.at(-1).split(' ')[0]} ${HEIGHT} Z`;
    attr(this.area, 'd', runs.filter((run) => run.length > 1).map(under).join(' '));
    attr(this.svg, 'aria-label', latency ? `Latency of probes: p50 ${ms(latency.p50)}, p95 ${ms(latency.p95)}, p99 ${ms(latency.p99)}` : 'Latency: nothing measured yet');
  }
}
