// What the test runners say of themselves at their end, read from their own output.

/**
 * @typedef {{ passed: number, failed: number, skipped: number }} Counts
 */

/** @returns {Counts} */
export function noCounts() {
  return { passed: 0, failed: 0, skipped: 0 };
}

/**
 * Adds what one line of cargo's or Node's test runner tells; other lines tell nothing.
 *
 * `cargo test` ends each test binary with one line; `node --test` ends with one line for each number, in its
 * `spec` form (`ℹ pass 3`) or its `tap` form (`# pass 3`).
 *
 * @param {Counts} counts changed in place
 * @param {string} line
 */
export function countLine(counts, line) {
  const cargo = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;/.exec(line);
  if (cargo) {
    counts.passed += Number(cargo[1]);
    counts.failed += Number(cargo[2]);
    counts.skipped += Number(cargo[3]);
    return;
  }
  const node = /^(?:ℹ|#) (pass|fail|cancelled|skipped|todo) (\d+)$/.exec(line.trim());
  if (!node) return;
  const number = Number(node[2]);
  if (node[1] === 'pass') counts.passed += number;
  else if (node[1] === 'fail' || node[1] === 'cancelled') counts.failed += number;
  else counts.skipped += number;
}

/**
 * `12 passed, 0 failed, 1 skipped`; nothing is said of skipped tests where there are none.
 * @param {Counts} counts
 */
export function inWords({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
