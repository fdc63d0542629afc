// A job from its start to its outputs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Standin, backend, job } from '../standin.mjs';

export const tests = {
  'its progress and preview are seen, its output is shown and saved': async (house) => {
    const visit = await house.theatre();
    const { page } = visit;
    await visit.act('comfyui', 'job');
    await visit.shut();
    await visit.go('jobs');
    const row = page.locator('.row[data-state=running]').first();
    await row.waitFor();
    await row.click();
    await page.waitForFunction(() => document.querySelector('.jobdetail .preview')?.src.startsWith('blob:'));
    assert.match(await page.locator('.jobdetail').innerText(), /of 8/);
    await page.waitForSelector('.jobdetail[data-state=done]', { timeout: 20_000 });
    const shown = page.locator('.jobdetail .outputs img').first();
    await shown.waitFor();
    assert.ok(await shown.evaluate((img) => img.complete && img.naturalWidth > 0), 'the output is not shown');
    const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.jobdetail .outputs button').first().click()]);
    const bytes = readFileSync(await download.path());
    assert.equal(bytes.subarray(1, 4).toString(), 'PNG');
    assert.match(await page.locator('.timeline').innerText(), /accepted/);
  },
  'text is streamed, and kept': async (house) => {
    const visit = await house.theatre();
    const { page } = visit;
    await visit.go('jobs');
    await visit.act('litellm', 'job');
    await visit.shut();
    const row = page.locator('.row', { hasText: 'litellm' }).first();
    await row.click();
    await page.waitForSelector('.jobdetail[data-state=done]');
    await page.waitForFunction(() => document.querySelector('.jobdetail .streamed').textContent.startsWith('Hello from the mock model'));
  },
  'the list is filtered and walked by keys': async (house) => {
    const { page } = await house.theatre();
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('wan2gp');
    await page.waitForFunction(() => [...document.querySelectorAll('.row:not([hidden])')].every((row) => row.textContent.includes('wan2gp')));
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.waitForSelector('.row[aria-current]');
    await page.locator('.jobs .filter').fill('');
  },
  'no picture was asked for in vain: no error in the console': async (house) => (await house.theatre()).clean(),
  'a large film or sound is played and saved by a ticket, not read into the page': async (house) => {
    const file = { name: 'long.wav', media_type: 'audio/wav', bytes: 50_000_000, sha256: 'ab'.repeat(32), url: '/api/v1/jobs/x/outputs/long.wav' };
    const stand = new Standin({ backends: [backend('b-1')], jobs: [job(1, { outputs: [file], state: 'done' })], media: { 'long.wav': silence() } });
    const visit = await house.visit(await stand.open());
    try {
      const { page } = visit;
      await page.waitForSelector('.card');
      await visit.go('jobs/00000000-0000-4000-8000-000000000001');
      await page.waitForFunction(() => document.querySelector('.outputs audio')?.readyState >= 1);
      assert.match(await page.locator('.outputs audio').evaluate((sound) => sound.currentSrc), /\/outputs\/long\.wav\?ticket=/);
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download long.wav' }).click()]);
      assert.equal(download.suggestedFilename(), 'long.wav');
      assert.equal(readFileSync(await download.path()).length, silence().length);
      assert.ok(stand.tickets.length >= 2 && stand.tickets.every(({ bearer }) => bearer), 'a ticket is given for the token');
      assert.ok(stand.played.length >= 2 && stand.played.every(({ bearer }) => !bearer), 'the file itself is read without it');
      visit.clean();
    } finally {
      await visit.page.context().close();
      stand.close();
    }
  },
};

// A tenth of a second of nothing, as a WAV file.
function silence() {
  const samples = Buffer.alloc(1600);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, 8000, 4], [28, 16_000, 4], [32, 2, 2], [34, 16, 2]].forEach(([at, value, size]) => head.writeUIntLE(value, at, size));
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}
