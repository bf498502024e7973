// Keeps the page up to date. What it shows is made by the server; what is pasted into the form is sent to the server's
// own /explain and kept nowhere.

const at = (id) => document.getElementById(id);
const live = at('live');
const pause = at('pause');
const search = at('search');
const explain = at('explain');

/** Milliseconds before a page that was turned away tries again. */
const RETRY = 5_000;

let events;
let paused = false;

/** Replaces a part, unless somebody is just selecting text in it. */
function show(name, markup) {
  const part = document.querySelector(`[data-part="${name}"]`);
  const selection = document.getSelection();
  const selecting = selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
  if (part !== null && !selecting && part.innerHTML !== markup) part.innerHTML = markup;
}

function showIcon(level) {
  const colour = { ok: '%231a7f4b', warning: '%23b7791f', fault: '%23c0272d' }[level];
  const image = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='6' fill='${colour}'/></svg>`;
  document.querySelector('link[rel=icon]').href = `data:image/svg+xml,${image}`;
}

function follow() {
  events = new EventSource('/events');
  events.addEventListener('status', ({ data }) => {
    const { time, level, headline, fingerprint, parts } = JSON.parse(data);
    document.title = headline;
    if (document.documentElement.dataset.level !== level) showIcon(level);
    document.documentElement.dataset.level = level;
    document.documentElement.dataset.live = 'yes';
    live.textContent = `live, ${time} UTC`;
    at('fingerprint').textContent = fingerprint;
    for (const [name, markup] of Object.entries(parts)) {
      if (name !== 'routes' || !searching()) show(name, markup);
    }
    if (searching()) findRoutes();
  });
  events.addEventListener('error', () => {
    document.documentElement.dataset.live = 'no';
    live.textContent = 'not connected: what is shown is old';
    // The browser itself comes back to a server that went away, but not to one that said no.
    if (events.readyState === EventSource.CLOSED && !paused) setTimeout(follow, RETRY);
  });
}

pause.hidden = false;
pause.addEventListener('click', () => {
  paused = !paused;
  pause.textContent = paused ? 'Resume' : 'Pause';
  events.close();
  if (paused) live.textContent = 'paused';
  else follow();
});

const searching = () => search.elements.search.value !== '' || search.elements.order.value !== 'requests';
let asked = 0;

/** Asks for the routes that are searched for; an answer that was overtaken by another is thrown away. */
async function findRoutes() {
  asked += 1;
  const question = asked;
  const query = new URLSearchParams(new FormData(search));
  const answer = await fetch(`/status/routes?${query}`).catch(() => null);
  if (answer?.ok && question === asked) show('routes', await answer.text());
}

search.hidden = false;
search.addEventListener('input', findRoutes);
search.addEventListener('submit', (event) => event.preventDefault());

explain.hidden = false;
explain.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { request, token, idToken } = explain.elements;
  const asking = { request: request.value, token: token.value, idToken: idToken.value };
  const answer = await fetch('/explain', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/plain' },
    body: JSON.stringify(asking),
  }).catch(() => null);
  const text = answer === null ? 'not connected' : await answer.text();
  const lines = text.trimEnd().split('\n').map(renderLine);
  at('explanation').replaceChildren(...lines);
});

/** A line of the explanation, coloured by what it says. */
function renderLine(line) {
  const element = document.createElement('span');
  element.textContent = `${line}\n`;
  const [, sign] = /^(?:condition|)\s+([+-]) /.exec(line) ?? [];
  if (sign !== undefined) element.className = sign === '+' ? 'holds' : 'fails';
  if (line.startsWith('outcome'))
    element.className = /^outcome +\d/.test(line) ? 'outcome fails' : 'outcome holds';
  return element;
}

const configuration = at('configuration');
configuration.addEventListener('toggle', async () => {
  if (!configuration.open) return;
  const answer = await fetch('/configuration').catch(() => null);
  configuration.querySelector('pre').textContent = answer?.ok ? await answer.text() : 'not connected';
});

showIcon(document.documentElement.dataset.level);
follow();
