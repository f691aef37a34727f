/** What a call tells while it runs, as it is told. */

import { linkedController } from '../shared/abort.js';

/**
 * The items that a call hands to a callback, one by one; then its error, if it has one. Nothing is begun before the first is
 * asked for, and leaving the loop early ends the call.
 *
 * @template T
 * @param {AbortSignal | null | undefined} signal
 * @param {(signal: AbortSignal, tell: (item: T) => void) => Promise<unknown>} start
 * @returns {AsyncGenerator<T, void, void>}
 */
export async function* streamed(signal, start) {
  const { controller, unlink } = linkedController(signal);
  /** @type {T[]} */
  const waiting = [];
  let ended = false;
  let wake = () => {};
  const tell = (/** @type {T} */ item) => {
    waiting.push(item);
    wake();
  };
  const call = start(controller.signal, tell).finally(() => {
    ended = true;
    wake();
  });
  // It is awaited below, but a loop that was left early never gets there.
  call.catch(() => {});
  try {
    for (;;) {
      yield* waiting.splice(0);
      if (waiting.length > 0) continue;
      if (ended) break;
      await new Promise((/** @type {(value: void) => void} */ resolve) => (wake = resolve));
    }
    await call;
  } finally {
    unlink();
    controller.abort();
  }
}
