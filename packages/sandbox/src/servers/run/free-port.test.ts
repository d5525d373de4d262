import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { expect, test } from 'vitest';
import { isFree, onFreePorts } from './free-port.ts';

async function listen(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('when another program takes the port between finding it and listening on it, others are tried', async () => {
  const taken: Server[] = [];
  const { ports, started } = await onFreePorts(2, async ([port = 0]) => {
    if (taken.length === 2) return 'started';
    taken.push(await listen(port));
    throw new Error('the port is taken');
  });
  expect(started).toBe('started');
  expect(new Set(ports).size).toBe(2);
  expect(await Promise.all(ports.map(isFree))).toEqual([true, true]);
  for (const server of taken) server.close();
});

test('a start that fails for another reason is not repeated', async () => {
  let starts = 0;
  const start = onFreePorts(1, async () => {
    starts += 1;
    throw new Error('the disk is full');
  });
  await expect(start).rejects.toThrow('the disk is full');
  expect(starts).toBe(1);
});

test('a port on which somebody listens is not free', async () => {
  const { ports } = await onFreePorts(1, async () => 'nothing');
  const server = await listen(ports[0] ?? 0);
  expect(await isFree(ports[0] ?? 0)).toBe(false);
  server.close();
  await once(server, 'close');
  expect(await isFree(ports[0] ?? 0)).toBe(true);
});
