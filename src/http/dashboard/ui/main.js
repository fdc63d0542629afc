// Where the page begins.
import { known as loggedIn } from './api.js';
import * as charts from './charts.js';
import * as demo from './demo.js';
import * as jobs from './jobs.js';
import * as keys from './keys.js';
import * as live from './live.js';
import * as login from './login.js';
import * as notices from './notices.js';
import * as overview from './overview.js';
import { learn } from './rights.js';
import * as settings from './settings.js';
import * as shell from './shell.js';
import { known, on } from './store.js';
import * as stream from './stream.js';
import * as toasts from './toasts.js';
import * as views from './views.js';

let why = '';
let asking = null;

function start() {
  document.body.classList.remove('out');
  asking = null;
  learn();
  stream.run();
}

function ask(reason) {
  document.body.classList.add('out');
  asking ??= login.ask(reason, start);
}

async function enter() {
  try {
    await login.byAddress();
  } catch (cause) {
    why = cause.message;
  }
  if (loggedIn()) {
    asking?.remove();
    start();
  } else ask(why);
}

shell.mount(document.body);
for (const [name, view] of Object.entries({ overview, jobs, charts, notices, settings })) views.define(name, view.make);
views.mount(document.body);
toasts.mount(document.body);
live.mount(document.body);
keys.listen();
demo.mount(document.body);
on('link', () => known.link.state === 'denied' && ask('You are logged out.'));
// A fresh address in the same tab.
addEventListener('hashchange', () => location.hash && !location.hash.startsWith('#/') && enter());
enter();
