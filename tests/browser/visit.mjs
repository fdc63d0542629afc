// A page that is watched: what it logs, what it asks for, and what the rules of accessibility find.
import assert from 'node:assert/strict';

const PATIENCE = 15_000;

export class Visit {
  static async to(house, address, { width = 1440, height = 900, scheme = 'dark', motion = 'no-preference' } = {}) {
    const context = await house.browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: motion, acceptDownloads: true, permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const visit = new Visit();
    Object.assign(visit, { house, page, origin: new URL(address).origin, errors: [], strangers: [], away: false });
    page.on('console', (message) => message.type() === 'error' && !visit.away && visit.errors.push(message.text()));
    page.on('pageerror', (error) => visit.errors.push(String(error.stack ?? error)));
    page.on('dialog', (dialog) => {
      visit.errors.push(`a dialog of a script: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(`${visit.origin}/`) && !url.startsWith(`blob:${visit.origin}/`)) visit.strangers.push(url);
    });
    await page.goto(address);
    return visit;
  }

  go(view) {
    return this.page.evaluate((to) => {
      location.hash = `#/${to}`;
    }, view);
  }

  // What was asked of the page is drawn, and nothing that ends by itself is on its way.
  settled() {
    return this.page.evaluate(async () => {
      const frame = () => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
      await frame();
      await Promise.allSettled(document.getAnimations().filter(({ effect }) => Number.isFinite(effect.getComputedTiming().endTime)).map(({ finished }) => finished));
      await frame();
    });
  }

  card(id) {
    return this.page.locator(`.card[data-id="${id}"]`);
  }

  // The demo's drawer, by its own buttons.
  async act(id, act) {
    const handle = this.page.locator('.handle');
    if ((await handle.getAttribute('aria-expanded')) !== 'true') await handle.click();
    await this.page.locator(`.drawer li[data-id="${id}"] [data-act="${act}"]`).click();
  }

  async shut() {
    const handle = this.page.locator('.handle');
    if ((await handle.getAttribute('aria-expanded')) === 'true') await this.page.getByRole('button', { name: 'Close the drawer' }).click();
  }

  // Nothing went wrong in the page, and nothing left its origin.
  clean() {
    assert.deepEqual(this.errors, [], 'the console has errors');
    assert.deepEqual(this.strangers, [], 'requests left the origin');
  }

  async accessible(where) {
    await this.page.evaluate(this.house.axe);
    const found = await this.page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
    const told = serious.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 4).map(({ target, failureSummary }) => `${target.join(' ')} (${failureSummary?.split('\n').slice(1).join(' ').trim()})`).join('; ')}`);
    assert.deepEqual(told, [], `axe, ${where}`);
  }

  picture(name, fullPage = false) {
    return this.page.screenshot({ path: `${this.house.pictures}/${name}.png`, fullPage });
  }

  // The page is no wider than its window: nothing to scroll sideways.
  async fits(where) {
    const [width, room] = await this.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(width <= room, `${where}: ${width} px of content in ${room} px`);
  }
}
