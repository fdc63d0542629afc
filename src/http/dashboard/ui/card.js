// One backend. A card that is far from the screen is a head only; its body is built when it comes near.
import * as act from './act.js';
import { Beats } from './beats.js';
import { attr, button, far, h, prose, style, text } from './dom.js';
import { ago, bytes, ms, percent, plural, span } from './format.js';
import { icon, swap } from './icons.js';
import { logs } from './logs.js';
import { report, want } from './past.js';
import { downSince, kind, sentence, state } from './phase.js';
import { deed } from './rights.js';
import { Spark } from './spark.js';
import { test } from './staged.js';
import { go } from './views.js';

export class Card {
  constructor(id) {
    this.id = id;
    this.icon = icon('idle', 'state');
    this.name = h('h3', { id: `card-${id}` }, id);
    this.word = h('b');
    this.since = h('span', { class: 'soft num' });
    this.chips = h('p', { class: 'chips' });
    const edit = button(icon('settings'), () => go(`settings/${id}`), { class: 'quiet edit', 'aria-label': 'Edit', title: 'Edit' });
    const head = h('header', {}, this.icon, this.name, h('p', { class: 'phase' }, this.word, ' ', this.since), edit);
    this.root = h('article', { class: 'card', 'data-id': id, tabindex: '-1', 'aria-labelledby': `card-${id}` }, head, this.chips);
    this.body = null;
  }

  get near() {
    return this.body !== null;
  }

  come() {
    if (this.body) return;
    this.beats = new Beats();
    this.spark = new Spark();
    this.sentence = h('p', { class: 'sentence' });
    this.remedy = h('p', { class: 'remedy' });
    this.next = h('p', { class: 'next num soft' });
    this.bar = h('i');
    this.facts = new Map();
    this.list = h('dl', { class: 'facts' });
    this.pause = deed('Pause', () => (this.status.phase === 'paused' ? act.resume(this.id) : act.pause(this.id)));
    this.cordon = deed('Cordon', () => (this.status.cordoned_at ? act.uncordon(this.id) : act.cordon(this.id)), { title: 'A cordon: nothing new goes there, and what runs goes on' });
    this.enable = deed('Disable', () => act.enable(this.id, !this.status.enabled));
    this.body = h('div', { class: 'body' },
      h('div', { class: 'say' }, this.sentence, this.remedy),
      h('div', { class: 'countdown' }, this.next, h('div', { class: 'track' }, this.bar)),
      this.beats.root, this.spark.root, this.list, this.more(), this.actions());
    attr(this.root, 'data-built', true);
    this.root.append(this.body);
    this.fill(this.status);
    want(this.id);
  }

  // `height` is what it takes in the page, where it is there; to ask for it here would lay out the page for each card.
  leave(height = 0) {
    if (!this.body || this.body.querySelector('details[open]') || this.root.contains(document.activeElement)) return;
    if (height) style(this.root, 'min-height', `${height}px`);
    attr(this.root, 'data-built', null);
    this.body.remove();
    this.body = null;
  }

  actions() {
    return h('footer', {},
      deed('Check', () => act.check(this.id), { title: 'Probe now (r)' }),
      deed('Test', () => test({ id: this.id }), { title: 'Staged test (t)' }),
      deed('Reconnect', () => act.reconnect(this.id)),
      this.pause, this.cordon, this.enable);
  }

  more() {
    const lazy = (title, fill) => {
      const inside = h('div', { class: 'inside', tabindex: '0' });
      const node = h('details', { ontoggle: () => node.open && fill(inside) }, h('summary', {}, title), inside);
      return node;
    };
    this.offer = h('summary', {}, 'Offers');
    const offer = lazy('', (inside) => inside.replaceChildren(...this.offers()));
    offer.firstElementChild.replaceWith(this.offer);
    return h('div', { class: 'more' },
      lazy('Cause', (inside) => inside.replaceChildren(...this.cause())),
      lazy('Beats', (inside) => inside.replaceChildren(this.beats.table())),
      offer,
      lazy('Log', (inside) => logs(this.id, inside)));
  }

  offers() {
    const { capabilities, models, functions } = this.status;
    const part = (title, names) => names?.length && [h('h4', {}, `${title} (${names.length})`), h('ul', { class: 'names' }, names.slice(0, 300).map((name) => h('li', {}, name)))];
    const parts = [part('Capabilities', capabilities), part('Models', models), part('Functions', functions)].filter(Boolean);
    return parts.length ? parts.flat() : [h('p', { class: 'soft' }, 'It has not said yet.')];
  }

