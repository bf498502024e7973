#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read, so that they can say what is needed instead of failing to parse.
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = manifest.engines.node.replace(/^>=/, '');

function isOlder(version, than) {
  const [ours, theirs] = [version, than].map((text) => text.split('.').map(Number));
  const at = ours.findIndex((part, index) => part !== theirs[index]);
  return at !== -1 && ours[at] < theirs[at];
}

if (isOlder(process.versions.node, needed)) {
  console.error(
    `cognito-auth-proxy needs Node.js ${needed} or newer, this is ${process.versions.node}; in a checkout, npx node runs the one that npm ci installs`,
  );
  process.exitCode = 2;
} else {
  // Loading makes much garbage, once: what serves lets the young generation grow when it has begun to.
  setFlagsFromString('--semi-space-growth-factor=1');
  import('./main.ts').catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
