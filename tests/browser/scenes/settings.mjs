// The configuration: test, add, edit, undo, export, import, and what the environment holds fast.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { READER } from '../house.mjs';

const field = (page, path) => page.locator(`.field[data-path="${path}"]`);

async function open(page, path) {
  await page.evaluate((wanted) => {
    for (let node = document.querySelector(`.field[data-path="${wanted}"]`); node; node = node.parentElement) if (node.tagName === 'DETAILS') node.open = true;
  }, path);
}

async function apply(page) {
  await page.getByRole('button', { name: 'Preview and apply' }).first().click();
  await page.waitForSelector('dialog .diff li');
  await page.locator('dialog').getByRole('button', { name: 'Apply', exact: true }).click();
  await page.waitForSelector('dialog', { state: 'detached' });
}

export const tests = {
  'a wrong value is told beside its field, a right one is shown before it counts': async (house) => {
    const { visit } = await house.instance();
    const { page } = visit;
    await visit.go('settings/comfyui');
    const path = 'backends.comfyui.probe.interval';
    await field(page, path).waitFor({ state: 'attached' });
    await open(page, path);
    const input = field(page, path).locator('input');
    await input.fill('soon');
    assert.match(await field(page, path).locator('.wrong').innerText(), /Expected a duration/);
    await input.fill('99h');
    await page.getByRole('button', { name: 'Preview and apply' }).click();
    await page.waitForFunction((wanted) => /range/.test(document.querySelector(`.field[data-path="${wanted}"] .wrong`).textContent), path);
    await input.fill('3s');
    await visit.picture('settings-dark-wide');
    await apply(page);
    await page.waitForFunction((wanted) => document.querySelector(`.field[data-path="${wanted}"] .badge`)?.dataset.from === 'api', path);
    assert.match(await field(page, path).locator('.badge').first().innerText(), /edited here/);
    await visit.accessible('settings');
  },
  'what the environment sets is locked, and says by which variable': async (house) => {
    const { visit } = await house.instance();
    const { page } = visit;
    await visit.go('settings/wan2gp');
    const locked = field(page, 'backends.wan2gp.enabled');
    await locked.waitFor();
    assert.ok(await locked.locator('input').isDisabled());
    assert.match(await locked.innerText(), /BACKLINE_WAN2GP_ENABLED/);
  },
  'an edit is undone': async (house) => {
    const { visit } = await house.instance();
    const { page } = visit;
    await visit.go('settings/files');
    await page.getByRole('button', { name: /^Undo/ }).click();
    await page.locator('.toast', { hasText: 'Undone' }).waitFor();
    await visit.go('settings/comfyui');
    await page.waitForFunction(() => document.querySelector('.field[data-path="backends.comfyui.probe.interval"] .badge')?.dataset.from === 'default');
  },
  'a candidate is tested within two seconds, then added, then removed': async (house) => {
    const { visit, urls } = await house.instance();
    const { page } = visit;
    await visit.go('settings/+');
    const put = async (name, value) => field(page, `backends.new.${name}`).locator('input').fill(value);
    await page.waitForSelector('#new-id');
    await field(page, 'backends.new.kind').locator('select').selectOption('gradio');
    await put('url', urls.wan2gp);
    await page.locator('#new-id').fill('second');
    const began = Date.now();
    await page.getByRole('button', { name: 'Test', exact: true }).click();
    await page.waitForSelector('.tested .verdict');
    const took = Date.now() - began;
    console.log(`        the staged test of a candidate: ${took} ms`);
    assert.ok((await page.locator('.stages li').count()) >= 3);
    assert.match(await page.locator('.stages').innerText(), /ms/);
    await apply(page);
    await visit.go('overview');
    await page.waitForSelector('.card[data-id=second]');
    await visit.go('settings/second');
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Remove' }).click();
    await visit.go('overview');
    await page.waitForSelector('.card[data-id=second]', { state: 'detached', timeout: 30_000 });
  },
  'what runs is found and adopted, and who says nothing in time is named': async (house) => {
    const { visit, urls } = await house.instance();
    const { page } = visit;
    // It takes connections, and never says a word.
    const mute = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const ports = [urls.comfyui, urls.litellm].map((url) => new URL(url).port);
    await visit.go('settings/files');
    await page.getByRole('button', { name: 'Discover' }).click();
    const dialog = page.locator('dialog');
    await dialog.getByLabel('Ports').fill([...ports, mute.address().port].join(', '));
    const finds = dialog.locator('.finds');
    await finds.getByText(/looked at in/).waitFor();
    await dialog.getByRole('button', { name: 'Look' }).click();
    await finds.getByText('3 ports looked at').waitFor();
    await finds.locator('li', { hasText: urls.comfyui }).getByText('is comfyui').waitFor();
    assert.match(await finds.locator('li', { hasText: `:${mute.address().port}` }).innerText(), /starting, or hang/);
    await visit.picture('discover');
    await finds.locator('li', { hasText: urls.litellm }).getByRole('button', { name: 'Adopt' }).click();
    await finds.getByText('added').waitFor();
    mute.close();
    await page.keyboard.press('Escape');
    await visit.go('overview');
    await page.waitForSelector('.card[data-id=litellm]');
    await visit.go('settings/litellm');
    await page.getByRole('button', { name: 'Remove' }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await visit.go('overview');
    await page.waitForSelector('.card[data-id=litellm]', { state: 'detached', timeout: 30_000 });
  },
  'exported, imported, and taken back': async (house) => {
    const { visit } = await house.instance();
    const { page } = visit;
    await visit.go('settings/files');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export' }).click()]);
    const text = readFileSync(await download.path(), 'utf8');
    assert.match(text, /"comfyui"/);
    await page.locator('textarea.file').fill('(version: 1, backends: { "x y": (kind: nothing) })');
    await page.getByRole('button', { name: 'Preview and apply' }).click();
    await page.waitForSelector('.problems li');
    await page.locator('textarea.file').fill(text.replace('required: true', 'required: false'));
    await apply(page);
    await page.waitForSelector('.toast');
    await visit.go('overview');
    await page.waitForFunction(() => !document.querySelector('.card[data-id=comfyui] .chip.strong'));
    await visit.go('settings/files');
    await page.getByRole('button', { name: /^Undo/ }).click();
    await visit.go('overview');
    await page.waitForSelector('.card[data-id=comfyui] .chip.strong');
  },
  'what counts is saved as a preset, replaced and erased': async (house) => {
    const { visit } = await house.instance();
    const { page } = visit;
    await visit.go('settings/files');
    const name = page.getByLabel('Name of a preset');
    const saved = page.locator('.presets li', { hasText: 'of-the-test' });
    const save = async () => {
      await name.fill('of-the-test');
      await page.getByRole('button', { name: 'Save what counts now' }).click();
    };
    await save();
    await saved.waitFor();
    await page.getByRole('button', { name: 'Look at of-the-test' }).click();
    assert.match(await page.locator('dialog pre').innerText(), /"comfyui"/);
    await page.keyboard.press('Escape');
    await save();
    await page.locator('dialog').getByRole('button', { name: 'Replace' }).click();
    await page.waitForFunction(() => document.querySelector('[aria-label="Name of a preset"]').value === '');
    await visit.picture('presets-dark-wide', true);
    await visit.accessible('presets');
    await page.getByRole('button', { name: 'Erase of-the-test' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Erase' }).click();
    await saved.waitFor({ state: 'detached' });
    // The browser logs the refusal.
    visit.away = true;
    await name.fill('two-gpus');
    await page.getByRole('button', { name: 'Save what counts now' }).click();
    await page.locator('.toast', { hasText: 'is a name of Backline' }).waitFor();
    visit.away = false;
  },
  'who may only look is told so, and every deed is disabled': async (house) => {
    const { listen } = await house.instance();
    const reader = await house.visit(`http://${listen}/`);
    const { page } = reader;
    // The browser logs that the token is no one-time code.
    reader.away = true;
    await page.locator('.login input').fill(READER);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.locator('.top .looks').waitFor();
    reader.away = false;
    const card = reader.card('comfyui');
    for (const name of ['Check', 'Test', 'Reconnect', 'Pause', 'Cordon', 'Disable']) assert.ok(await card.getByRole('button', { name, exact: true }).isDisabled(), name);
    assert.ok(await card.getByRole('button', { name: 'Edit' }).isEnabled());
    await reader.go('settings/comfyui');
    assert.ok(await page.getByRole('button', { name: 'Remove' }).isDisabled());
    const path = 'backends.comfyui.probe.interval';
    await field(page, path).waitFor({ state: 'attached' });
    await open(page, path);
    await field(page, path).locator('input').fill('4s');
    assert.ok(await page.getByRole('button', { name: 'Preview and apply' }).first().isDisabled());
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('Pause comfyui');
    await page.waitForFunction(() => document.querySelectorAll('.palette li').length === 0);
    await page.keyboard.press('Escape');
    await reader.go('overview');
    await reader.settled();
    await reader.accessible('read-only');
    await reader.picture('read-only-dark-wide');
    reader.clean();
    await page.context().close();
  },
};
