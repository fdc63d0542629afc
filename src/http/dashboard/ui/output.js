// One output of a job: shown where a browser shows it safely, and saved with its own name.
import { api } from './api.js';
import { attempt } from './act.js';
import { button, h } from './dom.js';
import { bytes } from './format.js';
import { icon } from './icons.js';

const SHOWN = /^(image\/(png|jpeg|webp|gif|avif)|video\/(mp4|webm)|audio\/)/;
const CAP = 64 * 1024 * 1024;

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
    if (SHOWN.test(file.media_type) && file.bytes <= CAP) this.show();
  }

  async blob() {
    return (await api(`jobs/${this.job}/outputs/${encodeURIComponent(this.file.name)}`, { wait: 120_000 })).blob();
  }

  async show() {
    const blob = await this.blob().catch(() => null);
    if (!blob || this.gone) return;
    // The type that was sniffed, never one that a backend names.
    this.url = URL.createObjectURL(new Blob([blob], { type: this.file.media_type }));
    const [what] = this.file.media_type.split('/');
    const node = what === 'image' ? h('img', { src: this.url, alt: `Output ${this.file.name}` }) : h(what, { src: this.url, controls: true });
    this.frame.replaceChildren(node);
  }

  download() {
    return attempt(null, async () => save(await this.blob(), this.file.name));
  }

  drop() {
    this.gone = true;
    if (this.url) URL.revokeObjectURL(this.url);
  }
}
