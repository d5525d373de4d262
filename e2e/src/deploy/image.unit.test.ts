import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { containerOf } from './environment.ts';
import { readBase, workloadsOf } from './manifests.ts';

const ROOT = new URL('../../../', import.meta.url);
let dockerfile: string;

beforeAll(async () => {
  dockerfile = await fileOf('deploy/docker/Dockerfile');
});

describe('the Dockerfile', () => {
  it('installs with the versions of Node and pnpm that the workspace pins', async () => {
    const { packageManager } = JSON.parse(await fileOf('package.json')) as { packageManager: string }; // a file of ours
    const { catalog } = parse(await fileOf('pnpm-workspace.yaml')) as { catalog: Record<string, string> }; // a file of ours
    expect(`pnpm@${defaultOf('PNPM_VERSION')}`).toBe(packageManager);
    expect(defaultOf('INSTALL_IMAGE')).toMatch(new RegExp(`^node:${catalog['node']}-`));
    expect(defaultOf('RUN_IMAGE')).toContain(`nodejs${catalog['node']?.split('.')[0]}-`);
  });

  it('ships the lockfile, nothing for development, and runs as the user that the pods ask for', async () => {
    expect(dockerfile).toMatch(/pnpm install --prod --frozen-lockfile --filter-prod "@pipeline\/\$SERVICE\.\.\."/);
    const [, user, group] = /^USER (\d+):(\d+)$/m.exec(dockerfile) ?? [];
    for (const { template } of workloadsOf(await readBase())) {
      expect(template.spec?.securityContext).toMatchObject({ runAsUser: Number(user), runAsGroup: Number(group) });
    }
  });

  it('starts what the manifests start', async () => {
    const [, command] = /^CMD \["(.*)"\]$/m.exec(dockerfile) ?? [];
    const provision = workloadsOf(await readBase()).find(({ name }) => name === 'provision');
    expect(provision && containerOf(provision).args).toEqual([command, 'provision']);
    const trim = workloadsOf(await readBase()).find(({ name }) => name === 'trim');
    expect(trim && containerOf(trim).args).toEqual([command, 'provision', '--trim']);
    const sweep = workloadsOf(await readBase()).find(({ name }) => name === 'sweep');
    expect(sweep && containerOf(sweep).args).toEqual([command, 'sweep', '--json']);
    expect(await fileOf('packages/callctl/src/verbs/sweep.ts')).toContain("name: 'sweep'");
    expect(await fileOf('packages/callctl/src/verbs/provision.ts')).toContain("name: 'provision'");
  });
});

it('an image of every workload is a package of the workspace', async () => {
  for (const workload of workloadsOf(await readBase())) {
    const [, service = ''] = /^perfect-call-pipeline\/(.+):[\d.]+$/.exec(containerOf(workload).image ?? '') ?? [];
    const folder = service === 'callctl' ? `packages/${service}` : `services/${service}`;
    expect(JSON.parse(await fileOf(`${folder}/package.json`))).toMatchObject({ name: `@pipeline/${service}` });
  }
});

function defaultOf(argument: string): string {
  return new RegExp(`^ARG ${argument}=(.+)$`, 'm').exec(dockerfile)?.[1] ?? '';
}

function fileOf(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), 'utf8');
}
