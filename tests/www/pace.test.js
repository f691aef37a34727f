import assert from 'node:assert/strict';
import test from 'node:test';
import { duration, Pace } from '../../www/pace.js';

test('the time left is that of the pictures to come at the pace of the last seconds', () => {
  const pace = new Pace();
  assert.equal(pace.left({ done: 0, open: 100, now: 0 }), null, 'nothing to go by yet');
  assert.equal(pace.left({ done: 10, open: 90, now: 1000 }), null, 'too early to tell');
  assert.equal(pace.left({ done: 50, open: 50, now: 5000 }), 5000);
  // It has become slower: after a while that alone counts.
  let left = null;
  for (let now = 6000; now <= 60_000; now += 1000) {
    left = pace.left({ done: 50 + (now - 5000) / 10_000, open: 40, now });
  }
  assert.ok(left !== null && Math.abs(left - 400_000) < 1000, String(left));
});

test('what is asked anew, or was stopped, begins anew', () => {
  const pace = new Pace();
  pace.left({ done: 0, open: 100, now: 0 });
  assert.notEqual(pace.left({ done: 50, open: 50, now: 5000 }), null);
  assert.equal(pace.left({ done: 0, open: 100, now: 6000 }), null);
  pace.left({ done: 50, open: 50, now: 11_000 });
  assert.equal(pace.left({ done: 51, open: 49, now: 60_000 }), null, 'nobody knows what was between');
  assert.equal(pace.left({ done: 100, open: 0, now: 61_000 }), null);
});

test('durations are as exact as they are known', () => {
  const said = [4, 12, 54, 60, 119, 3540, 3600, 4500].map((seconds) => duration(1000 * seconds));
  assert.deepEqual(said, [
    ...['about 5 s', 'about 10 s', 'about 55 s', 'about 1 min', 'about 2 min', 'about 59 min'],
    ...['about 1 h', 'about 1 h 10 min'],
  ]);
});
