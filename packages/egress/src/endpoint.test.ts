import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type LookupFunction, type TcpNetConnectOpts } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createAddressPolicy } from './address-policy.ts';
import { pem, startHttp, startHttps, startTcp, TEST_CA, type TestServer } from './fixtures/servers.ts';
import { urlOf, vectors, type Vector } from './fixtures/vectors.ts';
import { createUrlPolicy } from './url-policy.ts';
import { createEndpoint, type EndpointOptions, type SendResult } from './endpoint.ts';
import { createResolver, type Query } from './resolver.ts';

const BODY = Buffer.from('{"event_type":"call.completed","city":"תל אביב"}');
const HOOKS = 'https://hooks.example.org/in';
const open: TestServer[] = [];

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map((server) => server.close()));
});

describe('where a connection goes', () => {
  const dispatched = vectors.filter((vector) => vector.stage === 'dispatch' && vector.property === undefined);

  it('runs all vectors of the dispatch stage (V115 is a property of the addresses)', () => {
    expect(dispatched.length).toBe(17);
  });

  it.each(dispatched)('B109: $id ends as $expect ($note)', async (vector) => {
    const receiver = await keep(startHttps('valid', (_request, response) => response.writeHead(204).end()));
    const forbidden = await keep(startTcp(() => undefined));
    const { query, lookups } = fakeDns(vector);
    const dialed: string[] = [];
    const result = await send(
      { resolve: createResolver({ budgetMs: 100, query }), connect: dialTo({ receiver, forbidden }, dialed) },
      urlOf(vector),
      vector.config,
    );

    expect(result.kind === 'failed' ? result.code : 'ok').toBe(vector.expect);
    expect(forbidden.connections()).toBe(0);
    expect(receiver.connections()).toBe(vector.expect === 'ok' ? 1 : 0);
    expect(dialed).toEqual(vector.expect === 'ok' ? [firstAnswer(vector)] : []);
    expect(lookups()).toBe(1);
  });

  it('sends nothing when the socket ends at another address than the judged one', async () => {
    const elsewhere = await keep(startHttp((_request, response) => response.end()));
    const result = await send({
      resolve: async () => ({ kind: 'addresses', addresses: ['1.1.1.1'] }),
      connect: () => connect(elsewhere.port, '127.0.0.1'),
    });
    expect(result).toMatchObject({ kind: 'failed', code: 'ip_blocked', address: '127.0.0.1' });
    expect(elsewhere.requests()).toBe(0);
  });

  it('B106: no spelling of this machine leads to a listener on any of its addresses', async () => {
    const forbidden = await keep(startTcp(() => undefined, '::'));
    const { port } = forbidden;
    const spellings = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0177.0.0.1',
      '127.8.9.10',
      '0.0.0.0',
      '[::1]',
    ];
    const hosts = [
      ...spellings,
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::7f00:1]',
      'localhost',
      'foo.localhost',
      'localhost.',
    ];
    for (const host of hosts) {
      for (const scheme of ['http', 'https']) {
        const url = `${scheme}://${host}:${port}/`;
        const allowOrigins = URL.canParse(url) ? [new URL(url).origin] : [];
        expect(await send({ resolve: thisMachine }, url), url).toMatchObject({ kind: 'failed' });
        // Not even when an operator has put it on the list of allowed origins.
        expect(await send({ resolve: thisMachine }, url, { allowOrigins }), url).toMatchObject({ code: 'ip_blocked' });
      }
    }
    const named = await send({ resolve: thisMachine });
    expect(named).toMatchObject({ kind: 'failed', code: 'ip_blocked' });
    expect(forbidden.connections()).toBe(0);
    // The listener would have noticed.
    await once(connect(port, '127.0.0.1'), 'connect');
    await once(connect(port, '::1'), 'connect');
    await expect.poll(() => forbidden.connections()).toBe(2);
  });

  it('judges an address that is written into the URL, for which no lookup is ever asked', async () => {
    const target = await keep(startTcp(() => undefined));
    const url = `http://127.0.0.1:${target.port}/`;
    expect(await send({}, url)).toMatchObject({ kind: 'failed', code: 'scheme_not_allowed' });
    expect(await send({}, url, { allowOrigins: [new URL(url).origin] })).toMatchObject({
      kind: 'failed',
      code: 'ip_blocked',
    });
    expect(target.connections()).toBe(0);
  });

  it('takes no proxy from the environment', async () => {
    const proxy = await keep(startTcp(() => undefined));
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']) {
      vi.stubEnv(name, `http://127.0.0.1:${proxy.port}`);
    }
    const { result, server } = await answeredBy((_request, response) => response.writeHead(200).end());
    expect(result).toMatchObject({ kind: 'answered', status: 200 });
    expect(server.requests()).toBe(1);
    expect(proxy.connections()).toBe(0);
  });

  it('tries the next judged address when the first one does not answer', async () => {
    const server = await keep(startHttp((_request, response) => response.writeHead(204).end()));
    const closed = await startTcp(() => undefined);
    await closed.close();
    const url = `http://localhost:${server.port}/`;
    const result = await send({ resolve: async () => ({ kind: 'addresses', addresses: ['::1', '127.0.0.1'] }) }, url, {
      devOrigins: [new URL(url).origin],
    });
    expect(result).toMatchObject({ kind: 'answered', status: 204, address: '127.0.0.1' });
  });
});

