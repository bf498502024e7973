import { type Html, html } from './html.ts';
import { IN_IMAGE } from './image-command.ts';
import { headlineOf, levelOf, type PartName, type Parts } from './render-parts.ts';
import type { Status } from './status.ts';

/** The whole page as it is now. Without scripts it is read as it stands; with them it is kept up to date. */
export function renderPage(status: Status, parts: Parts, fingerprint: string): string {
  const section = (name: PartName, title: string, extra: Html | null = null): Html =>
    html`<section><h2>${title}</h2>${extra}<div data-part="${name}">${parts[name]}</div></section>`;
  return html`<!doctype html>
<html lang="en" data-level="${levelOf(status)}">
<head>
<meta charset="utf-8">
<title>${headlineOf(status)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/status.css">
<link rel="stylesheet" href="/status-phone.css">
<script type="module" src="/status.js"></script>
</head>
<body>
<header>
<p class="name">cognito-auth-proxy</p>
<p class="live"><span id="live">as of ${new Date(status.time).toISOString().slice(11, 19)} UTC</span> <button id="pause" type="button" hidden>Pause</button></p>
</header>
<main>
<div id="headline" data-part="headline">${parts.headline}</div>
${section('traffic', 'The last minute, and the last hour')}
${section(
  'routes',
  'Routes',
  html`<form id="search" class="search" role="search" hidden><input type="search" name="search" aria-label="Search routes" placeholder="Search id, path, upstream or code" autocomplete="off" spellcheck="false"><label><input type="radio" name="order" value="requests" checked>most requests</label><label><input type="radio" name="order" value="refusals">most refusals</label></form>`,
)}
${section('upstreams', 'Upstreams')}
${section('pools', 'Cognito keys')}
${section('credentials', 'Signing')}
${section('limits', 'Limits')}
<section><h2>Why is a request refused?</h2>
<form id="explain" class="explain" hidden>
<label>Request line<input name="request" placeholder="GET /posts" required autocomplete="off" autocapitalize="off" spellcheck="false"></label>
<label>Token<textarea name="token" rows="4" placeholder="eyJraWQi…" autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label>
<details><summary>An ID token is sent beside it</summary><label>ID token<textarea name="idToken" rows="3" autocomplete="off" autocapitalize="off" spellcheck="false"></textarea></label></details>
<p><button type="submit">Explain</button> <span class="quiet">What is pasted here goes to this proxy and nowhere else, and is not kept. The request is not sent; the token's signature is not checked.</span></p>
<output id="explanation" aria-live="polite"></output>
</form>
<noscript><p class="quiet">Explaining a request takes scripts; <code>cognito-auth-proxy explain</code> does the same in a terminal; in the image: <code>kubectl exec ... -- ${IN_IMAGE} explain</code>.</p></noscript>
</section>
<section><h2>Configuration</h2><div data-part="reloads">${parts.reloads}</div>
<p class="quiet">Fingerprint <code id="fingerprint">${fingerprint}</code>, the same wherever the same configuration is in force.</p>
<details id="configuration"><summary>As it is in force, defaults included, secrets left out</summary><pre></pre></details>
<noscript><p><a href="/configuration">As it is in force</a></p></noscript>
</section>
</main>
<footer><p class="quiet">Times are in UTC, as in the log. The same figures for Prometheus are at <a href="/metrics">/metrics</a>.</p></footer>
</body>
</html>
`.text;
}
