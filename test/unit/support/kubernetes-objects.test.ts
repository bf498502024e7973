import { readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { checkWithApi, type UnknownFields } from '../../support/kubernetes-api.ts';
import { type InventedFields, readKubernetesObjects } from '../../support/kubernetes-objects.ts';
import { readObjects } from '../../support/kustomize.ts';

const file = new URL('../../../deploy/kubernetes/base/deployment.yaml', import.meta.url);
const TEXT = readFileSync(file, 'utf8');
const changed = (from: string, to: string): unknown[] => {
  expect(TEXT).toContain(from);
  return readObjects(TEXT.replace(from, to));
};

describe('the check of Kubernetes objects', () => {
  it('accepts what is right', () => {
    expect(readKubernetesObjects(readObjects(TEXT)).one('Deployment').metadata.name).toBe('auth-proxy');
  });

  it.each([
    ['a value of the wrong type', 'periodSeconds: 10', 'periodSeconds: 10s'],
    ['something that is missing', '- name: proxy', '- workingDir: /'],
    ['another version of the API', 'apps/v1', 'apps/v1beta1'],
  ])('finds by the published schema: %s', (_what, from, to) => {
    const objects = changed(from, to);
    expect(() => objects.forEach(checkWithApi)).toThrow();
  });

  it('finds by its own: a field that is misspelt', () => {
    const objects = changed('readinessProbe', 'readynessProbe');
    objects.forEach(checkWithApi);
    expect(() => readKubernetesObjects(objects)).toThrow('readynessProbe');
  });

  it('knows no field that the API does not have', () => {
    expectTypeOf<InventedFields>().toBeNever();
    expectTypeOf<
      UnknownFields<{ spec: { items: { a: 1; b: 2 }[] } }, { spec?: { items?: { a: number }[] } }>
    >().toEqualTypeOf<'b'>();
  });
});
