// The dashboard in a real browser, over real processes. The last line is `N passed, N failed`.
//
//   node tests/browser/run.mjs BINARY MODULES PICTURES [SCENE…]
//
// BINARY is `backline`, MODULES a node_modules with what package.json names, PICTURES a folder for screenshots.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { House } from './house.mjs';
import * as crowd from './scenes/crowd.mjs';
import * as first from './scenes/first.mjs';
import * as healing from './scenes/healing.mjs';
import * as hostile from './scenes/hostile.mjs';
import * as jobs from './scenes/jobs.mjs';
import * as looks from './scenes/looks.mjs';
import * as notices from './scenes/notices.mjs';
import * as settings from './scenes/settings.mjs';
import * as again from './scenes/again.mjs';

const [binary, modules, pictures, ...only] = process.argv.slice(2);
const require = createRequire(path.join(path.resolve(modules), 'x.js'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
mkdirSync(pictures, { recursive: true });

const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--enable-precise-memory-info'];
const SCENES = { first, healing, jobs, looks, notices, settings, again, hostile, crowd };
const LIMIT = 60_000;

const browser = await chromium.launch({ executablePath: process.env.BACKLINE_CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
const house = new House({ binary: path.resolve(binary), browser, axe, pictures: path.resolve(pictures) });
let passed = 0;
let failed = 0;

async function within(run) {
  let timer;
  const late = new Promise((_, no) => {
    timer = setTimeout(() => no(new Error(`not done within ${LIMIT / 1000} s`)), LIMIT);
  });
  try {
    await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const began = performance.now();
for (const [name, scene] of Object.entries(SCENES)) {
  if (only.length && !only.includes(name)) continue;
  for (const [what, run] of Object.entries(scene.tests)) {
    const start = performance.now();
    const title = `${name}: ${what}`;
    try {
      await within(() => run(house));
      passed += 1;
      console.log(`     ok ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (cause) {
      failed += 1;
      console.log(` FAILED ${title}\n        ${String(cause.stack ?? cause).replaceAll('\n', '\n        ')}`);
      await house.capture(`failed-${name}-${passed + failed}`);
    }
  }
  await scene.end?.(house);
}
await house.close();
await browser.close();
console.log(`        took ${((performance.now() - began) / 1000).toFixed(1)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
