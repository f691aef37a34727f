/**
 * Freeing handles, also when something went wrong before.
 */

/**
 * Frees what a handle holds. A handle that was in use when the wasm trapped stays borrowed for ever, and
 * freeing it throws: then the trap is the error to tell, and the memory goes with the worker.
 *
 * @param {{ free: () => void }} handle
 */
export function release(handle) {
  try {
    handle.free();
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('borrowed'))) throw error;
  }
}
