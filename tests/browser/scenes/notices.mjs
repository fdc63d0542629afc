// A notice is raised, grouped, copied and cleared.
import assert from 'node:assert/strict';

export const tests = {
  'raised once for many attempts, copied, cleared by itself': async (house) => {
    const { visit } = await house.instance();
    const stage = await house.theatre();
    const { page } = visit;
    await visit.go('notices');
    await stage.act('comfyui', 'kill');
    const notice = page.locator('.noticelist').first().locator('.notice', { hasText: /listening/ }).filter({ hasText: 'comfyui' });
    await notice.waitFor({ timeout: 30_000 });
    assert.equal(await notice.count(), 1, 'one cause at one backend is one notice');
    await page.waitForFunction(() => [...document.querySelectorAll('.notice header .num')].some((node) => /\d+ times/.test(node.textContent)), null, { timeout: 45_000 });
    assert.ok((await page.locator('.toast').count()) <= 3);
    assert.match(await page.locator('.tool .count').innerText(), /\d/);
    await notice.getByRole('button', { name: 'Copy as text' }).click();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(text, /What to do: /);
    assert.match(text, /connection_refused/);
    await notice.getByRole('button', { name: 'Copy as JSON' }).click();
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
    assert.equal(copied.backend, 'comfyui');
    await visit.accessible('open notices');
    await stage.act('comfyui', 'start');
    await notice.waitFor({ state: 'detached', timeout: 30_000 });
    await page.locator('.history .notice', { hasText: 'over since' }).first().waitFor();
    await stage.shut();
  },
  'its cause has a page': async (house) => {
    const { visit } = await house.instance();
    const href = await visit.page.locator('.notice a').first().evaluate((link) => link.href);
    const answer = await visit.page.request.get(href);
    assert.equal(answer.status(), 200);
    assert.match(await answer.text(), /listening|cause/i);
  },
};
