/**
 * How many texts are read at once: so many that a batch takes about as long as an abort may wait.
 */

/** A batch should take about this long, in milliseconds. */
const BATCH_TIME = 100;
const FIRST_BATCH = 4;
/** More are not taken at once, however fast they are. */
const LARGEST_BATCH = 64;

export class AdaptiveBatch {
  #batch = FIRST_BATCH;

  /**
   * Does a batch, and learns from the time it takes.
   *
   * @template T
   * @param {(limit: number) => T} batch
   * @returns {T}
   */
  run(batch) {
    const start = performance.now();
    const answer = batch(this.#batch);
    const took = performance.now() - start;
    if (took < BATCH_TIME / 2) this.#batch = Math.min(this.#batch * 2, LARGEST_BATCH);
    else if (took > BATCH_TIME * 2) this.#batch = Math.max(this.#batch >> 1, 1);
    return answer;
  }
}
