import { expect, it } from 'vitest';
import { shareReads } from './shared-reads.ts';

it('everybody who comes while a key is being read shares one read that begins afterwards', async () => {
  const world = createWorld();
  const first = world.read('one');
  const others = [world.read('one'), world.read('one'), world.read('one')];
  expect(world.begun).toEqual(['one']);
  world.end(0, 'old');
  await expect(first).resolves.toBe('old');
  expect(world.begun).toEqual(['one', 'one']);
  world.end(1, 'new');
  await expect(Promise.all(others)).resolves.toEqual(['new', 'new', 'new']);
});

it('keys do not wait for each other, and nothing is remembered', async () => {
  const world = createWorld();
  const [one, two] = [world.read('one'), world.read('two')];
  world.end(1, 'of two');
  await expect(two).resolves.toBe('of two');
  world.end(0, 'of one');
  await expect(one).resolves.toBe('of one');
  const again = world.read('one');
  world.end(2, 'newer');
  await expect(again).resolves.toBe('newer');
});

it('a read that fails is an error for those who waited for it and nobody else', async () => {
  const world = createWorld();
  const first = world.read('one');
  const second = world.read('one');
  world.end(0, new Error('no answer'));
  await expect(first).rejects.toThrow('no answer');
  world.end(1, 'there');
  await expect(second).resolves.toBe('there');
});

function createWorld() {
  const begun: string[] = [];
  const reads: PromiseWithResolvers<string>[] = [];
  const read = shareReads((key) => {
    begun.push(key);
    const reading = Promise.withResolvers<string>();
    reads.push(reading);
    return reading.promise;
  });
  const end = (place: number, answer: string | Error): void => {
    if (answer instanceof Error) reads[place]?.reject(answer);
    else reads[place]?.resolve(answer);
  };
  return { read, begun, end };
}
