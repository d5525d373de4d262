import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AnswerTooLargeError, createBoundedFetch } from './bounded-fetch.ts';

let server: Server;
let url = '';
beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/empty') response.writeHead(204).end();
    else if (request.url === '/bomb')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(1_000_000)));
    else response.writeHead(201, { 'x-kept': 'yes' }).end('y'.repeat(Number(request.url?.slice(1))));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // Bound to a port, so it is an address and no pipe.
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('a bounded fetch', () => {
  test('gives answers within the bound as they are', async () => {
    const response = await createBoundedFetch(1_000)(`${url}/1000`);
    expect(response.status).toBe(201);
    expect(response.headers.get('x-kept')).toBe('yes');
    expect(await response.text()).toHaveLength(1_000);
    expect((await createBoundedFetch(1_000)(`${url}/empty`)).status).toBe(204);
  });

  test.each(['/1001', '/bomb'])('breaks off %s at the bound', async (path) => {
    const response = await createBoundedFetch(1_000)(url + path);
    await expect(response.text()).rejects.toThrow(AnswerTooLargeError);
  });
});