describe('what a receiver may do', () => {
  it.each([
    [302, 'V107'],
    [307, 'V108'],
  ])('B110 F69: a redirect %d is an answer, and nobody follows it (%s)', async (status) => {
    const location = 'https://169.254.169.254/';
    const { result, server } = await answeredBy((_request, response) => response.writeHead(status, { location }).end());
    expect(result).toMatchObject({ kind: 'answered', status });
    expect(server.requests()).toBe(1);
  });

  it.each([
    ['V109', 'other-name'],
    ['V109b', 'expired'],
    ['V109c', 'self-signed'],
  ])('%s: nothing is sent to an endpoint with the certificate "%s"', async (_id, certificate) => {
    const server = await keep(startHttps(certificate, (_request, response) => response.end()));
    const result = await send({ resolve: publicAddress, connect: dialTo({ receiver: server, forbidden: server }, []) });
    expect(result).toMatchObject({ kind: 'failed', code: 'tls_error' });
    expect(server.requests()).toBe(0);
  });

  it('tells until when the certificate is valid, over a connection that is used again too', async () => {
    const server = await keep(startHttps('valid', (_request, response) => response.writeHead(204).end()));
    const endpoint = endpointWith(
      { resolve: publicAddress, connect: dialTo({ receiver: server, forbidden: server }, []) },
      {},
    );
    const request = { url: HOOKS, headers: {}, body: BODY };
    const endsAt = new Date(new X509Certificate(pem('valid.pem')).validTo);
    for (const phase of ['new', 'used again']) {
      const result = await endpoint.send(request, new AbortController().signal);
      expect(result, phase).toMatchObject({ kind: 'answered', certificateEndsAt: endsAt });
    }
    endpoint.close();
    expect(server.connections()).toBe(1);
  });

  it('judges certificates whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const server = await keep(startHttps('self-signed', (_request, response) => response.end()));
    const result = await send({ resolve: publicAddress, connect: dialTo({ receiver: server, forbidden: server }, []) });
    expect(result).toMatchObject({ kind: 'failed', code: 'tls_error' });
    expect(server.requests()).toBe(0);
  });

  it('V110: a body of one byte now and then ends at the total deadline', async () => {
    const { result } = await answeredBy((_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(drip));
    });
    expect(result).toMatchObject({ kind: 'failed', code: 'timeout' });
    expect(result.phases.total).toBeLessThan(10_000);
  });

  it.each([
    ['V111', 200],
    ['V111b', 500],
  ])('%s: an endless body after %d is dropped at 64 KiB', async (_id, status) => {
    let written = 0;
    const { result, server } = await answeredBy((_request, response) => {
      response.writeHead(status);
      const pour = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x61))) written += 65_536;
      };
      response.on('drain', pour);
      pour();
    });
    expect(result).toMatchObject({ kind: 'answered', status, tooLarge: true });
    expect(answeredOf(result).excerpt.length).toBe(16 * 1_024);
    expect(written).toBeLessThan(16 * 1_048_576);
    expect(server.requests()).toBe(1);
  });

  it('V112: a packed body is read as it is and never unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1_048_576));
    const { result } = await answeredBy((request, response) => {
      expect(request.headers['accept-encoding']).toBeUndefined();
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    expect(result).toMatchObject({ kind: 'answered', status: 200, tooLarge: false });
    expect(bomb.length).toBeLessThan(65_536);
  });

  it('V112b: headers of 40 kB are bounded', async () => {
    const { result } = await answeredBy((_request, response) => {
      for (let index = 0; index < 400; index++) response.setHeader(`x-header-${index}`, 'v'.repeat(88));
      response.end();
    });
    expect(result).toMatchObject({ kind: 'failed', code: 'response_too_large' });
  });

  it('V112c: odd bytes in headers and body are escaped, and the delivery survives', async () => {
    const server = await keep(
      startTcp((socket) => {
        const body = Buffer.from('ok \u001b[31m\u202eevil\u0000', 'utf8');
        const head = `HTTP/1.1 200 OK\r\nServer: \xff\x9bodd\r\nContent-Length: ${body.length}\r\n\r\n`;
        socket.once('data', () => socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body])));
      }),
    );
    const url = `http://127.0.0.1:${server.port}/`;
    const result = await send({}, url, { devOrigins: [new URL(url).origin] });
    expect(answeredOf(result).excerpt).toBe('ok \\u{1b}[31m\\u{202e}evil\\u{0}');
    expect(answeredOf(result).headers['server']).toMatch(/^[^\p{C}]+odd$/u);
  });

  it('a connection that is accepted and never answered ends at the total deadline', async () => {
    const { result } = await answeredBy(() => undefined);
    expect(result).toMatchObject({ kind: 'failed', code: 'timeout', phases: { firstByte: null } });
  });

  it('a TLS handshake that never ends ends at the connect timeout', async () => {
    const server = await keep(startTcp(() => undefined));
    const connectTo = dialTo({ receiver: server, forbidden: server }, []);
    const result = await send({
      resolve: publicAddress,
      connect: connectTo,
      connectTimeoutMs: 100,
      totalTimeoutMs: 30_000,
    });
    expect(result).toMatchObject({ kind: 'failed', code: 'timeout' });
    expect(result.phases.total).toBeLessThan(20_000);
  });

  it('a closed port, a cut connection and bytes that are no HTTP are failures, not exceptions', async () => {
    const closed = await startTcp(() => undefined);
    await closed.close();
    const cut = await keep(startTcp((socket) => socket.once('data', () => socket.destroy())));
    const noise = await keep(startTcp((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n'))));
    const codes = await Promise.all(
      [closed, cut, noise].map(async ({ port }) => {
        const url = `http://127.0.0.1:${port}/`;
        const result = await send({}, url, { devOrigins: [new URL(url).origin] });
        return result.kind === 'failed' ? result.code : 'answered';
      }),
    );
    expect(codes).toEqual(['connection_failed', 'connection_failed', 'response_invalid']);
  });
});

describe('what is sent', () => {
  it('is the very bytes with the given headers, path and query, over TLS with the name of the host', async () => {
    const seen = Promise.withResolvers<{ method?: string; url?: string; headers: unknown; body: Buffer }>();
    const server = await keep(
      startHttps('valid', (request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          seen.resolve({ ...pick(request), body: Buffer.concat(chunks) });
          response.writeHead(202, { 'retry-after': '7', 'x-ignored': 'a' }).end('thanks');
        });
      }),
    );
    const result = await send(
      { resolve: publicAddress, connect: dialTo({ receiver: server, forbidden: server }, []) },
      `${HOOKS}?token=abc#part`,
    );
    const request = await seen.promise;
    expect(request.body.equals(BODY)).toBe(true);
    expect(request).toMatchObject({
      method: 'POST',
      url: '/in?token=abc',
      headers: { host: 'hooks.example.org', 'content-type': 'application/json', 'content-length': String(BODY.length) },
    });
    expect(result).toMatchObject({
      kind: 'answered',
      status: 202,
      address: '1.1.1.1',
      excerpt: 'thanks',
      headers: { 'retry-after': '7' },
    });
    expect(Object.values(result.phases).every((ms) => ms !== null && ms >= 0)).toBe(true);
    expect(answeredOf(result).headers).not.toHaveProperty('x-ignored');
  });

  it('goes over an open connection when there is one, and over a new one when that was closed meanwhile', async () => {
    let closing = false;
    const server = await keep(
      startHttp((request, response) => {
        if (closing) return void request.socket.destroy();
        response.writeHead(204).end();
      }),
    );
    const url = `http://127.0.0.1:${server.port}/`;
    const endpoint = endpointWith({}, { devOrigins: [new URL(url).origin] });
    const post = () => endpoint.send({ url, headers: {}, body: BODY }, new AbortController().signal);
    expect(await post()).toMatchObject({ status: 204, phases: { connect: expect.any(Number) } });
    expect(await post()).toMatchObject({ status: 204, address: '127.0.0.1', phases: { connect: null } });
    expect(server.connections()).toBe(1);
    closing = true;
    // Cut on the open connection, then on the new one: one webhook is never sent three times.
    expect(await post()).toMatchObject({ kind: 'failed', code: 'connection_failed' });
    expect(server.requests()).toBe(4);
    expect(server.connections()).toBe(2);
    closing = false;
    expect(await post()).toMatchObject({ status: 204 });
    endpoint.close();
  });

  it('ends at once when the caller gives up', async () => {
    const stop = new AbortController();
    const server = await keep(startHttp(() => stop.abort()));
    const url = `http://127.0.0.1:${server.port}/`;
    const result = await send({ totalTimeoutMs: 60_000 }, url, { devOrigins: [new URL(url).origin] }, stop.signal);
    expect(result).toMatchObject({ kind: 'failed', code: 'timeout' });
  });
});

