// The configuration as a whole: undo, presets, import, export, reset, and what was taken out.
import { api, post, read } from './api.js';
import { attempt } from './act.js';
import { preview } from './change.js';
import { dialog, sure } from './dialog.js';
import { find } from './discover.js';
import { button, h } from './dom.js';
import { problems } from './form.js';
import { save } from './output.js';
import { deed } from './rights.js';
import { toast } from './toasts.js';

const CAP = 1024 * 1024;

export class Files {
  constructor(config, reload) {
    Object.assign(this, { config, reload });
    const { undo, edited, removed, proposals } = config;
    this.place = h('div');
    this.file = h('input', { type: 'file', accept: '.ron,text/plain', 'aria-label': 'A configuration file', onchange: () => this.take() });
    this.text = h('textarea', { class: 'file', spellcheck: 'false', placeholder: '( version: 1, backends: { … } )', 'aria-label': 'The text of a configuration' });
    this.list = h('ul', { class: 'presets' });
    this.name = h('input', { placeholder: 'workstation-2', 'aria-label': 'Name of a preset', autocomplete: 'off', spellcheck: 'false', maxlength: '64' });
    this.root = h('section', { class: 'sheet', 'aria-label': 'The whole configuration' },
      h('header', {}, h('h2', {}, 'Whole configuration'), deed(`Undo${undo ? ` (${undo})` : ''}`, () => this.undo(), { disabled: !undo }), button('Export', () => this.export()), deed('Reset edits', () => this.reset(), { class: 'danger', disabled: !edited.length && !removed.length })),
      config.problems.length ? h('section', { class: 'panel' }, h('h3', {}, 'The configuration does not load; the last good one counts'), problems(config.problems)) : null,
      proposals.length ? h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Found, and not adopted')), h('ul', { class: 'finds' }, proposals.map((one) => find(one.find)))) : null,
      removed.length ? h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Taken out')), h('ul', {}, removed.map((path) => this.out(path)))) : null,
      h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Import')), h('p', { class: 'soft' }, 'A file in RON, as it is exported. It is checked and shown before anything changes.'), h('div', { class: 'bar' }, this.file), this.text, h('div', { class: 'bar' }, deed('Preview and apply', () => this.import({ text: this.text.value }), { class: 'primary' })), this.place),
      h('section', { class: 'panel' }, h('header', {}, h('h2', {}, 'Presets')), h('div', { class: 'bar' }, this.name, deed('Save what counts now', () => this.keep())), this.list));
    this.presets();
  }

  out(path) {
    const id = path.replace(/^backends\./, '');
    return h('li', { class: 'bar' }, h('b', {}, path), path.startsWith('backends.') ? deed('Bring back', async () => {
      await attempt(`${id} is back`, () => post(`backends/${encodeURIComponent(id)}/revert`, undefined, { wait: 60_000 }));
      this.reload();
    }) : null);
  }

  async presets() {
    const { presets } = await read('config/presets').catch(() => ({ presets: [] }));
    this.saved = new Set(presets.filter(({ source }) => source === 'saved').map(({ name }) => name));
    this.list.replaceChildren(...presets.map((one) => this.preset(one)));
  }

  async keep() {
    const name = this.name.value.trim();
    if (!name) return this.name.focus();
    if (this.saved?.has(name) && !(await sure(`Replace ${name}?`, 'A preset of yours has this name already.', 'Replace'))) return undefined;
    return attempt(null, async () => {
      const { variables } = await (await api(`config/presets/${encodeURIComponent(name)}`, { method: 'PUT' })).json();
      toast('info', `Saved as ${name}, without secrets`, variables.length ? `Set these where it is used: ${variables.join(', ')}` : undefined);
      this.name.value = '';
      await this.presets();
    });
  }

  async erase(name) {
    if (!(await sure(`Erase ${name}?`, 'The preset is erased from the disk. What counts now stays as it is.', 'Erase'))) return;
    await attempt(`Erased ${name}`, () => api(`config/presets/${encodeURIComponent(name)}`, { method: 'DELETE' }));
    await this.presets();
  }

  preset({ name, title, text, source }) {
    const look = () => dialog(name, [h('p', {}, title), h('pre', { class: 'log', tabindex: '0' }, text)], { wide: true });
    return h('li', {}, h('div', {}, h('h3', {}, name), h('p', { class: 'soft' }, title)), h('div', { class: 'bar' }, button('Look', look, { 'aria-label': `Look at ${name}` }), deed('Use', () => this.import({ preset: name }), { 'aria-label': `Use ${name}` }), source === 'saved' ? deed('Erase', () => this.erase(name), { class: 'danger', 'aria-label': `Erase ${name}` }) : null));
  }

  async take() {
    const [file] = this.file.files;
    if (!file) return;
    if (file.size > CAP) return toast('error', 'The file is larger than 1 MiB.', 'A configuration is a few kilobytes.');
    this.text.value = await file.text();
    return undefined;
  }

  async import(what) {
    const headers = this.config.tag ? { 'if-match': this.config.tag } : {};
    const make = async () => {
      await api('config/import', { method: 'POST', body: what, headers, wait: 60_000 });
      toast('info', 'Imported; it can be undone');
      this.reload();
    };
    const found = await attempt(null, () => preview('Import', what, make));
    this.place.replaceChildren(...(found?.length ? [problems(found)] : []));
  }

  async undo() {
    await attempt('Undone', () => post('config/undo', undefined, { wait: 60_000 }));
    this.reload();
  }

  async reset() {
    if (!(await sure('Take back every edit?', 'What was edited here is taken back; the file, the environment and what was discovered count again. It can be undone.', 'Reset'))) return;
    await attempt('Reset', () => api('config', { method: 'DELETE', wait: 60_000 }));
    this.reload();
  }

  export() {
    return attempt(null, async () => {
      const { text, variables } = await read('config/export');
      save(new Blob([text], { type: 'text/plain' }), 'backline.ron');
      toast('info', 'Exported without secrets', variables.length ? `Set these where it is used: ${variables.join(', ')}` : undefined);
    });
  }
}
