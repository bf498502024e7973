import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { IN_IMAGE } from '../../../../src/observe/status/image-command.ts';
import { execForm, parseDockerfile, textsOf } from '../../../support/dockerfile.ts';

it('the command that the page names is what the image runs', () => {
  const dockerfile = readFileSync(new URL('../../../../Dockerfile', import.meta.url), 'utf8');
  const image = parseDockerfile(dockerfile).at(-1);
  const [entry = ''] = image === undefined ? [] : textsOf(image, 'ENTRYPOINT');
  expect(IN_IMAGE).toBe(execForm(entry).join(' '));
});
