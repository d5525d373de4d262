import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { run } from './fixtures/run.ts';
import { VERBS } from './registry.ts';
import { CommandError, UsageError, type Verb } from './verb.ts';

test('every file below verbs/ is one registered verb, and no name begins another', async () => {
  const files = (await readdir(resolve(import.meta.dirname, 'verbs'))).filter((file) => !file.endsWith('.test.ts'));
  expect(VERBS.map((verb) => `${verb.name.replaceAll(' ', '-')}.ts`).toSorted()).toEqual(files.toSorted());
  const names = VERBS.map((verb) => verb.name);
  expect(names.filter((name) => names.some((other) => other !== name && `${other} `.startsWith(`${name} `)))).toEqual(
    [],
  );
});

test('the README shows every verb', async () => {
  const readme = await readFile(resolve(import.meta.dirname, '../README.md'), 'utf8');
  expect(VERBS.map(({ name }) => name).filter((name) => !readme.includes(`$ callctl ${name} `))).toEqual([]);
});

test('--help shows all verbs, and for one verb its arguments and options, with exit code 0', async () => {
  const all = await run(['--help']);
  expect(all.code).toBe(0);
  for (const verb of VERBS) {
    expect(all.out).toContain(verb.summary);
    const one = await run([...verb.name.split(' '), '--help']);
    expect(one.code).toBe(0);
    for (const part of [...verb.arguments, ...Object.keys(verb.options), '--json']) expect(one.out).toContain(part);
  }
});

test('what is typed wrong ends with 2, says what, and shows how', async () => {
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [[], 'a verb is missing'],
    [['shwo'], 'there is no verb "shwo"'],
    [['settings'], 'there is no verb "settings"'],
    [['show'], '<callSid> is missing'],
    [['show', 'CA123'], '32 lower-case hexadecimal'],
    [['show', `CA${'0'.repeat(32)}`, 'more'], '"more" is one argument too many'],
    [['show', `CA${'0'.repeat(32)}`, '--bogus'], "Unknown option '--bogus'"],
    [['settings', 'get', 'a.b'], '<businessId> is 1 to 64'],
    [['provision', '--wait', 'long'], '--wait takes whole seconds'],
    [
      ['provision', '--reread', 'transcriber'],
      '--reread takes one of extractor, extractor-commands, webhook-dispatcher',
    ],
    [['provision', '--dry-run'], '--dry-run goes with --trim'],
    [['provision', '--trim', '--narrow'], '--narrow does not go with --trim'],
    [['dead', 'replay'], 'give a <callSid>, or --all'],
    [['dead', 'replay', 'CA1', '--all'], 'give a <callSid>, or --all'],
    [['dead', 'list', '--stage', 'reconciler'], '--stage is one of transcriber'],
    [['dead', 'list', '--after', 'x'], '--after takes the number'],
    [['dead', 'show', 'a.b'], '<callSid> is that of a call'],
    [['erase', `CA${'0'.repeat(32)}`], '--business <businessId> is needed'],
  ];
  for (const [args, message] of wrong) {
    const { code, error, out } = await run(args);
    expect({ args, code, out }).toEqual({ args, code: 2, out: '' });
    expect(error).toContain(message);
    expect(error).toContain('Usage: callctl');
  }
});

test('the first word of several verbs shows these, and help is --help', async () => {
  const typo = await run(['webhooks', 'replya']);
  expect(typo).toMatchObject({ code: 2, out: '' });
  expect(typo.error).toContain('there is no verb "webhooks replya"');
  expect(typo.error).toContain('webhooks replay');
  expect(typo.error).not.toContain('settings');
  for (const args of [['webhooks', '--help'], ['help']]) {
    const { code, out } = await run(args);
    expect([code, out.includes('webhooks replay'), out.includes('settings get')]).toEqual([
      0,
      true,
      args[0] === 'help',
    ]);
  }
});

test('a missing environment is told by the names of all its variables, only of the servers that the verb needs', async () => {
  const { code, error } = await run(['show', `CA${'0'.repeat(32)}`], { environment: { MONGO_PASSWORD: 'changeme' } });
  expect(code).toBe(1);
  expect(error).toContain('MONGO_URL: is missing');
  expect(error).toContain('MONGO_USER: is missing');
  expect(error).toContain('MONGO_PASSWORD: is a placeholder');
  expect(error).not.toContain('NATS');
  const both = await run(['provision']);
  expect(both.error).toContain('NATS_URL: is missing');
  expect(both.error).toContain('MONGO_URL: is missing');
});

test('a verb that fails ends with 1; --json says so as a value too', async () => {
  const verbs = [verbFor('fails', () => Promise.reject(new CommandError('turn it on')))];
  expect(await run(['fails'], { verbs })).toEqual({ code: 1, out: '', error: 'callctl: turn it on' });
  const { out } = await run(['fails', '--json'], { verbs });
  expect(JSON.parse(out)).toEqual({ error: { message: 'turn it on' } });
});

test('a result that is not ok ends with 1 and is printed all the same', async () => {
  const verbs = [verbFor('checks', async () => ({ ok: false, json: { valid: false }, text: 'it is not' }))];
  expect(await run(['checks'], { verbs })).toEqual({ code: 1, out: 'it is not', error: '' });
  expect(JSON.parse((await run(['checks', '--json'], { verbs })).out)).toEqual({ valid: false });
});

test('a failure that nobody expected shows its class and none of its words', async () => {
  const verbs = [verbFor('breaks', () => Promise.reject(new RangeError('canary +972501234567')))];
  const { code, error } = await run(['breaks'], { verbs });
  expect(code).toBe(1);
  expect(error).toBe('callctl: an unexpected failure (RangeError)');
});

test('a verb that was typed wrong shows its own usage, and Ctrl-C is no failure of the server', async () => {
  const wrong = [verbFor('wrong', () => Promise.reject(new UsageError('too few')))];
  expect((await run(['wrong'], { verbs: wrong })).error).toBe('callctl: too few\n\nUsage: callctl wrong [options]');
  const stopped = [verbFor('waits', ({ signal }) => Promise.reject(signal.reason))];
  const aborted = await run(['waits'], { verbs: stopped, signal: AbortSignal.abort(new Error('x')) });
  expect(aborted).toMatchObject({ code: 1, error: 'callctl: interrupted' });
});

function verbFor(name: string, body: Verb['run']): Verb {
  return { name, summary: 'for tests', arguments: [], options: {}, run: body };
}
