// One clock for every age and countdown of the page; it stands still while the tab is hidden.
const runs = new Set();

export function tick(run) {
  runs.add(run);
  return () => runs.delete(run);
}

setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  runs.forEach((run) => run(now));
}, 500);
