import { expect, test } from 'vitest';
import { createWindow } from './window.ts';

/** Sends until the window shuts, at most so many frames; counts frames and pings. */
function sendAll(window: ReturnType<typeof createWindow>, most: number) {
  const counted = { frames: 0, pings: 0 };
  while (counted.frames < most && window.isOpen()) {
    counted.frames += 1;
    if (window.sent()) counted.pings += 1;
  }
  return counted;
}

test('a fast call runs at most a second of audio ahead of what was read', () => {
  const window = createWindow(20, () => 0);
  expect(sendAll(window, 1_000)).toEqual({ frames: 50, pings: 2 });
  window.answered();
  expect(sendAll(window, 1_000)).toEqual({ frames: 25, pings: 1 });
});

test('who never answers is waited for ten seconds', () => {
  let wall = 0;
  const window = createWindow(20, () => wall);
  sendAll(window, 1_000);
  wall = 9_999;
  expect(window.isOpen()).toBe(false);
  wall = 10_000;
  expect(window.isOpen()).toBe(true);
});

test('a call in real time waits for nobody and sends no ping', () => {
  expect(
    sendAll(
      createWindow(1, () => 0),
      1_000,
    ),
  ).toEqual({ frames: 1_000, pings: 0 });
});
