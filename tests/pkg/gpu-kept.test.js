// What is kept of a browser's GPUs. The Cache API is a fake, as Node has none.

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  forgetGpus,
  readRefusals,
  readTuning,
  writeRefusals,
  writeTuning,
} from '../../pkg/src/cache/tuning.js';

test('what was found out about GPUs is kept, and forgotten together', async (t) => {
  /** @type {Map<string, Map<string, Response>>} */
  const all = new Map();
  const caches = {
    open: async (/** @type {string} */ name) => {
      const entries = all.get(name) ?? new Map();
      all.set(name, entries);
      return {
        match: async (/** @type {string} */ address) => entries.get(address)?.clone(),
        put: async (/** @type {string} */ address, /** @type {Response} */ response) =>
          void entries.set(address, response),
      };
    },
    delete: async (/** @type {string} */ name) => all.delete(name),
  };
  Object.assign(globalThis, { caches });
  t.after(() => Reflect.deleteProperty(globalThis, 'caches'));
  await writeTuning({ product: '8x32' });
  await writeRefusals({ gpu: 'it is slow' });
  assert.deepEqual([await readTuning(), await readRefusals()], [{ product: '8x32' }, { gpu: 'it is slow' }]);
  await forgetGpus();
  assert.deepEqual([await readTuning(), await readRefusals()], [{}, {}]);
});

test('where nothing can be kept, nothing is, and nobody minds', async () => {
  await writeRefusals({ gpu: 'it is slow' });
  await forgetGpus();
  assert.deepEqual(await readRefusals(), {});
});
