// Where the scenes play: the demo, a running instance over its simulated servers, and pages that are watched.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { Visit } from './visit.mjs';

const START = 40_000;
// The token of those who may only look.
export const READER = 'a-token-that-may-only-look';

// A process, and the first thing that it says which fits.
class Program {
  constructor(binary, args, env = {}) {
    this.said = '';
    this.child = spawn(binary, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.ended = new Promise((done) => this.child.once('exit', done));
    for (const stream of [this.child.stdout, this.child.stderr]) stream.on('data', (text) => this.hear(String(text)));
    this.waiting = [];
  }

  hear(text) {
    this.said = (this.said + text).slice(-200_000);
    this.waiting = this.waiting.filter((waiter) => !waiter());
  }

  says(pattern) {
    return new Promise((done, no) => {
      const timer = setTimeout(() => no(new Error(`it did not say ${pattern} within ${START / 1000} s:\n${this.said.slice(-3000)}`)), START);
      const look = () => {
        const met = this.said.match(pattern);
        if (!met) return false;
        clearTimeout(timer);
        done(met[1]);
        return true;
      };
      if (!look()) this.waiting.push(look);
      this.ended.then((code) => {
        clearTimeout(timer);
        no(new Error(`it ended with ${code} before it said ${pattern}:\n${this.said.slice(-3000)}`));
      });
    });
  }

  async stop(signal = 'SIGTERM') {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.ended;
  }
}

export class House {
  constructor(parts) {
    Object.assign(this, parts, { programs: [], visits: [] });
    this.folder = mkdtempSync(path.join(tmpdir(), 'backline-browser-'));
  }

  // The demo with its dashboard; `first` is the address that it prints at once.
  async demo() {
    if (this.stage) return this.stage;
    const program = new Program(this.binary, ['demo', '--stay'], { BACKLINE_STATE_DIR: path.join(this.folder, 'none') });
    this.programs.push(program);
    const first = await program.says(/^dashboard: (\S+)\n/m);
    this.stage = { program, first, played: () => program.says(/stays open until Ctrl-C: (\S+)\n/) };
    return this.stage;
  }

  // A page over the demo, once it has played.
  async theatre() {
    if (this.watched) return this.watched;
    const stage = await this.demo();
    this.watched = await this.visit(await stage.played());
    await this.watched.page.waitForSelector('.card[data-phase=ready]');
    return this.watched;
  }

  // `backline run` over the simulated servers of the demo, with a state directory of its own.
  async instance() {
    if (this.running) return this.running;
    const { page } = await this.theatre();
    const urls = await page.evaluate(async () => {
      const answer = await fetch('api/v1/snapshot', { headers: { authorization: `Bearer ${sessionStorage.getItem('backline')}` } });
      return Object.fromEntries((await answer.json()).backends.map((backend) => [backend.id, backend.url]));
    });
    const state = path.join(this.folder, 'state');
    const config = path.join(this.folder, 'backline.ron');
    const reader = path.join(this.folder, 'reader');
    writeFileSync(reader, READER, { mode: 0o600 });
    writeFileSync(config, `(version: 1, discovery: (enabled: false), http: (reader: "file:${reader}"), backends: {\n  "comfyui": (kind: comfyui, url: "${urls.comfyui}", required: true),\n  "wan2gp": (kind: wan2gp, url: "${urls.wan2gp}"),\n})\n`);
    this.running = { state, config, urls, env: { BACKLINE_STATE_DIR: state, BACKLINE_WAN2GP_ENABLED: 'true', XDG_CONFIG_HOME: path.join(this.folder, 'config') } };
    await this.start('127.0.0.1:0').catch((cause) => {
      this.running = undefined;
      throw cause;
    });
    this.running.visit = await this.visit(this.running.address);
    await this.running.visit.page.waitForSelector('.card[data-phase=ready]');
    return this.running;
  }

  async start(listen) {
    const { config, env } = this.running;
    const program = new Program(this.binary, ['--config', config, 'run', '--listen', listen], env);
    this.programs.push(program);
    this.running.program = program;
    this.running.address = await program.says(/^dashboard: (\S+)\n/m);
    this.running.listen = new URL(this.running.address).host;
  }

  async visit(address, options = {}) {
    const visit = await Visit.to(this, address, options);
    this.visits.push(visit);
    return visit;
  }

  // A picture of every page that is open, for who looks at a failure.
  async capture(name) {
    for (const [n, visit] of this.visits.entries()) {
      if (!visit.page.isClosed()) await visit.page.screenshot({ path: path.join(this.pictures, `${name}-${n}.png`), timeout: 5000 }).catch(() => {});
    }
  }

  async close() {
    for (const visit of this.visits) await visit.page.context().close().catch(() => {});
    for (const program of this.programs) await program.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
