// Work that waits while somebody scrolls.

import assert from 'node:assert/strict';
import test from 'node:test';
import { calmOn } from '../../www/calm.js';

/**
 * A page, and what waits on it.
 * @param {(ms: number) => void} [meanwhile] what happens while it waits so long
 */
function begin(meanwhile = () => assert.fail('it waits')) {
  const page = new EventTarget();
  const clock = { time: 1000, waits: 0 };
  const calm = calmOn(page, {
    now: () => clock.time,
    async wait(ms) {
      clock.waits += 1;
      assert.ok(ms > 0);
      meanwhile(ms);
    },
  });
  const scroll = () => page.dispatchEvent(new Event('scroll'));
  return { calm, scroll, clock };
}

test('nothing waits where nobody scrolls, or the page moves now and then to stay where it was', async () => {
  const { calm, scroll, clock } = begin();
  await calm();
  for (let i = 0; i < 5; i++) {
    scroll();
    scroll();
    await calm();
    clock.time += 200;
  }
  for (let i = 0; i < 3; i++) scroll();
  clock.time += 150;
  await calm();
});

test('work waits until somebody has scrolled, however long it takes, but for five seconds', async () => {
  let left = 10;
  const { calm, scroll, clock } = begin((ms) => {
    clock.time += Math.max(1, ms - 1);
    if (left-- > 0) scroll();
    else clock.time += 1;
  });
  for (let i = 0; i < 3; i++) scroll();
  await calm();
  assert.equal(clock.waits, 11);
  assert.equal(clock.time, 1000 + 10 * 149 + 150);

  left = Infinity;
  for (let i = 0; i < 3; i++) scroll();
  const begun = clock.time;
  await calm();
  assert.ok(Math.abs(clock.time - begun - 5000) <= 1, String(clock.time - begun));
});

test('what is given up while it waits is given up', async () => {
  const controller = new AbortController();
  const { calm, scroll } = begin(() => controller.abort());
  for (let i = 0; i < 3; i++) scroll();
  await assert.rejects(calm(controller.signal), { name: 'AbortError' });
});
