// One output of a job: shown where a browser shows it safely, and saved with its own name.
import { api, read } from './api.js';
import { attempt } from './act.js';
import { button, h } from './dom.js';
import { bytes } from './format.js';
import { icon } from './icons.js';

const SHOWN = /^(image\/(png|jpeg|webp|gif|avif)|video\/(mp4|webm)|audio\/)/;
// Above it nothing is read into the page: a player, or the browser's own download, asks by a ticket.
const CAP = 16 * 1024 * 1024;

export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  h('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export class Output {
  constructor(job, file) {
    Object.assign(this, { job, file });
    this.frame = h('div', { class: 'frame' }, icon('download'));
    this.root = h('li', {}, this.frame,
      h('div', {}, h('b', {}, file.name), h('p', { class: 'soft num' }, `${file.media_type} · ${bytes(file.bytes)}`), h('code', { class: 'soft' }, file.sha256.slice(0, 16))),
      button('Download', () => this.download(), { 'aria-label': `Download ${file.name}` }));
    this.shown = SHOWN.exec(file.media_type)?.[0].split('/')[0];
    if (this.shown) (file.bytes <= CAP ? this.show() : this.play());
  }

  async blob() {
    return (await api(`jobs/${this.job}/outputs/${encodeURIComponent(this.file.name)}`, { wait: 120_000 })).blob();
  }

  async show() {
    const blob = await this.blob().catch(() => null);
    if (!blob || this.gone) return;
    // The type that was sniffed, never one that a backend names.
    this.url = URL.createObjectURL(new Blob([blob], { type: this.file.media_type }));
    this.frame.replaceChildren(this.element(this.url));
  }

  element(src) {
    return this.shown === 'image' ? h('img', { src, alt: `Output ${this.file.name}` }) : h(this.shown, { src, controls: true, preload: 'metadata' });
  }

  // An address that needs no token; it is good for a minute.
  async ticket() {
    const { url } = await read(`jobs/${this.job}/outputs/${encodeURIComponent(this.file.name)}/ticket`);
    return new URL(url, location.href).href;
  }

  // A large one: what is looked at is read, part by part. A ticket that ran out is followed by another, once a failure.
  async play() {
    const src = await this.ticket().catch(() => null);
    if (!src || this.gone) return;
    const node = this.element(src);
    let from = 0;
    node.addEventListener('playing', () => {
      from = node.currentTime;
    });
    node.addEventListener('error', async () => {
      if (this.gone || from === null || this.shown === 'image') return;
      const at = Math.max(from, node.currentTime);
      from = null;
      const again = await this.ticket().catch(() => null);
      if (!again || this.gone) return;
      const went = !node.paused;
      node.src = again;
      node.currentTime = at;
      if (went) node.play().catch(() => {});
    });
    this.frame.replaceChildren(node);
  }

  download() {
    if (this.file.bytes <= CAP) return attempt(null, async () => save(await this.blob(), this.file.name));
    return attempt(null, async () => h('a', { href: await this.ticket(), download: this.file.name }).click());
  }

  drop() {
    this.gone = true;
    if (this.url) URL.revokeObjectURL(this.url);
  }
}
