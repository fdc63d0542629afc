// A form out of the schema: fields with their sentence, groups that open, maps that take new names.
import { button, h, prose } from './dom.js';
import { children, isGroup, last, namesIn } from './draft.js';
import { Field } from './field.js';

export class Form {
  // Everything below `pattern` (of the schema) at `path` (of the configuration).
  constructor(config, changed) {
    Object.assign(this, { config, changed, fields: new Map() });
  }

  below(pattern, path, { skip = [] } = {}) {
    const docs = children(pattern).filter((doc) => !skip.includes(last(doc.path)));
    const plain = docs.filter((doc) => !isGroup(doc));
    const groups = docs.filter(isGroup);
    return h('div', { class: 'fields' }, plain.map((doc) => this.field(doc, `${path}.${last(doc.path)}`.replace(/^\./, ''))), groups.map((doc) => this.group(doc, `${path}.${last(doc.path)}`.replace(/^\./, ''))));
  }

  field(doc, path) {
    const field = new Field(doc, path, this.config, this.changed);
    this.fields.set(path, field);
    return field.root;
  }

  group(doc, path) {
    const inside = doc.type === 'map' ? this.map(doc, path) : this.below(doc.path, path);
    const own = [...this.config.rows.values()].some((row) => row.path.startsWith(`${path}.`) && row.source !== 'default');
    return h('details', { class: 'group', open: own, 'data-path': path }, h('summary', {}, last(path)), prose(h('p', { class: 'soft' }), doc.sentence), inside);
  }

  map(doc, path) {
    const entry = `${doc.path}.*`;
    const [first] = children(doc.path);
    const list = h('div', { class: 'fields' });
    const one = (name) => (isGroup(first) ? h('details', { class: 'group', open: true }, h('summary', {}, name), this.below(entry, `${path}.${name}`)) : this.field(first, `${path}.${name}`));
    list.append(...namesIn(this.config, path).map(one));
    const name = h('input', { placeholder: 'name', 'aria-label': `New name in ${last(path)}`, size: 14 });
    const add = () => {
      if (!/^[A-Za-z0-9_-]+$/.test(name.value) || this.fields.has(`${path}.${name.value}`)) return name.focus();
      list.append(one(name.value));
      name.value = '';
      return list.lastElementChild.querySelector('input')?.focus();
    };
    return h('div', {}, list, h('div', { class: 'bar' }, name, button('Add', add)));
  }

  get isWrong() {
    return [...this.fields.values()].some((field) => field.root.hasAttribute('data-wrong'));
  }

  // Puts the server's problems beside their fields; answers those that have none.
  complain(problems) {
    for (const field of this.fields.values()) field.complain('');
    return problems.filter(({ path, message, fix }) => {
      const field = this.fields.get(path);
      if (!field) return true;
      field.complain(`${message}. ${fix}`);
      for (let node = field.root.parentElement; node; node = node.parentElement) if (node.tagName === 'DETAILS') node.open = true;
      return false;
    });
  }
}

export const problems = (list) => h('ul', { class: 'problems' }, list.map(({ path, message, fix, place }) => h('li', {}, path ? h('code', {}, path) : null, path ? ': ' : '', `${message}. `, prose(h('span', {}), fix), place ? h('span', { class: 'soft' }, ` ${place}`) : null)));
