// One job: how far it is, what it shows meanwhile, what came of it, and how it got there.
import { api, post, read } from './api.js';
import { attempt } from './act.js';
import { sure } from './dialog.js';
import { attr, button, far, h, keyed, prose, text } from './dom.js';
import { clock, percent, span } from './format.js';
import { icon, swap } from './icons.js';
import { share } from './jobs.js';
import { Output } from './output.js';
import { ended, jobState } from './phase.js';
import { deed } from './rights.js';
import { known, takeJob, touch } from './store.js';
import { catchUp } from './stream.js';
import { go } from './views.js';

const PREVIEW_PACE = 400;

export class Job {
  constructor() {
    this.icon = icon('queued', 'state');
    this.word = h('b');
    this.line = h('p', { class: 'soft' });
    this.bar = h('i');
    this.far = h('p', { class: 'num soft' });
    this.picture = h('img', { class: 'preview', alt: 'Preview of what is being made', hidden: true });
    this.text = h('pre', { class: 'streamed', hidden: true, tabindex: '0', 'aria-label': 'Text so far' });
    this.error = h('div', { class: 'say error', hidden: true });
    this.outputs = h('ul', { class: 'outputs' });
    this.result = h('pre', { class: 'log', tabindex: '0', 'aria-label': 'Result' });
    this.document = h('details', { hidden: true }, h('summary', {}, 'Result document'), this.result);
    this.timeline = h('ol', { class: 'timeline' });
    this.facts = h('dl', { class: 'pairs' });
    this.cancel = deed('Cancel', () => attempt('Cancelling', () => post(`jobs/${this.id}/cancel`)), { class: 'danger' });
    this.retry = deed('Run again', () => attempt('Running again', () => post(`jobs/${this.id}/retry`)));
    this.erase = deed('Erase', () => this.remove(), { class: 'danger' });
    this.title = h('h2', {});
    this.body = h('div', { class: 'body' },
      h('header', {}, this.icon, this.title, h('p', { class: 'phase' }, this.word), button(icon('cross'), () => go('jobs'), { class: 'quiet', 'aria-label': 'Close the job' })),
      this.line, h('div', { class: 'track big' }, this.bar), this.far, this.error, this.picture, this.text, this.outputs,
      h('footer', {}, this.cancel, this.retry, this.erase),
      h('h3', {}, 'How it got here'), this.timeline, this.facts, this.document);
    this.root = h('section', { class: 'jobdetail', 'aria-label': 'The job', hidden: true }, this.body);
    this.outs = new Map();
    this.shown = 0;
  }

  choose(id) {
    if (this.id === id) return;
    this.id = id;
    this.forget();
    attr(this.root, 'hidden', id === null);
    if (id) this.look(id);
    this.fill(known.jobs.get(id));
  }

  async look(id) {
    const job = await read(`jobs/${encodeURIComponent(id)}`).catch(() => null);
    if (!job) return;
    takeJob(job);
    if (!ended(job.state) && known.jobs.get(id).text?.from !== 0) catchUp(id);
  }

  forget() {
    this.outs.forEach((output) => output.drop());
    this.outs.clear();
    this.outputs.replaceChildren();
    this.outputs.keyed?.clear();
    this.timeline.replaceChildren();
    this.timeline.keyed?.clear();
    if (this.picture.src) URL.revokeObjectURL(this.picture.src);
    this.picture.removeAttribute('src');
    this.picture.hidden = true;
  }

  async remove() {
    const { id } = this;
    if (!(await sure('Erase this job?', 'Its record and its outputs are erased from the disk.', 'Erase'))) return;
    const done = await attempt('Erased', () => api(`jobs/${id}`, { method: 'DELETE' }));
    if (!done) return;
    known.jobs.delete(id);
    known.crowd += 1;
    touch('jobs');
    go('jobs');
  }

