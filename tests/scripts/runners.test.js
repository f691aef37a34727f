import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countLine, inWords, noCounts } from '../../scripts/lib/runners.mjs';

/** @param {string} output */
function count(output) {
  const counts = noCounts();
  for (const line of output.split('\n')) countLine(counts, line);
  return counts;
}

test('cargo ends each binary with a line, and all of them count', () => {
  const counts = count(`
running 2 tests
test nn::tests::adds ... ok
test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests ocelli
test result: FAILED. 3 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s`);
  assert.deepEqual(counts, { passed: 5, failed: 4, skipped: 1 });
});

test('Node says it in two dialects', () => {
  assert.deepEqual(count('ℹ tests 9\nℹ suites 1\nℹ pass 4\nℹ fail 1\nℹ cancelled 1\nℹ skipped 2\nℹ todo 1'), {
    passed: 4,
    failed: 2,
    skipped: 3,
  });
  assert.deepEqual(count('# tests 2\n# pass 2\n# fail 0\n# skipped 0'), { passed: 2, failed: 0, skipped: 0 });
});

test('what tests print is not counted', () => {
  assert.deepEqual(
    count('✔ counts ℹ pass 7 (1 ms)\n# pass 7 of 9\nsome test result: ok. 1 passed'),
    noCounts(),
  );
});

test('in words', () => {
  assert.equal(inWords({ passed: 12, failed: 0, skipped: 0 }), '12 passed, 0 failed');
  assert.equal(inWords({ passed: 12, failed: 1, skipped: 2 }), '12 passed, 1 failed, 2 skipped');
});
