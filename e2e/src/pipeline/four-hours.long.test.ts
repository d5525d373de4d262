import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callEndedSchema, eventId, subjectOf, type CallEnded } from '@pipeline/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { arrivedCall } from '../stack/arrived.ts';
import type { ServiceProcess } from '../stack/service-process.ts';
import { eventually, startStack, type Stack } from '../stack/stack.ts';
import { conversation, writeDenseRecording, writeRecording } from './long-recording.ts';

const HOURS = 4;
const TURNS = 400;
const MOST_BYTES_IN_MEMORY = 300 * 1_024 * 1_024;
/** Of a call in which both sides talk all the time. Most of it is what a process takes that does nothing, and what its collector leaves. */
const MOST_BYTES_WHEN_DENSE = { segments: 520 * 1_024 * 1_024, channels: 400 * 1_024 * 1_024 };
const BUSINESS = 'biz_safe_home';

let folder = '';
let spools = '';
let stack: Stack;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'four-hours-'));
  spools = await mkdtemp(join(folder, 'spools-'));
  stack = await startStack({ overrides: { transcriber: { TMPDIR: spools } } });
});
afterAll(async () => {
  await stack?.stop();
  await rm(folder, { recursive: true });
});

const said = conversation(HOURS, TURNS);

test('a call of 4 hours goes through in less than 300 MB, every line in its place', async () => {
  const path = join(folder, 'recording.wav');
  const bytes = await writeRecording(path, HOURS, said);
  const { callSid } = stack.telephone.keepCall([{ media: { path } }]);
  await end(callSid);
  const watch = watchMemory(transcriber());
  const { callLog, body } = await arrivedCall(stack, callSid, 120_000);
  const { peak, highest, samples } = await watch.stop();
  const lag = await eventLoopP99(transcriber());
  process.stdout.write(
    `4 h, ${megabytes(bytes)} MB on the wire, ${TURNS} turns: transcriber at most ${megabytes(peak)} MB of RSS by the kernel, ` +
      `${megabytes(highest)} MB in ${samples} samples; event loop p99 ${Math.round(lag * 1_000)} ms\n`,
  );
  expect(bytes).toBeGreaterThan(460_000_000);
  expect(peak).toBeLessThan(MOST_BYTES_IN_MEMORY);
  expect(lag).toBeLessThan(0.25); // I8, with room for a machine that has other work

  const inOrder = said.toSorted((a, b) => a.startMs - b.startMs);
  expect(callLog['final_transcript']).toBe(inOrder.map(({ speaker, text }) => `${speaker}: ${text}`).join('\n'));
  expect(body['transcript']).toBe(callLog['final_transcript']);
  const segments = callLog['final_segments'] as { startMs: number }[]; // as extractor writes it
  expect(segments.map(({ startMs }) => startMs)).toEqual(inOrder.map(({ startMs }) => startMs));
  expect(callLog['transcript_quality']).toEqual({ flags: [], flaggedSegments: 0, liveMatch: 1 });
  expect(callLog['stages'].transcriber).toMatchObject({ state: 'done', usage: { requests: TURNS } });
  expect(await readdir(spools)).toEqual([]);
});

test('in mode channels two requests carry it, within the same memory', async () => {
  await stack.fleet.stop('transcriber');
  await stack.fleet.start('transcriber', 1, { TRANSCRIPTION_MODE: 'channels' });
  const { callSid } = stack.telephone.keepCall([{ media: { path: join(folder, 'recording.wav') } }]);
  await end(callSid);
  const watch = watchMemory(transcriber());
  const { callLog } = await arrivedCall(stack, callSid, 120_000);
  const { peak } = await watch.stop();
  process.stdout.write(`4 h in mode channels: transcriber at most ${megabytes(peak)} MB of RSS\n`);
  expect(peak).toBeLessThan(MOST_BYTES_IN_MEMORY);
  expect(callLog['stages'].transcriber).toMatchObject({ state: 'done', usage: { requests: 2 } });
  const ofSpeaker = (who: string) =>
    said
      .filter(({ speaker }) => speaker === who)
      .map(({ text }) => text)
      .join(' ');
  expect(callLog['final_transcript']).toBe(`agent: ${ofSpeaker('agent')}\ncaller: ${ofSpeaker('caller')}`);
});

