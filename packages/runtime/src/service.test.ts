import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, test } from 'vitest';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A service of the smallest kind, as a real process; `lines` collects what it prints. */
function start(environment: Record<string, string>) {
  const fixture = new URL('./fixtures/small-service/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [fixture], {
    env: { NODE_ENV: 'test', HEALTH_HOST: '127.0.0.1', HEALTH_PORT: '0', POD_NAME: 'pod-1', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.push(child);
  const lines: string[] = [];
  const waiting: { text: string; found: (line: string) => void }[] = [];
  const take = (line: string): void => {
    lines.push(line);
    for (const one of waiting.filter(({ text }) => line.includes(text))) one.found(line);
  };
  createInterface({ input: child.stdout }).on('line', take);
  createInterface({ input: child.stderr }).on('line', take);
  const line = (text: string): Promise<string> =>
    new Promise((found) => {
      const seen = lines.find((one) => one.includes(text));
      if (seen === undefined) waiting.push({ text, found });
      else found(seen);
    });
  const exited = once(child, 'exit').then(([code]) => code as number | null); // the event's type is unknown
  return { child, line, lines, exited };
}

async function portOf(service: ReturnType<typeof start>): Promise<number> {
  const line = JSON.parse(await service.line('health and metrics answer')) as { port: number };
  await service.line('"started"');
  return line.port;
}

describe('a service', () => {
  test('answers live, ready, started and its metrics, and unready names the check that fails', async () => {
    const service = start({});
    const base = `http://127.0.0.1:${await portOf(service)}`;
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    expect((await fetch(`${base}/health/startup`)).status).toBe(200);
    expect((await fetch(`${base}/health/ready`)).status).toBe(200);
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('process_cpu_seconds_total{service="small"}');
    service.child.stdin?.write('break\n');
    await service.line('broken');
    const unready = await fetch(`${base}/health/ready`);
    expect(unready.status).toBe(503);
    expect(await unready.json()).toMatchObject({
      status: 'unready',
      checks: { work: { ok: false, reason: 'broken on purpose' } },
    });
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
  });

  test('while its boot waits for another system it is started, so that nobody restarts it, and unready with the reason', async () => {
    const service = start({ WAIT_FOR_SERVER: 'yes' });
    const { port } = JSON.parse(await service.line('health and metrics answer')) as { port: number };
    const base = `http://127.0.0.1:${port}`;
    expect((await fetch(`${base}/health/startup`)).status).toBe(200);
    const unready = async () => {
      const answer = await fetch(`${base}/health/ready`);
      return { code: answer.status, body: await answer.text() };
    };
    let seen = await unready();
    // The port answers a moment before the condition is there; it is no readiness either.
    while (!seen.body.includes('nobody listens there')) {
      expect(seen.code).toBe(503);
      seen = await unready();
    }
    expect(seen.code).toBe(503);
    service.child.stdin?.write('arrived\n');
    await service.line('"started"');
    expect((await fetch(`${base}/health/ready`)).status).toBe(200);
  });

  test('SIGTERM: unready at once, steps in reverse order, exit 0, and a second signal does not shorten it', async () => {
    const service = start({});
    const base = `http://127.0.0.1:${await portOf(service)}`;
    service.child.kill('SIGTERM');
    await service.line('step work begins');
    expect((await fetch(`${base}/health/ready`)).status).toBe(503);
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    service.child.kill('SIGTERM');
    service.child.kill('SIGINT');
    service.child.stdin?.write('finish\n');
    expect(await service.exited).toBe(0);
    const steps = service.lines.filter((line) => line.startsWith('step '));
    expect(steps).toEqual(['step work begins', 'step work ends', 'step connection ends']);
  });

  test.each([
    ['done', 0],
    ['gone wrong', 1],
  ])('a job that is %s shuts down in order and exits with %i', async (line, code) => {
    const service = start({});
    await portOf(service);
    service.child.stdin?.write(`${line}\n`);
    await service.line('step work begins');
    service.child.stdin?.write('finish\n');
    expect(await service.exited).toBe(code);
    expect(service.lines).toContain('step connection ends');
  });

  test('a shutdown that hangs is forced with exit 1 when the grace is over', async () => {
    const service = start({ SHUTDOWN_GRACE_MS: '1000' });
    await portOf(service);
    service.child.kill('SIGTERM');
    expect(await service.exited).toBe(1);
    expect(service.lines.join('\n')).toContain('the grace period ran out');
  });

  test('an unhandled rejection is logged without its text, shuts down properly and exits 1', async () => {
    const service = start({});
    await portOf(service);
    service.child.stdin?.write('reject\n');
    await service.line('step work begins');
    service.child.stdin?.write('finish\n');
    expect(await service.exited).toBe(1);
    const printed = service.lines.join('\n');
    expect(printed).toContain('cannot go on');
    expect(printed).not.toContain('words of a caller');
  });

  test('unusable configuration prints every problem and exits 1, in no more time than a start takes', async () => {
    const begun = performance.now();
    const sound = start({});
    await portOf(sound);
    const startMs = performance.now() - begun;
    sound.child.kill('SIGKILL');
    const service = start({ LOG_LEVEL: 'loud', HEALTH_PORT: '99999' });
    expect(await service.exited).toBe(1);
    // Twice as much again, because other work on the machine comes and goes.
    expect(performance.now() - begun).toBeLessThan(startMs * 4);
    const printed = service.lines.join('\n');
    expect(printed).toContain('LOG_LEVEL:');
    expect(printed).toContain('HEALTH_PORT:');
  });
});
