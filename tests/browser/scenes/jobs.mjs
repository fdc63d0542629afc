// A job from its start to its outputs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

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
};