type Overrides = Partial<Omit<EndpointOptions, 'policy'>>;

function send(overrides: Overrides, url = HOOKS, config: Vector['config'] = {}, signal = new AbortController().signal) {
  return endpointWith(overrides, config).send(
    { url, headers: { 'content-type': 'application/json' }, body: BODY },
    signal,
  );
}

function endpointWith(overrides: Overrides, config: Vector['config']) {
  return createEndpoint({
    policy: createUrlPolicy({
      addresses: createAddressPolicy({ denyCidrs: config.extraDenyCidrs ?? [], nat64: config.nat64 ?? false }),
      allowedOrigins: config.allowOrigins ?? [],
      devOrigins: config.devOrigins ?? [],
    }),
    resolve: createResolver({ budgetMs: 1_000, query: () => Promise.reject(new Error('no DNS in this test')) }),
    connectTimeoutMs: 1_000,
    totalTimeoutMs: 700,
    ca: TEST_CA,
    ...overrides,
  });
}

async function answeredBy(
  listener: Parameters<typeof startHttp>[0],
): Promise<{ result: SendResult; server: TestServer }> {
  const server = await keep(startHttp(listener));
  const url = `http://127.0.0.1:${server.port}/hook`;
  return { result: await send({}, url, { devOrigins: [new URL(url).origin] }), server };
}

