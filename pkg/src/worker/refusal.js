/**
 * What goes wrong with a GPU, and what becomes of it.
 */

import { inTime } from '../shared/in-time.js';

/** Why there is no GPU, as it follows "because" in a sentence. */
export class Refusal extends Error {
  /** @param {string} message @param {{ isLasting?: boolean }} [options] whether the same test would find the same on another day */
  constructor(message, { isLasting = false } = {}) {
    super(message);
    this.isLasting = isLasting;
  }
}

/** What follows "because". @param {unknown} error */
export function why(error) {
  return error instanceof Refusal ? error.message : `it failed (${String(error).replace(/\.$/, '')})`;
}

/** After a trap, nothing of the wasm can be trusted, whoever made it. @param {unknown} error */
export function refuseTrap(error) {
  if (error instanceof WebAssembly.RuntimeError) throw error;
}

/**
 * Refuses what is no answer: f16 ends at 65504, and drivers have faults that no test has met.
 * @param {Float32Array} states
 */
export function refuseNonFinite(states) {
  let sum = 0;
  // Of any finite number nothing is left.
  for (const x of states) sum += 0 * x;
  if (sum !== 0) throw new Refusal('it gave numbers that are not finite');
}

/**
 * What the GPU answers, unless it takes too long.
 *
 * @template T
 * @param {Promise<T>} answer
 * @param {number} limit milliseconds
 * @param {(late: T) => void} [undo] what comes of an answer that is too late
 */
export function answered(answer, limit, undo) {
  return inTime(answer, limit, () => new Refusal('it does not answer'), undo);
}