  cause() {
    const { last_error: error, breaker, attempts } = this.status;
    const rows = [
      ['Attempts since the last session', attempts],
      ['Breaker', breaker.state + (breaker.reason ? `: ${breaker.reason}` : '')],
      error && ['Last error', `${error.code} (${error.class}), ${ago(error.at)} ago`],
      error && ['Message', error.message],
      error && ['Remedy', error.fix],
    ].filter(Boolean);
    const link = error && h('a', { href: `help/${encodeURIComponent(error.code)}`, target: '_blank', rel: 'noopener' }, `About ${error.code}`);
    return [h('dl', { class: 'pairs' }, rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, String(value))])), link].filter(Boolean);
  }

  fill(status) {
    const changed = this.status !== status;
    if (!changed && !this.body) return;
    this.status = status;
    const { word, icon: shape, tone } = state(status);
    swap(this.icon, shape);
    attr(this.root, 'data-tone', tone);
    attr(this.root, 'data-phase', status.phase);
    attr(this.root, 'data-health', status.health);
    text(this.word, word);
    if (changed) this.fillChips();
    if (this.body) this.fillBody(Date.now());
    this.tick(Date.now());
  }

  fillChips() {
    const { status } = this;
    const chips = [[kind(status.kind) + (status.version ? ` ${status.version.replace(/^v/, '')}` : ''), ''], status.required && ['required', 'strong'], status.cordoned_at && ['cordoned', 'held'], [status.url.replace(/^http:\/\//, ''), 'code'], ...(status.capabilities ?? []).slice(0, 4).map((name) => [name, 'cap'])].filter(Boolean);
    const print = JSON.stringify(chips);
    if (this.printed === print) return;
    this.printed = print;
    this.chips.replaceChildren(...chips.map(([name, more]) => h('span', { class: `chip ${more}` }, name)));
  }

  fillBody(now) {
    const { status } = this;
    const past = report(this.id);
    this.beats.fill(past, now, status.uptime);
    this.spark.fill(past, status.latency_ms, now);
    text(this.pause, status.phase === 'paused' ? 'Resume' : 'Pause');
    text(this.cordon, status.cordoned_at ? 'Uncordon' : 'Cordon');
    text(this.enable, status.enabled ? 'Disable' : 'Enable');
    const count = (status.models?.length ?? 0) + (status.functions?.length ?? 0);
    text(this.offer, count ? `Offers ${count}` : 'Offers');
    this.fillFacts(status);
  }

  fillFacts({ queue, slots, resources, uptime, success_rate, job_ms }) {
    const { vram_free: free, vram_total: total, ram_free: ram } = resources;
    this.fact('Queue', queue ? `${queue.running} run · ${queue.pending} wait` : '–');
    this.fact('Slots', `${slots.used} of ${slots.limit}`, slots.limit ? slots.used / slots.limit : 0);
    this.fact('Memory', total ? `${bytes(total - free, 0)} of ${bytes(total, 0)}` : ram ? `${bytes(ram)} free` : '–', total ? 1 - free / total : 0);
    this.fact('Up, 24 h', percent(uptime));
    this.fact('Probes', percent(success_rate));
    this.fact('Jobs, p50', job_ms ? ms(job_ms.p50) : '–');
  }

  fact(name, value, share) {
    let fact = this.facts.get(name);
    if (!fact) {
      fact = { value: h('span', {}), meter: h('i') };
      this.facts.set(name, fact);
      const meter = share === undefined ? null : h('div', { class: 'meter' }, fact.meter);
      this.list.append(h('div', {}, h('dt', {}, name), h('dd', { class: 'num' }, fact.value, meter)));
    }
    text(fact.value, value);
    if (share === undefined) return;
    far(fact.meter, share);
    attr(fact.meter, 'data-full', share > 0.92);
  }

  tick(now) {
    const { status } = this;
    text(this.since, ago(downSince(status, report(this.id)?.timeline), now));
    if (!this.body) return;
    const [what, fix] = sentence(status, now);
    prose(this.sentence, what);
    prose(this.remedy, fix);
    this.countdown(now);
  }

  countdown(now) {
    const { next_attempt_at: next, last_attempt_at: last, last_check_at: checked, attempts, enabled, restarts, crashed_at: crashed } = this.status;
    const left = next && enabled ? Date.parse(next) - now : null;
    const whole = next && last ? Math.max(1, Date.parse(next) - Date.parse(last)) : 1;
    attr(this.bar.parentElement, 'data-on', left !== null);
    if (left !== null) {
      far(this.bar, 1 - left / whole);
      return text(this.next, left > 0 ? `next try in ${left < 1000 ? `${Math.ceil(left / 100) * 100} ms` : span(left + 999)} · ${plural(attempts, 'attempt')}` : `trying now · ${plural(attempts, 'attempt')}`);
    }
    text(this.next, `${checked ? `checked ${ago(checked, now)} ago` : 'not checked yet'}${restarts ? ` · ${plural(restarts, 'restart')}` : ''}${crashed ? `, the last ${ago(crashed, now)} ago` : ''}`);
  }
}
