// A thousand backends and ten thousand jobs: the page answers at once, and keeps little.
import assert from 'node:assert/strict';
import { Standin, backend, job } from '../standin.mjs';

const [BACKENDS, JOBS] = [1000, 10_000];
// The promise is 100 ms for an interaction, and what was measured is printed; how busy this machine is at the time is
// not the page's.
const FAR_OFF = 2000;
const ROUNDS = 8;
const EVENTS = 40;

let stand;
let visit;

export const tests = {
  'a thousand cards, of which few are built': async (house) => {
    const backends = Array.from({ length: BACKENDS }, (_, n) => backend(`b-${n}`));
    const jobs = Array.from({ length: JOBS }, (_, n) => job(JOBS - n));
    stand = new Standin({ backends, jobs });
    visit = await house.visit(await stand.open());
    const { page } = visit;
    await page.locator('.overview .bar', { hasText: `${BACKENDS} backends` }).waitFor();
    await page.waitForSelector('.card .body');
    await visit.settled();
    assert.ok((await page.locator('.card').count()) < 400, 'cards far below are in the page');
    const built = await page.evaluate(() => document.querySelectorAll('.card .body').length);
    assert.ok(built < 60, `${built} bodies are built`);
  },
  'each of them is found, by its name and by going down': async () => {
    const { page } = visit;
    const filter = page.locator('.overview .filter');
    await filter.fill('b-999');
    await page.waitForFunction(() => [...document.querySelectorAll('.card')].map(({ dataset }) => dataset.id).join() === 'b-999');
    await filter.fill('');
    await page.waitForSelector('.card[data-id="b-0"]');
    await page.waitForFunction(() => {
      scrollTo(0, document.documentElement.scrollHeight);
      return document.querySelector('.card[data-id="b-999"]') !== null;
    });
    await page.evaluate(() => scrollTo(0, 0));
  },
  'filtering, scrolling and changing views answer at once': async () => {
    const { page } = visit;
    const filter = (text) => `() => { const input = document.querySelector('.overview .filter'); input.value = '${text}'; input.dispatchEvent(new Event('input')); }`;
    const go = (view) => `() => { location.hash = '#/${view}'; }`;
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const took = {};
      took.filter = await measure(page, filter('b-77'));
      took.all = await measure(page, filter(''));
      took.scroll = await measure(page, `() => scrollTo(0, ${20_000 * (round + 1)})`);
      took.jobs = await measure(page, go('jobs'));
      await page.waitForSelector('.row:not([hidden])');
      assert.equal(await page.locator('.jobs .bar .num').innerText(), '10000 jobs');
      assert.ok((await page.locator('.row').count()) < 80, 'rows out of sight are in the page');
      took.down = await measure(page, `() => document.querySelector('.rows').scrollTo(0, ${100_000 * (round + 1)})`);
      took.back = await measure(page, go('overview'));
      rounds.push(took);
    }
    for (const name of Object.keys(rounds[0])) {
      const all = rounds.map((round) => round[name]);
      console.log(`        ${name}: ${figures(all)}`);
      assert.ok(middle(all) < FAR_OFF, `${name} took ${figures(all)}`);
    }
  },
  'one event among a thousand backends and ten thousand jobs is in the page soon': async () => {
    const { page } = visit;
    await page.evaluate(() => {
      scrollTo(0, 0);
      window.seen = [];
      new MutationObserver((list) => list.forEach(({ target }) => window.seen.push([target.dataset.id, Date.now()]))).observe(document.querySelector('.cards'), { subtree: true, attributes: true, attributeFilter: ['data-phase'] });
    });
    const took = [];
    for (let n = 0; n < EVENTS; n += 1) {
      const away = n % 2 === 0;
      const status = backend('b-3', away ? { phase: 'waiting', reason: 'gone', health: 'unknown' } : {});
      const began = Date.now();
      stand.tell('backend.phase', { backend: 'b-3', phase: status.phase, epoch: n, reason: null, status });
      await page.waitForFunction((count) => window.seen.length >= count, n + 1);
      took.push((await page.evaluate(() => window.seen.at(-1)))[1] - began);
    }
    console.log(`        from the event to the page: ${figures(took)}, of ${EVENTS}`);
    assert.ok(middle(took) < FAR_OFF, figures(took));
  },
  'a storm of events stays bounded': async () => {
    const { page } = visit;
    for (let n = 0; n < 3000; n += 1) {
      const status = backend(`b-${n % 50}`, n % 2 ? {} : { phase: 'waiting', reason: 'gone', health: 'unknown' });
      stand.tell('backend.phase', { backend: status.id, phase: status.phase, epoch: n, reason: null, status });
    }
    stand.tell('notice.raised', { id: 'n1', code: 'x', severity: 'info', backend: null, title: 'the last one', message: 'm', fix: 'f', count: 1, first_at: new Date().toISOString(), last_at: new Date().toISOString(), cleared_at: null, hidden: null });
    await page.evaluate(() => {
      location.hash = '#/notices';
    });
    await page.locator('.notice', { hasText: 'the last one' }).waitFor();
    await page.evaluate(() => {
      location.hash = '#/overview';
    });
    await page.waitForSelector('.activity li');
    assert.ok((await page.locator('.activity li').count()) <= 200);
    const nodes = await page.evaluate(() => document.querySelectorAll('*').length);
    const used = await page.evaluate(() => Math.round(performance.memory.usedJSHeapSize / 1048576));
    console.log(`        ${nodes} elements, ${used} MiB of JavaScript`);
    assert.ok(nodes < 60_000, `${nodes} elements`);
    assert.ok(used < 300, `${used} MiB`);
  },
  'no error, nothing off the origin': async () => visit.clean(),
};

const sorted = (all) => [...all].sort((a, b) => a - b);
const middle = (all) => sorted(all)[Math.floor(all.length / 2)];
const figures = (all) => `p50 ${Math.round(middle(all))} ms, p95 ${Math.round(sorted(all)[Math.min(all.length - 1, Math.floor(all.length * 0.95))])} ms`;

// From what a person does to the frame that shows it.
async function measure(page, run) {
  return page.evaluate(`(async () => { const began = performance.now(); (${run})(); await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); return performance.now() - began; })()`);
}

export const end = async () => {
  await visit?.page.context().close();
  stand?.close();
};
