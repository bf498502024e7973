import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { awaitAnswer } from './await-answer.ts';
import type { Contender, Site, Upstream } from './contender.ts';
import { findFreePort } from './free-port.ts';
import { fillTemplate } from './template.ts';

/** Bytes of the small answer. */
const ANSWER_LENGTH = 250;

export const LARGE_BYTES = 100 * 1024;
export const HUGE_BYTES = 2 ** 30;

/** Starts nginx on the core of the load. */
export async function startUpstream(site: Omit<Site, 'upstream'>): Promise<Upstream> {
  const port = await findFreePort();
  const config = join(site.folder, 'upstream.conf');
  const files = join(site.folder, 'files');
  mkdirSync(files);
  // Its worker may run as another user.
  chmodSync(site.folder, 0o755);
  writeFileSync(join(files, '100k'), Buffer.alloc(LARGE_BYTES, 'x'));
  writeFileSync(join(files, '1g'), '');
  truncateSync(join(files, '1g'), HUGE_BYTES);
  writeFileSync(
    config,
    fillTemplate('./upstream.nginx.conf', {
      PORT: port,
      FOLDER: site.folder,
      USER: process.getuid?.() === 0 ? 'user root;' : '',
      ANSWER: JSON.stringify({ items: 'x'.repeat(ANSWER_LENGTH - JSON.stringify({ items: '' }).length) }),
    }),
  );
  const child = site.processes.start({
    file: site.tools.nginx,
    args: ['-p', site.folder, '-c', config, '-e', join(site.folder, 'nginx-error.log')],
    cores: [site.cores.load],
    folder: site.folder,
  });
  const origin = `http://127.0.0.1:${port}`;
  await awaitAnswer(child, `${origin}/nginx-status`, null, 'the upstream');
  return {
    port,
    pid: child.pid,
    async requests() {
      const status = await (await fetch(`${origin}/nginx-status`)).text();
      return Number(/^ \d+ \d+ (\d+) $/m.exec(status)?.[1] ?? Number.NaN);
    },
  };
}

/** The upstream itself, to see what load and upstream could carry if nothing were between them. */
export const bareUpstream: Contender = {
  checks: false,
  async start({ upstream }) {
    return { port: upstream.port, pid: upstream.pid, child: null, cacheUse: async () => null };
  },
};
