// How it looks and whom it serves: both themes, three widths, the rules of accessibility, the keyboard.
import assert from 'node:assert/strict';

const VIEWS = ['overview', 'jobs', 'charts', 'notices'];
const SIZES = [['wide', 1440, 900], ['narrow', 360, 760], ['wall', 2560, 1440]];

// What of a row of the list is cut off at its end.
const beyond = () => [...document.querySelectorAll('.row:not([hidden]) > *')].filter((part) => part.getBoundingClientRect().right > part.parentElement.getBoundingClientRect().right).map((part) => part.textContent);

export const tests = {
  'pictures of every view in both themes, and nothing sticks out': async (house) => {
    const visit = await house.theatre();
    const { page } = visit;
    for (const view of VIEWS) {
      await visit.go(view);
      for (const scheme of ['dark', 'light']) {
        await page.emulateMedia({ colorScheme: scheme });
        for (const [name, width, height] of SIZES) {
          if (name === 'wall' && view !== 'overview') continue;
          await page.setViewportSize({ width, height });
          await visit.settled();
          await visit.fits(`${view} ${name}`);
          if (view === 'jobs') assert.deepEqual(await page.evaluate(beyond), [], `jobs ${name}: it sticks out of its row`);
          await visit.picture(`${view}-${scheme}-${name}`);
        }
      }
    }
    await page.setViewportSize({ width: 1440, height: 900 });
  },
  'axe finds nothing serious': async (house) => {
    const visit = await house.theatre();
    const { page } = visit;
    for (const scheme of ['dark', 'light']) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const view of VIEWS) {
        await visit.go(view);
        await visit.settled();
        await visit.accessible(`${view}, ${scheme}`);
      }
    }
    await visit.go('overview');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await visit.accessible('help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.waitForSelector('dialog.palette[open]');
    await visit.accessible('palette');
    await page.keyboard.press('Escape');
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'no-preference' });
  },
  'everything goes by the keyboard': async (house) => {
    const visit = await house.theatre();
    const { page } = visit;
    await visit.go('overview');
    await page.locator('.card[data-id=comfyui]').waitFor();
    await page.locator('#main').focus();
    await page.keyboard.press('j');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.id), 'comfyui');
    await page.keyboard.press('j');
    assert.equal(await page.evaluate(() => document.activeElement.dataset.id), 'wan2gp');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.card[data-id=wan2gp] details[open]');
    await page.keyboard.press('Enter');
    await page.keyboard.press('r');
    await page.waitForSelector('.toast');
    await page.keyboard.press('k');
    await page.keyboard.press('t');
    await page.waitForSelector('.stages li');
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    await page.keyboard.type('litellm');
    await page.waitForFunction(() => document.querySelectorAll('.card:not([hidden])').length === 1);
    await page.locator('.overview .filter').fill('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('n');
    await page.waitForSelector('.notices');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('go to charts');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.charts');
    await page.keyboard.press('1');
    await page.waitForSelector('.overview');
  },
  'nothing moves when a state changes': async (house) => {
    const visit = await house.theatre();
    const { page } = visit;
    await visit.go('overview');
    const places = () => page.evaluate(() => [...document.querySelectorAll('.card')].map((card) => {
      const { top, left, height } = card.getBoundingClientRect();
      return [card.dataset.id, Math.round(top), Math.round(left), Math.round(height)].join(' ');
    }));
    // The strip of notices over the cards grows with them: what it takes is looked at from the cards' own top.
    await visit.settled();
    const before = await places();
    await visit.act('wan2gp', 'hang');
    await visit.act('wan2gp', 'heal');
    await visit.act('wan2gp', 'kill');
    await page.waitForSelector('.card[data-id=wan2gp]:not([data-phase=ready])');
    const heights = (list) => list.map((one) => one.split(' ').at(-1));
    assert.deepEqual(heights(await places()), heights(before));
    await visit.act('wan2gp', 'start');
    await page.waitForSelector('.card[data-id=wan2gp][data-phase=ready]');
    await visit.shut();
  },
  'no error, nothing off the origin': async (house) => (await house.theatre()).clean(),
};
