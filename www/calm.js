/**
 * What lets people scroll while models work. Models take every core there is, and frames then come late: so what begins anew waits while
 * somebody scrolls, and the picture under their eyes is next once they have stopped.
 */

/** Milliseconds without scrolling after which it is over. */
const STILL = 150;
/** Milliseconds that anything waits at most: work goes on, however long somebody scrolls. */
const LONGEST = 5000;
/** From so many scrolls in a row on somebody does it: the page itself makes one now and then, to stay where it was. */
const IN_A_ROW = 3;

/** What the time is, and how it goes by. */
const CLOCK = {
  now: () => performance.now(),
  wait: (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/**
 * @param {Partial<Pick<EventTarget, 'addEventListener'>>} page where scrolls are told of
 * @param {{ now: () => number, wait: (ms: number) => Promise<unknown> }} [clock]
 * @returns {(signal?: AbortSignal) => Promise<void>} waits while somebody scrolls
 */
export function calmOn(page, { now, wait } = CLOCK) {
  let last = -Infinity;
  let row = 0;
  const note = () => {
    row = now() - last < STILL ? row + 1 : 1;
    last = now();
  };
  page.addEventListener?.('scroll', note, { passive: true, capture: true });
  return async (signal) => {
    const begun = now();
    for (;;) {
      signal?.throwIfAborted();
      const left = Math.min(last + STILL, begun + LONGEST) - now();
      if (row < IN_A_ROW || left <= 0) return;
      await wait(left);
    }
  };
}

export const calm = calmOn(globalThis);
