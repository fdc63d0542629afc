// The form of one backend, of a new one, or of everything else; with its test, preview and what takes it back.
import { api, post } from './api.js';
import { attempt } from './act.js';
import { preview } from './change.js';
import { sure } from './dialog.js';
import { attr, button, h, text } from './dom.js';
import { plural } from './format.js';
import { freeId } from './discover.js';
import { Form, problems } from './form.js';
import { deed, off } from './rights.js';
import { run as probe } from './staged.js';
import { toast } from './toasts.js';
import { go } from './views.js';

// `what`: { id } of a backend, { id: null } for a new one, { rest: true } for everything else.
export class Sheet {
  constructor(config, what, reload) {
    Object.assign(this, { config, what, reload, edits: new Map() });
    this.isNew = !what.rest && what.id === null;
    this.id = this.isNew ? h('input', { id: 'new-id', value: '', placeholder: 'comfyui', pattern: '[a-z0-9][a-z0-9_\\-]*', autocomplete: 'off', spellcheck: 'false', oninput: () => this.count() }) : null;
    this.form = new Form(config, (path, value) => this.edit(path, value));
    this.place = h('div', { class: 'tested', 'aria-live': 'polite' });
    this.left = h('div');
    this.said = h('span', { class: 'soft num', role: 'status' });
    this.apply = deed('Preview and apply', () => this.preview(), { class: 'primary' });
    this.discard = button('Discard', () => reload());
    const test = what.rest ? null : deed('Test', () => this.test());
    this.root = h('section', { class: 'sheet', 'aria-label': what.rest ? 'General settings' : what.id ?? 'New backend' }, this.head(), this.left, this.fields(), this.place, h('div', { class: 'foot' }, this.said, test, this.discard, this.apply));
    this.count();
  }

  get prefix() {
    return this.what.rest ? '' : `backends.${this.isNew ? 'new' : this.what.id}`;
  }

  head() {
    const { id, rest } = this.what;
    if (rest) return h('header', {}, h('h2', {}, 'General'), h('span', { class: 'soft' }, 'What belongs to no one backend'));
    if (this.isNew) return h('header', {}, h('h2', {}, 'New backend'), h('label', { for: 'new-id' }, 'Id'), this.id);
    const edited = [...this.config.edits].some((path) => path.startsWith(`backends.${id}.`));
    return h('header', {}, h('h2', {}, id),
      deed('Revert all edits', () => this.revert(), { hidden: !edited }),
      deed('Remove', () => this.remove(), { class: 'danger' }));
  }

  fields() {
    if (this.what.rest) return this.form.below('', '', { skip: ['backends', 'version', 'extends'] });
    return this.form.below('backends.*', this.prefix);
  }

  edit(path, value) {
    if (value === undefined) this.edits.delete(path);
    else this.edits.set(path, value);
    // A kind suggests an id.
    if (this.isNew && path.endsWith('.kind') && value && !this.id.value) this.id.value = freeId(value);
    this.count();
  }

  count() {
    const { size } = this.edits;
    text(this.said, size ? plural(size, 'change') : 'No change yet');
    attr(this.discard, 'hidden', size === 0);
    off(this.apply, size === 0);
  }

  // The fields of the backend by their own names.
  own() {
    const from = this.prefix.length + 1;
    return Object.fromEntries([...this.edits].filter(([, value]) => value !== null).map(([path, value]) => [path.slice(from), value]));
  }

  get named() {
    return this.isNew ? this.id.value.trim() : this.what.id;
  }

  change() {
    const place = `backends.${this.named}.`;
    return Object.fromEntries([...this.edits].map(([path, value]) => [this.isNew ? place + path.slice(this.prefix.length + 1) : path, value]));
  }

  test() {
    const fields = this.own();
    return probe(this.isNew ? { candidate: fields } : { id: this.what.id, fields: Object.keys(fields).length ? fields : undefined }, this.place);
  }

  async preview() {
    if (this.isNew && !/^[a-z0-9][a-z0-9_-]*$/.test(this.named)) {
      toast('error', 'The id is missing or has letters that it may not have.', 'Small letters, digits, - and _, like `comfy-a`.');
      return this.id.focus();
    }
    const title = this.isNew ? `Add ${this.named}` : 'Preview';
    const found = await attempt(null, () => preview(title, { change: this.change() }, () => this.make()));
    if (!found) return undefined;
    const own = found.map((problem) => ({ ...problem, path: this.isNew ? problem.path.replace(`backends.${this.named}`, this.prefix) : problem.path }));
    const left = this.form.complain(own);
    this.left.replaceChildren(left.length ? problems(left) : '');
    return undefined;
  }

  async make() {
    const headers = this.config.tag ? { 'if-match': this.config.tag } : {};
    if (this.isNew) await api('backends', { method: 'POST', body: { id: this.named, ...this.own() }, headers, wait: 60_000 });
    else await api('config', { method: 'PATCH', body: this.change(), headers, wait: 60_000 });
    toast('info', this.isNew ? `Added ${this.named}` : 'Applied');
    if (this.isNew) go(`settings/${this.named}`);
    this.reload();
  }

  async revert() {
    await attempt(`Reverted ${this.what.id}`, () => post(`backends/${encodeURIComponent(this.what.id)}/revert`, undefined, { wait: 60_000 }));
    this.reload();
  }

  async remove() {
    const { id } = this.what;
    if (!(await sure(`Remove ${id}?`, 'What runs there may end first. Removing can be undone here.', 'Remove'))) return;
    const done = await attempt(`Removed ${id}`, () => api(`backends/${encodeURIComponent(id)}`, { method: 'DELETE', wait: 60_000 }));
    if (done) go('settings/files');
    this.reload();
  }
}
