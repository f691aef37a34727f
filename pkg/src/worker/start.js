/**
 * What a worker becomes, which its first message says: a thread of another's pool, or the engine with the protocol on its
 * other side.
 *
 * @typedef {import('./service.js').Port} Port
 */

import { watchPolicy } from '../shared/policy.js';
import { startEngine } from './engine.js';
import { serve } from './service.js';
import { runThread } from './thread.js';

/** @param {Port} port */
export function startInWorker(port) {
  watchPolicy();
  port.addEventListener(
    'message',
    ({ data }) => {
      if (data.type === 'thread') void runThread(port, data);
      // The page waits for this word: not every browser tells it that a worker's script could not be loaded.
      else port.postMessage({ type: 'started' });
    },
    { once: true },
  );
  serve(port, startEngine);
}
