import assert from 'node:assert/strict';
import test from 'node:test';
import { median, summarise, table } from '../bench/lib/statistics.mjs';

test('the median of an odd and of an even number of times', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([7]), 7);
});

test('ratios are those of the fastest runs', () => {
  const times = new Map([
    ['ours', [50, 40, 90]],
    ['theirs', [100, 80, 85]],
  ]);
  const rows = summarise(times, [
    { name: 'ours', against: 'theirs', target: 0.4 },
    { name: 'absent', against: 'theirs', target: 1 },
  ]);
  assert.deepEqual(rows[0], {
    name: 'ours',
    median: 50,
    min: 40,
    against: 'theirs',
    target: 0.4,
    ratio: 0.5,
  });
  assert.deepEqual(rows[1], { name: 'theirs', median: 85, min: 80 });
  assert.match(table(rows), /0\.50 x theirs +0\.4 missed/);
});

test('of several peers the fastest counts', () => {
  const times = new Map([
    ['ours', [50]],
    ['theirs', [100]],
    ['theirs, smaller', [80]],
  ]);
  const against = ['theirs', 'theirs, smaller', 'absent'];
  const [ours] = summarise(times, [{ name: 'ours', against }]);
  assert.equal(ours?.against, 'theirs, smaller');
  assert.equal(ours?.ratio, 0.625);
  const [alone] = summarise(new Map([['ours', [50]]]), [{ name: 'ours', against }]);
  assert.equal(alone?.ratio, undefined);
});
