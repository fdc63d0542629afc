// One setting: what it is, its value, where that comes from, and what an edit of it stands over.
import { attr, button, h, prose, text } from './dom.js';
import { complaint, last, shown, source, value } from './draft.js';
import { icon } from './icons.js';

const SOURCES = { default: 'default', file: 'file', env: 'environment', api: 'edited here', discovered: 'discovered', 'command line': 'command line' };
const FIXED = new Set(['env', 'command line']);

const file = (path) => path.split(/[\\/]/).at(-1);

let count = 0;

export class Field {
  // `changed(path, value)` is told of each edit; undefined: as it was.
  constructor(doc, path, config, changed) {
    Object.assign(this, { doc, path, changed });
    this.row = config.rows.get(path);
    this.edited = config.edits.has(path);
    const { name, rest } = source(this.row);
    this.locked = FIXED.has(name);
    this.before = doc.type === 'flag' ? this.row?.value === true : shown(this.row);
    const id = `field-${(count += 1)}`;
    this.input = this.control(id);
    this.wrong = h('p', { class: 'wrong', id: `${id}-wrong`, role: 'alert' });
    this.revert = button('Revert', () => this.takeBack(), { class: 'quiet', hidden: !this.edited });
    const badge = h('span', { class: 'badge', 'data-from': name }, this.locked ? icon('lock') : null, SOURCES[name] ?? name, name === 'file' && rest ? ` ${file(rest)}${this.row.line ? `:${this.row.line}` : ''}` : name === 'env' ? ` ${rest}` : '');
    const masked = this.row?.masks ? h('span', { class: 'badge' }, `over ${this.row.masks.replace(/^file:.*[\\/]/, 'file ').replace(/^env:/, 'environment ')}`) : null;
    const about = prose(h('p', { class: 'about', id: `${id}-about` }), doc.sentence);
    attr(this.input, 'aria-describedby', `${id}-about ${id}-wrong`);
    this.root = h('div', { class: 'field', 'data-path': path }, h('label', { for: id }, last(path)), h('div', {},
      h('div', { class: 'put' }, this.input, badge, masked, this.revert),
      about, this.locked ? h('p', { class: 'about' }, rest ? `Set by the variable ${rest}; change it there.` : 'Set on the command line; change it there.') : null, this.wrong));
  }

  control(id) {
    const { doc, locked, before } = this;
    const common = { id, disabled: locked, autocomplete: 'off', spellcheck: 'false' };
    const change = () => this.change();
    if (doc.type === 'flag') return h('input', { ...common, type: 'checkbox', checked: before, onchange: change });
    if (doc.type === 'choice') {
      const none = this.row ? [] : [h('option', { value: '' }, doc.default || 'choose …')];
      const select = h('select', { ...common, onchange: change }, none, doc.choices.map((one) => h('option', { value: one }, one)));
      select.value = before;
      return select;
    }
    if (doc.secret) {
      const reference = /^(env|file):/.test(before);
      return h('input', { ...common, type: reference ? 'text' : 'password', value: reference ? before : '', placeholder: before ? 'set; write to replace it' : 'env:NAME or file:PATH', oninput: change });
    }
    return h('input', { ...common, type: 'text', inputmode: doc.type === 'count' ? 'numeric' : null, value: before, placeholder: doc.default || doc.expected.replaceAll('`', '').replaceAll('"', ''), oninput: change });
  }

  get now() {
    return this.doc.type === 'flag' ? this.input.checked : this.input.value;
  }

  change() {
    const { now } = this;
    const same = this.doc.secret && !/^(env|file):/.test(this.before) ? now === '' : now === this.before;
    attr(this.root, 'data-edited', !same);
    this.complain(complaint(this.doc, now));
    this.changed(this.path, same ? undefined : value(this.doc, now));
  }

  takeBack() {
    attr(this.root, 'data-edited', true);
    this.complain('');
    text(this.revert, 'will be reverted');
    this.changed(this.path, null);
  }

  complain(words) {
    prose(this.wrong, words);
    attr(this.root, 'data-wrong', words !== '');
    attr(this.input, 'aria-invalid', words ? 'true' : null);
  }
}
