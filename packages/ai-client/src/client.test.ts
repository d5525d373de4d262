import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { createAiClient } from './client.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0)) await close();
});

test('the client shows its key alone, whatever account the environment names, and writes no line about what it sends', async () => {
  vi.stubEnv('OPENAI_ORG_ID', 'org-other');
  vi.stubEnv('OPENAI_PROJECT_ID', 'proj-other');
  vi.stubEnv('OPENAI_BASE_URL', 'http://127.0.0.1:9/v1');
  vi.stubEnv('OPENAI_LOG', 'debug');
  const seen: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"output":[]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const { port } = server.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  const said = (['debug', 'info', 'log', 'warn', 'error'] as const).map((level) => vi.spyOn(console, level));
  const options = { baseUrl: `http://127.0.0.1:${port}/v1`, apiKey: 'sk-test', maxAnswerBytes: 1_000 };
  await createAiClient(options).responses.create({ model: 'gpt-6-luna', input: 'private words' });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ authorization: 'Bearer sk-test' });
  expect(Object.keys(seen[0] ?? {})).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/organization|project/)]),
  );
  expect(said.flatMap(({ mock }) => mock.calls)).toEqual([]);
  said.forEach((spy) => spy.mockRestore());
});
