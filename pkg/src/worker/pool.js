/** One thread of the pool: see `threads.js`. */

import { generated } from './variants.js';

addEventListener(
  'message',
  async ({ data: { variant, compiled, memory } }) => {
    try {
      const module = generated(variant);
      if (!module?.ThreadPool) throw new Error(`The variant ${variant} has no threads.`);
      await module.default({ module_or_path: compiled, memory });
      postMessage('ready');
      // From here on this worker only computes: it never returns to its messages.
      module.ThreadPool.run();
    } catch (error) {
      postMessage(String(error));
    }
  },
  { once: true },
);
