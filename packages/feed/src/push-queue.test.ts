import { expect, it } from 'vitest';
import { PushQueue } from './push-queue.js';

/** A queue whose event loop turns when the test says so; each push costs 1 ms. */
function queueWith(budgetMs: number) {
  const pushed: string[] = [];
  const turns: (() => void)[] = [];
  let nowMs = 0;
  const queue = new PushQueue<string>({
    push: (client) => {
      pushed.push(client);
      nowMs += 1;
    },
    nowMs: () => nowMs,
    nextTurn: (callback) => turns.push(callback),
    budgetMs,
  });
  return { queue, pushed, turn: () => turns.shift()?.(), turns };
}

it('pushes once to a client that several changes concern', () => {
  const { queue, pushed, turn, turns } = queueWith(10);
  for (let change = 0; change < 5; change++) {
    queue.add('a');
    queue.add('b');
  }
  expect(pushed).toEqual([]);
  turn();
  expect(pushed).toEqual(['a', 'b']);
  expect(turns).toEqual([]);
});

it('gives the event loop its turn between slices, and reaches everyone', () => {
  const { queue, pushed, turn } = queueWith(2);
  for (const client of ['a', 'b', 'c', 'd', 'e']) queue.add(client);
  turn();
  expect(pushed).toEqual(['a', 'b']);
  queue.add('a');
  queue.delete('d');
  turn();
  expect(pushed).toEqual(['a', 'b', 'c', 'e']);
  turn();
  expect(pushed.at(-1)).toBe('a');
  expect(queue.size).toBe(0);
});
