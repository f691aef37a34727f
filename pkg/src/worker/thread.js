/**
 * One thread of the pool: see `threads.js`.
 *
 * @typedef {import('../shared/protocol.js').ThreadMessage} ThreadMessage
 */

import { generated } from './variants.js';

/**
 * @param {import('./service.js').Port} port
 * @param {ThreadMessage} message
 */
export async function runThread(port, { variant, compiled, memory }) {
  try {
    const module = generated(variant);
    if (!module?.ThreadPool) throw new Error(`The variant ${variant} has no threads.`);
    await module.default({ module_or_path: compiled, memory });
    port.postMessage({ type: 'thread-ready' });
    // From here on this worker only computes: it never returns to its messages.
    module.ThreadPool.run();
  } catch (error) {
    port.postMessage({ type: 'thread-failed', reason: String(error) });
  }
}
