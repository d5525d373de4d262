import { expect, it } from 'vitest';
import { readBase, type Manifest } from './manifests.ts';
import { typeProblems } from './types.ts';

it('the base has the types of Kubernetes, and no field that Kubernetes does not know', async () => {
  expect(await typeProblems(await readBase())).toEqual([]);
}, 180_000);

it('a misspelt field, a wrong type and a missing field are seen', async () => {
  const base = await readBase();
  const text = JSON.stringify(
    base.find(({ metadata, kind }) => kind === 'Deployment' && metadata.name === 'extractor'),
  );
  const broken = [
    text.replace('"readinessProbe"', '"readynessProbe"'),
    text.replace('"replicas":2', '"replicas":"two"'),
    text.replace(/"selector":\{[^}]*\}\},/, ''),
  ].map((changed) => JSON.parse(changed) as Manifest); // what was a manifest
  const problems = await typeProblems(broken);
  expect(problems.join('\n')).toMatch(/\(2,.*readynessProbe[\s\S]*\(3,.*string[\s\S]*\(4,.*selector/);
}, 180_000);