test.each(['channels', 'segments'] as const)(
  'a call of 4 hours in which both sides talk all the time is never in memory either, in mode %s',
  async (mode) => {
    const path = join(folder, 'dense.wav');
    if (!(await readdir(folder)).includes('dense.wav')) await writeDenseRecording(path, HOURS);
    const provider = await startAnswering('so we talk and talk');
    const environment = { TRANSCRIPTION_MODE: mode, TRANSCRIPTION_BASE_URL: provider.url };
    await stack.fleet.stop('transcriber');
    await stack.fleet.start('transcriber', 1, environment);
    const { callSid } = stack.telephone.keepCall([{ media: { path } }]);
    await end(callSid, null);
    const watch = watchMemory(transcriber());
    const { callLog } = await arrivedCall(stack, callSid, 240_000);
    const { peak } = await watch.stop();
    process.stdout.write(
      `4 h of dense speech in mode ${mode}: ${provider.requests()} requests, ${megabytes(provider.bytes())} MB sent, ` +
        `transcriber at most ${megabytes(peak)} MB of RSS\n`,
    );
    await provider.close();
    expect(callLog['stages'].transcriber).toMatchObject({ state: 'done' });
    expect(provider.bytes()).toBeGreaterThan(300_000_000);
    expect(peak).toBeLessThan(MOST_BYTES_WHEN_DENSE[mode]);
  },
);

test('F6 a transcriber that is killed in the middle of a download leaves nothing on the disk', async () => {
  const recording = { media: await readFile(join(folder, 'recording.wav')).then((all) => all.subarray(0, 4_000_000)) };
  const { callSid, recordingSids } = stack.telephone.keepCall([{ ...recording, isStalled: true }]);
  await end(callSid);
  const victim = transcriber();
  await eventually('half of it is on the disk', async () => (await spooledBytes(victim)) >= 1_900_000);
  expect(stack.telephone.requests.some(({ path }) => path.includes(recordingSids[0] ?? 'none'))).toBe(true);
  await victim.kill();
  expect(await readdir(spools)).toEqual([]);
});

function transcriber(): ServiceProcess {
  const [running] = stack.fleet.of('transcriber');
  if (running === undefined) throw new Error('no transcriber runs');
  return running;
}

/** Publishes the end of a call that lasted four hours, as media-gateway does. */
async function end(callSid: string, liveTranscript: typeof said | null = said): Promise<void> {
  const endedAt = Date.now();
  const event: CallEnded = callEndedSchema.parse({
    type: 'call.ended',
    version: 1,
    id: eventId(callSid, 'media-gateway', 1),
    occurredAt: new Date(endedAt).toISOString(),
    businessId: BUSINESS,
    callSid,
    revision: 1,
    data: {
      call: {
        from: '+972501234567',
        to: '+972731234567',
        direction: 'inbound',
        startedAt: new Date(endedAt - HOURS * 3_600_000).toISOString(),
        endedAt: new Date(endedAt).toISOString(),
        durationSec: HOURS * 3_600,
        endedReason: 'caller_hung_up',
        source: 'gateway',
      },
      analysis: { language: 'he', keywords: [], summary: { maxSentences: 3, tone: 'neutral' } },
      liveTranscript,
    },
  });
  await stack.streams.publish(subjectOf('call.ended', BUSINESS, callSid), Buffer.from(JSON.stringify(event)));
}

/** Speech to text that hears everything and says the same: the sandbox would take minutes to demodulate hours of sound. */
async function startAnswering(text: string) {
  let requests = 0;
  let bytes = 0;
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('end', () => {
      requests += 1;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ text }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // Bound to a port, so it is an address and no pipe.
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests: () => requests,
    bytes: () => bytes,
    close: () => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))),
  };
}

/** Samples the memory of a process, and asks the kernel for its highest point in the end. */
function watchMemory({ pid }: ServiceProcess) {
  const status = async (name: string): Promise<number> => {
    const [, kilobytes = 'NaN'] =
      new RegExp(`${name}:\\s+(\\d+) kB`).exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) * 1_024;
  };
  let highest = 0;
  let samples = 0;
  const sample = async (): Promise<void> => {
    highest = Math.max(highest, await status('VmRSS'));
    samples += 1;
  };
  const timer = setInterval(() => {
    void sample();
  }, 50);
  return {
    stop: async () => {
      clearInterval(timer);
      return { peak: await status('VmHWM'), highest, samples };
    },
  };
}

async function eventLoopP99({ healthUrl }: ServiceProcess): Promise<number> {
  const metrics = await fetch(`${healthUrl}/metrics`).then((response) => response.text());
  const [, seconds = 'NaN'] = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/m.exec(metrics) ?? [];
  return Number(seconds);
}

/** Bytes in the temporary files that a process has open. */
async function spooledBytes({ pid }: ServiceProcess): Promise<number> {
  const folderOfFiles = `/proc/${pid}/fd`;
  const sizes = (await readdir(folderOfFiles)).map(async (fd) => {
    const link = await readlink(`${folderOfFiles}/${fd}`).catch(() => '');
    return link.startsWith(spools) ? (await stat(`${folderOfFiles}/${fd}`)).size : 0;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