  fill(job) {
    if (!this.id) return;
    attr(this.body, 'hidden', !job);
    if (!job) return;
    const looks = jobState(job.state);
    swap(this.icon, looks.icon);
    attr(this.root, 'data-tone', looks.tone);
    attr(this.root, 'data-state', job.state);
    text(this.title, job.work ? `${job.work} for ${job.target}` : job.target);
    text(this.word, looks.word);
    text(this.line, [job.routed, job.guarantee?.replaceAll('_', ' ')].filter(Boolean).join(' · '));
    far(this.bar, share(job));
    text(this.far, this.progress(job));
    this.fillError(job);
    attr(this.cancel, 'hidden', ended(job.state));
    attr(this.retry, 'hidden', !ended(job.state) || job.state === 'done');
    attr(this.erase, 'hidden', !ended(job.state));
    this.fillText(job);
    this.fillOutputs(job);
    this.fillHistory(job);
    this.preview(job);
  }

  progress({ progress, state }) {
    if (state === 'done') return '';
    if (!progress) return ended(state) ? '' : 'no step yet';
    const { value, max, node, message, eta_s: eta } = progress;
    return [max ? `${value} of ${max} (${percent(value / max)})` : value ? `step ${value}` : '', node, message, eta && !ended(state) ? `about ${span(eta * 1000)} left` : ''].filter(Boolean).join(' · ');
  }

  fillError({ error }) {
    attr(this.error, 'hidden', !error);
    if (error) this.error.replaceChildren(prose(h('p', { class: 'sentence' }), error.message), prose(h('p', { class: 'remedy' }), error.fix ?? ''));
  }

  fillText(job) {
    const said = (job.text?.from > 0 ? `… ${job.text.value}` : job.text?.value) ?? job.result?.choices?.[0]?.message?.content;
    const is = typeof said === 'string' && said.length > 0;
    attr(this.text, 'hidden', !is);
    if (!is) return;
    const low = this.text.scrollTop + this.text.clientHeight >= this.text.scrollHeight - 8;
    text(this.text, said);
    if (low) this.text.scrollTop = this.text.scrollHeight;
  }

  fillOutputs(job) {
    keyed(this.outputs, job.outputs ?? [], (file) => file.name, (file) => {
      const output = new Output(job.id, file);
      this.outs.set(file.name, output);
      return output.root;
    });
    const is = job.result !== null && job.result !== undefined;
    attr(this.document, 'hidden', !is);
    if (is && this.printed !== job.result) text(this.result, JSON.stringify(job.result, null, 2).slice(0, 200_000));
    this.printed = job.result;
  }

  fillHistory(job) {
    keyed(this.timeline, (job.timeline ?? []).map((step, n) => ({ ...step, n })), (step) => `${step.n} ${step.at} ${step.state}`, (step) => {
      const { word, icon: shape, tone } = jobState(step.state);
      return h('li', { 'data-tone': tone }, icon(shape, 'state'), h('time', { class: 'num soft' }, clock(step.at)), h('b', {}, word), h('span', {}, step.evidence ?? ''));
    });
    const rows = [['Job', job.id], ['Backend', job.backend], ['At the backend', job.remote_id], ['Executions begun', job.attempts]].filter(([, value]) => value !== null && value !== undefined);
    const print = JSON.stringify(rows);
    if (this.facts.dataset.print === print) return;
    this.facts.dataset.print = print;
    this.facts.replaceChildren(...rows.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, h('code', {}, String(value)))]));
  }

  // The latest picture, no more than a few times a second, and only while there is one to expect.
  async preview(job) {
    if (job.state !== 'running') {
      if (ended(job.state) && this.outs.size) attr(this.picture, 'hidden', true);
      return;
    }
    if (this.asking || Date.now() - this.shown < PREVIEW_PACE || job.kind !== 'comfyui' || !(job.progress?.value >= 1)) return;
    this.asking = true;
    try {
      const answer = await api(`jobs/${job.id}/preview`);
      const picture = answer.status === 200 ? await answer.blob() : null;
      if (picture?.size && picture.type.startsWith('image/') && job.id === this.id) {
        const before = this.picture.src;
        this.picture.src = URL.createObjectURL(picture);
        attr(this.picture, 'hidden', false);
        if (before) URL.revokeObjectURL(before);
      }
    } catch {
      // The job is gone, or nobody answers: the page says so elsewhere.
    } finally {
      this.asking = false;
      this.shown = Date.now();
    }
  }
}


