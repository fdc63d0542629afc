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
  'it is left by one button, and the session is over': async () => {
    const { page } = visit;
    const token = await page.evaluate(() => sessionStorage.getItem('backline'));
    const asked = () => fetch(`${visit.origin}/api/v1/snapshot`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal((await asked()).status, 200);
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForSelector('.login');
    assert.match(await page.locator('.login').innerText(), /logged out/);
    assert.equal(await page.locator('.card:visible').count(), 0, 'what it showed is still there');
    assert.equal(await page.evaluate(() => sessionStorage.getItem('backline')), null);
    assert.equal((await asked()).status, 401);
  },
};

export const end = async () => visit?.page.context().close();
