// The first visit, by the address that is printed.
import assert from 'node:assert/strict';

let visit;

export const tests = {
  'the printed address opens a live page, once': async (house) => {
    const { first } = await house.demo();
    visit = await house.visit(first);
    await visit.page.waitForSelector('.card[data-id=comfyui]');
    await visit.page.waitForSelector('.fresh[data-tone=good]');
    assert.equal(new URL(visit.page.url()).hash.startsWith('#/') || new URL(visit.page.url()).hash === '', true, 'the code is still in the address');
    const again = await house.browser.newContext();
    const page = await again.newPage();
    await page.goto(first);
    await page.waitForSelector('.login');
    assert.match(await page.locator('.login').innerText(), /used already|too old/);
    await again.close();
  },
  'a reload stays logged in': async () => {
    await visit.page.reload();
    await visit.page.waitForSelector('.card[data-id=comfyui]');
    await visit.page.waitForSelector('.fresh[data-tone=good]');
  },
  'no error, nothing off the origin': async () => visit.clean(),
};

export const end = async () => visit?.page.context().close();
