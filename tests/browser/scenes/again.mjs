// The server is gone, and comes back: the page says so, and goes on by itself, still logged in.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

// Whether the API says that it keeps sessions.
async function kept({ state, listen }) {
  const { token } = JSON.parse(readFileSync(`${state}/instance.json`, 'utf8'));
  const answer = await fetch(`http://${listen}/api/v1/openapi.json`, { headers: { authorization: `Bearer ${token}` } });
  return '/api/v1/sessions' in (await answer.json()).paths;
}

export const tests = {
  'it says that contact is lost, and comes back by itself, still logged in': async (house) => {
    const { visit, program, listen, state } = await house.instance();
    const { page } = visit;
    visit.clean();
    await visit.go('overview');
    await page.evaluate(() => {
      window.mark = 'the same page';
    });
    // While nothing listens, the browser itself logs each refused request.
    visit.away = true;
    await program.stop();
    await page.waitForFunction(() => /lost contact \d+ s ago/.test(document.querySelector('.fresh').textContent));
    assert.ok(await page.evaluate(() => document.documentElement.classList.contains('stale')));
    await house.start(listen);
    if (!(await kept({ state, listen }))) {
      console.log('   SKIP: again: this build keeps no session over a restart');
      return;
    }
    await page.waitForSelector('.fresh[data-tone=good]', { timeout: 30_000 });
    await page.waitForSelector('.card[data-id=comfyui][data-phase=ready]');
    assert.equal(await page.evaluate(() => window.mark), 'the same page', 'it was reloaded');
    assert.equal(await page.locator('.login').count(), 0, 'it was logged out');
    visit.away = false;
    // It asks again by itself, with the session that it had.
    await page.waitForResponse((answer) => answer.url().endsWith('/api/v1/snapshot') && answer.ok());
    visit.clean();
  },
};
