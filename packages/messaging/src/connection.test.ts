import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { startNats, type RunningNats } from '@pipeline/sandbox/servers';
import { NatsError } from 'nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectBroker } from './broker.ts';
import { describeConnectFailure } from './connect-failure.ts';
import { configOf, keepingLog, until } from './fixtures/rig.ts';
import type { Readiness } from './stage-definition.ts';

let open: RunningNats;
let strict: RunningNats;
beforeAll(async () => {
  const permissions = { publish: ['>'], subscribe: ['>'] };
  open = await startNats();
  strict = await startNats({ users: [{ user: 'test', password: 'another-password', permissions }] });
});
afterAll(async () => {
  await open.stop();
  await strict.stop();
});

/** A port in front of a server; without a target whoever comes waits in vain. */
async function openDoor(target: () => string | null) {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  };
  const door = createServer((from) => {
    keep(from);
    const url = target();
    if (url === null) return;
    const to = keep(connect(Number(new URL(url).port), '127.0.0.1'));
    from.pipe(to).pipe(from);
  });
  const listen = async (port: number): Promise<number> => {
    door.listen(port, '127.0.0.1');
    await once(door, 'listening');
    const address = door.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  };
  const close = async (): Promise<void> => {
    door.close();
    for (const socket of sockets) socket.destroy();
    await once(door, 'close');
  };
  return { port: await listen(0), listen, close };
}

describe('a first connection that does not come about', () => {
  it.each([
    ['a wrong password', 'refused', 'the server refuses NATS_USER or NATS_PASSWORD (AUTHORIZATION_VIOLATION)'],
    [
      'a server that is down',
      'down',
      'nobody listens there: the server is down, or the port of NATS_URL is another one (CONNECTION_REFUSED)',
    ],
    ['a port that is blocked', 'silent', 'no answer: the port is blocked, or the server hangs (TIMEOUT)'],
  ] as const)(
    '%s is told in the log and by readiness, never the password, and once it is over the same process connects',
    { timeout: 90_000 },
    async (_name, trouble, reason) => {
      let isOver = false;
      const door = await openDoor(() => (isOver ? open.url : trouble === 'refused' ? strict.url : null));
      if (trouble === 'down') await door.close();
      const log = keepingLog();
      const checks = new Map<string, () => Readiness>();
      const config = configOf(`nats://127.0.0.1:${door.port}`);
      const connecting = connectBroker({
        config,
        identity: 'transcriber',
        instance: 'test/1',
        logger: log,
        onClosed: () => undefined,
        addReadiness: (name, check) => void checks.set(name, check),
      });
      expect(checks.get('broker')?.()).toMatchObject({ ok: false });
      await until('the reason is told', () => log.lines.length > 0, 30_000);
      expect(log.lines[0]).toMatchObject({ level: 'warn', fields: { reason } });
      expect(checks.get('broker')?.()).toEqual({ ok: false, reason: `not connected to NATS: ${reason}` });
      expect(JSON.stringify(log.lines)).not.toContain(config.NATS_PASSWORD);

      isOver = true;
      if (trouble === 'down') await door.listen(door.port);
      const broker = await connecting;
      expect(checks.get('broker')?.()).toEqual({ ok: true });
      await broker.close();
      await door.close();
    },
  );

  it.each([
    ['SERVER_OPT_NA', /^the server has no TLS, but NATS_URL says tls:/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /^the certificate of the server is of nobody known: NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /^the certificate of the server is of nobody known/],
    ['CERT_HAS_EXPIRED', /has expired \(CERT_HAS_EXPIRED\)$/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name/],
    ['ENOTFOUND', /has no address/],
    ['ESOMETHING_ELSE', /^ESOMETHING_ELSE$/],
  ])('%s becomes a sentence that says where to look, whoever threw it', (code, sentence) => {
    expect(describeConnectFailure(Object.assign(new Error('of somebody'), { code }))).toMatch(sentence);
    expect(describeConnectFailure(new NatsError('of somebody', code))).toMatch(sentence);
  });
});