/** Connects to the receiver in place of a public address, and to the forbidden listener in place of any other. */
function dialTo(servers: { receiver: TestServer; forbidden: TestServer }, dialed: string[]) {
  return (options: TcpNetConnectOpts) => {
    const answers: string[] = [];
    options.lookup?.(options.host ?? '', { all: true }, collect(answers));
    const address = answers[0] ?? options.host ?? '';
    dialed.push(address);
    const isPublic = address === '1.1.1.1' || address.startsWith('64:ff9b');
    const socket = connect((isPublic ? servers.receiver : servers.forbidden).port, '127.0.0.1');
    Object.defineProperty(socket, 'remoteAddress', { value: address });
    return socket;
  };
}

function collect(answers: string[]): Parameters<LookupFunction>[2] {
  return (_error, addresses) => {
    if (Array.isArray(addresses)) answers.push(...addresses.map(({ address }) => address));
  };
}

function fakeDns(vector: Vector): { query: Query; lookups: () => number } {
  let asked = 0;
  const query: Query = (_hostname, family) => {
    if (family === 4) asked += 1;
    const dns = vector.dns ?? {};
    if (dns.hang === true) return new Promise(() => undefined);
    if (dns.error !== undefined) return Promise.reject(Object.assign(new Error('dns'), { code: `E${dns.error}` }));
    const answer = dns.sequence?.[asked - 1] ?? dns;
    const addresses = (family === 4 ? answer.A : answer.AAAA) ?? [];
    return addresses.length > 0
      ? Promise.resolve(addresses)
      : Promise.reject(Object.assign(new Error('dns'), { code: 'ENODATA' }));
  };
  return { query, lookups: () => asked };
}

function firstAnswer(vector: Vector): string | undefined {
  const answer = vector.dns?.sequence?.[0] ?? vector.dns;
  return [...(answer?.A ?? []), ...(answer?.AAAA ?? [])][0];
}

async function thisMachine() {
  return { kind: 'addresses' as const, addresses: ['127.0.0.1', '::1'] };
}

async function publicAddress() {
  return { kind: 'addresses' as const, addresses: ['1.1.1.1'] };
}

async function keep(starting: Promise<TestServer>): Promise<TestServer> {
  const server = await starting;
  open.push(server);
  return server;
}

function answeredOf(result: SendResult): Extract<SendResult, { kind: 'answered' }> {
  if (result.kind !== 'answered') throw new Error(`no answer: ${result.code}`);
  return result;
}

function pick(request: { method?: string | undefined; url?: string | undefined; headers: unknown }) {
  return { method: request.method ?? '', url: request.url ?? '', headers: request.headers };
}
