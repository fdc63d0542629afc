// A thousand backends and ten thousand jobs: the page answers at once, and keeps little.
import assert from 'node:assert/strict';
import { Standin, backend, job } from '../standin.mjs';

const [BACKENDS, JOBS] = [1000, 10_000];
// The promise is 100 ms for an interaction, and what was measured is printed; how busy this machine is at the time is
// not the page's.
const FAR_OFF = 2000;
const ROUNDS = 12;
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
  'whatever a person does is answered at once': async () => {
    const { page } = visit;
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const took = {};
      for (const [name, [run, until]] of Object.entries(acts(round))) {
        took[name] = await measure(page, run, until);
        if (name === 'jobs') {
          await page.waitForSelector('.row:not([hidden])');
          assert.equal(await page.locator('.jobs .bar .num').innerText(), `${JOBS} jobs`);
        }
        if (name === 'back') await page.waitForSelector('.card .body details');
      }
      assert.ok((await page.locator('.row').count()) < 80, 'rows out of sight are in the page');
      rounds.push(took);
    }
    for (const name of Object.keys(rounds[0])) {
      const all = rounds.map((round) => round[name]);
      console.log(`        ${name}: ${figures(all)}`);
      assert.ok(middle(all) < FAR_OFF, `${name} took ${figures(all)}`);
    }
  },
  'of a thousand in the settings few are listed, and each is found': async () => {
    const { page } = visit;
    await visit.go('settings/b-777');
    const nav = page.locator('.settings > nav');
    await nav.locator('[aria-current=page]', { hasText: 'b-777' }).waitFor();
    assert.ok((await nav.locator('a').count()) < 100, 'links far below are in the page');
    await nav.locator('.filter').fill('b-99');
    await page.waitForFunction(() => [...document.querySelectorAll('.settings > nav > div > a')].map(({ dataset }) => dataset.key).join() === 'b-99,b-990,b-991,b-992,b-993,b-994,b-995,b-996,b-997,b-998,b-999');
    await nav.locator('.filter').fill('');
    await visit.accessible('settings of a thousand');
    await visit.picture('settings-thousand');
    await visit.go('overview');
  },
  'a folded part of the tree shows its children as they come near': async () => {
    const { page } = visit;
    await page.locator('.tree details details > summary').click();
    await page.locator('.tree .leaf', { hasText: 'b-99' }).waitFor();
    assert.ok((await page.locator('.tree .leaf').count()) < 400, 'children far below are in the page');
    await page.waitForFunction(() => {
      const aside = document.querySelector('.overview > aside');
      aside.scrollTo(0, aside.scrollHeight);
      return [...document.querySelectorAll('.tree .name')].some(({ textContent }) => textContent === 'b-999');
    });
    await page.locator('.tree details details > summary').click();
    await page.waitForFunction(() => document.querySelectorAll('.tree .leaf').length === 0);
  },
  'a snapshot is sent again only where it changed': async () => {
    const before = stand.snapshots[200];
    stand.snapshots[304] = 0;
    await visit.page.waitForResponse((answer) => answer.url().endsWith('/snapshot') && answer.status() === 304);
    assert.ok(stand.snapshots[304] > 0);
    assert.ok(stand.snapshots[200] - before <= 1, `${stand.snapshots[200] - before} of them were sent`);
  },
  'a snapshot from before an event takes back nothing, and what else it says is shown': async () => {
    const { page } = visit;
    stand.backends[1] = backend('b-1', { queue: { running: 1, pending: 7 } });
    const held = stand.hold('/api/v1/snapshot');
    stand.tell('pool.changed', {});
    await held.asked;
    stand.tell('backend.phase', { backend: 'b-0', phase: 'paused', epoch: 2, reason: null, status: backend('b-0', { phase: 'paused' }) });
    await page.waitForSelector('.card[data-id="b-0"][data-phase=paused]');
    held.release();
    await page.locator('.card[data-id="b-1"] .facts', { hasText: '1 run · 7 wait' }).waitFor();
    assert.equal(await page.locator('.card[data-id="b-0"]').getAttribute('data-phase'), 'paused');
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

const within = (place) => `document.querySelector('${place}')`;
const type = (place, text) => `{ const input = ${within(place)}; input.value = '${text}'; input.dispatchEvent(new Event('input', { bubbles: true })); }`;
const go = (view) => `location.hash = '#/${view}'`;

// What a person does, one after another: a script that does it, and one that says when the page shows it.
const acts = (round) => ({
  filter: [type('.overview .filter', 'b-77'), "document.querySelectorAll('.card').length < 20"],
  all: [type('.overview .filter', ''), "document.querySelectorAll('.card').length > 20"],
  scroll: [`scrollTo(0, ${20_000 * (round + 1)})`, 'scrollY > 0'],
  jobs: [go('jobs'), within('main > .jobs')],
  'jobs filtered': [type('.jobs .filter', '0000077'), "!document.querySelector('.jobs .bar .num').textContent.startsWith('10000 ')"],
  'jobs all': [type('.jobs .filter', ''), "document.querySelector('.jobs .bar .num').textContent.startsWith('10000 ')"],
  down: [`${within('.rows')}.scrollTo(0, ${100_000 * (round + 1)})`, `${within('.rows')}.scrollTop > 0`],
  'a job': [`${within('.row:not([hidden])')}.click()`, within('.jobs[data-chosen=true]')],
  back: [go('overview'), within('main > .overview')],
  details: ["window.details = document.querySelector('.card .body details'); window.before = window.details.open; window.details.firstElementChild.click()", 'window.details.open !== window.before'],
  palette: ["document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))", within('dialog.palette[open]')],
  'palette typed': [type('.palette input', `reconnect b-${round + 100}`), `${within('.palette li')}.textContent.includes('b-${round + 100}')`],
  'palette shut': [`${within('dialog.palette')}.close()`, `!${within('dialog.palette')}`],
  'a backend': [go(`settings/b-${round + 500}`), `${within('main > .settings h2 + .filter ~ div [aria-current]')}?.dataset.key === 'b-${round + 500}'`],
  home: [go('overview'), within('main > .overview')],
});

// From what a person does to the frame that shows it. Nobody acts on what is not drawn yet: what was done before has
// come to rest.
async function measure(page, run, until) {
  return page.evaluate(`(async () => {
    await new Promise((idle) => requestIdleCallback(idle));
    const began = performance.now();
    ${run};
    do await new Promise((drawn) => requestAnimationFrame(drawn)); while (!(${until}));
    await new Promise((drawn) => setTimeout(drawn));
    return performance.now() - began;
  })()`);
}

export const end = async () => {
  await visit?.page.context().close();
  stand?.close();
};
