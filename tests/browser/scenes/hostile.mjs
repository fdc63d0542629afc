// Names and texts of a hostile backend are shown as text, wherever they come up.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Standin, backend, job } from '../standin.mjs';

const EVIL = [
  '<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '<svg onload=alert(1)>', '"><iframe src=javascript:alert(1)>', '`<b>x</b>`', '\u202etxt.exe', '\u001b[31mred\u001b]52;c;AAAA\u0007', "'-alert(1)-'",
  `long${'g'.repeat(200_000)}`,
];

let stand;
let visit;

function world() {
  const backends = EVIL.map((text, n) => backend(`evil-${n}`, { version: text, title: text, url: `http://127.0.0.1:1/${text.slice(0, 400)}`, models: [text], functions: [text], capabilities: [text.slice(0, 2000)], phase: 'waiting', health: 'unknown', reason: text, next_attempt_at: new Date(Date.now() + 9000).toISOString(), last_error: { code: 'protocol', class: 'protocol', message: text, fix: text, at: new Date().toISOString() } }));
  const jobs = EVIL.map((text, n) => job(n, { target: text, routed: text, state: 'failed', error: { code: 'x', message: text, fix: text }, progress: { value: 1, max: 2, node: text, message: text }, outputs: [{ name: text.slice(0, 300), media_type: 'image/svg+xml', bytes: 1, sha256: 'ab'.repeat(32), url: 'javascript:alert(1)' }], result: { data: [text] }, timeline: [{ at: new Date().toISOString(), state: 'failed', evidence: text }] }));
  const notices = EVIL.map((text, n) => ({ id: `n${n}`, code: 'protocol', severity: 'error', backend: `evil-${n}`, title: text, message: text, fix: text, count: 2, first_at: new Date().toISOString(), last_at: new Date().toISOString(), cleared_at: null, detail: text, hidden: null }));
  return { backends, jobs, notices };
}

// Nothing of it became an element, and no attribute runs anything.
const alive = () => document.querySelectorAll('body script, iframe, img[src=x], [onerror], [onload], a[href^="javascript:"]').length;

export const tests = {
  'cards, tree, jobs and notices show it as text': async (house) => {
    stand = new Standin(world());
    visit = await house.visit(await stand.open());
    const { page } = visit;
    await page.waitForSelector('.card[data-id=evil-0] .say');
    assert.match(await page.locator('.card[data-id=evil-0] .say').innerText(), /<script>alert\(1\)<\/script>/);
    await page.evaluate(() => document.querySelectorAll('.card details').forEach((node) => { node.open = true; }));
    await page.waitForFunction(() => [...document.querySelectorAll('.card details[open] .inside')].every((inside) => inside.childNodes.length > 0));
    assert.equal(await page.evaluate(alive), 0);
    await visit.fits('overview');
    await visit.go('jobs/00000000-0000-4000-8000-000000000001');
    await page.waitForSelector('.jobdetail .say');
    assert.match(await page.locator('.jobdetail').innerText(), /<img src=x onerror=alert\(1\)>/);
    assert.equal(await page.evaluate(alive), 0);
    await visit.go('notices');
    await page.waitForSelector('.notice');
    assert.match(await page.locator('.noticelist').first().innerText(), /<svg onload=alert\(1\)>/);
    assert.equal(await page.evaluate(alive), 0);
    await visit.fits('notices');
  },
  'no other page may frame it': async (house) => {
    const { first } = await house.demo();
    const answer = await visit.page.request.get(new URL(first).origin);
    const policy = answer.headers()['content-security-policy'];
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) assert.ok(policy.includes(part), `${part} is missing in ${policy}`);
    assert.equal(answer.headers()['x-frame-options'], 'DENY');
  },
  'a page of another port gets neither a frame of it nor an answer, sandboxed or not': async (house) => {
    const { first } = await house.demo();
    const { origin } = new URL(first);
    const ask = `fetch('${origin}/api/v1/snapshot').then(() => parent.postMessage('in', '*'), () => parent.postMessage('out', '*'))`;
    const page = `<!doctype html><iframe src="${origin}/"></iframe><iframe sandbox="allow-scripts" srcdoc="<script>${ask.replaceAll('"', '&quot;')}</script>"></iframe><script>let said = []; addEventListener('message', (e) => { said.push(e.data); }); fetch('${origin}/api/v1/snapshot').then(() => said.push('in'), () => said.push('out')); setInterval(() => { document.title = said.join(' '); }, 50);</script>`;
    const server = createServer((_, answer) => {
      answer.setHeader('content-type', 'text/html');
      answer.end(page);
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const context = await house.browser.newContext();
    try {
      const stranger = await context.newPage();
      await stranger.goto(`http://127.0.0.1:${server.address().port}/`);
      await stranger.waitForFunction(() => document.title.split(' ').length === 2);
      assert.equal(await stranger.title(), 'out out');
      assert.ok(stranger.frames().some((frame) => frame.url().startsWith('chrome-error:')), 'the dashboard lets itself be framed');
    } finally {
      await context.close();
      server.close();
    }
  },
  'no dialog, no error, nothing off the origin': async () => visit.clean(),
};

export const end = async () => {
  await visit?.page.context().close();
  stand?.close();
};
