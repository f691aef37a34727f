/** What both sides of the worker boundary need to know about `AbortSignal`. */

import { AbortError } from './errors.js';

/**
 * The error of a call whose signal has aborted. That of `AbortSignal.timeout` keeps its name, `TimeoutError`.
 *
 * @param {AbortSignal | null | undefined} signal
 * @returns {AbortError}
 */
export function abortError(signal) {
  const cause = signal?.reason;
  if (cause?.name !== 'TimeoutError') return new AbortError('aborted', 'The call was aborted.', { cause });
  const error = new AbortError('aborted', 'The call took longer than its signal allows.', { cause });
  error.name = 'TimeoutError';
  return error;
}

/**
 * @param {AbortSignal | null | undefined} signal
 */
export function throwIfAborted(signal) {
  if (signal?.aborted) throw abortError(signal);
}

/**
 * Waits for `promise`, but no longer than until the signal aborts. The promise itself goes on: others may
 * be waiting for it too.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<T>}
 */
export function unlessAborted(promise, signal) {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(abortError(signal));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/**
 * A controller of its own that also aborts when `signal` does. (`AbortSignal.any` is younger than the
 * browsers that can run ocelli.) Call `unlink` when done, so that a long-lived signal forgets it.
 *
 * @param {AbortSignal | null | undefined} signal
 * @returns {{ controller: AbortController, unlink: () => void }}
 */
export function linkedController(signal) {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  return { controller, unlink: () => signal?.removeEventListener('abort', abort) };
}

/**
 * Resolves after `milliseconds`, or rejects as soon as the signal aborts.
 *
 * @param {number} milliseconds
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<void>}
 */
export function pause(milliseconds, signal) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const elapsed = new Promise((/** @type {(value: void) => void} */ resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return unlessAborted(elapsed, signal).finally(() => clearTimeout(timer));
}
