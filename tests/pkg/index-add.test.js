// How pictures go through a model into an index: alone, or together where a GPU computes. Worker and model are fakes.

import assert from 'node:assert/strict';
import test from 'node:test';
import { addPictures } from '../../pkg/src/page/index-add.js';
import { ImageError } from '../../pkg/src/shared/errors.js';

/** @param {'wasm' | 'webgpu'} device */
async function add(device) {
  /** @type {number[]} */
  const asked = [];
  /** @type {string[]} */
  const added = [];
  /** @type {number[]} */
  const told = [];
  const embedder = {
    runtime: { device },
    async embedImages(/** @type {number[]} */ images) {
      asked.push(images.length);
      const bad = images.indexOf(40);
      if (bad >= 0) throw new ImageError('image-damaged', 'It is damaged.', { index: bad });
      return images.map((image) => Float32Array.of(image, 1));
    },
  };
  const worker = {
    state: { width: null },
    reading: (/** @type {() => unknown} */ read) => read(),
    ask: async (/** @type {string} */ _, /** @type {{ ids: string[] }} */ { ids }) => added.push(...ids),
    hear() {},
  };
  const items = Array.from({ length: 70 }, (_, i) => ({ id: `${i}`, image: i }));
  const failed = await addPictures(
    /** @type {any} */ (worker),
    /** @type {any} */ (embedder),
    /** @type {any} */ (items),
    { onProgress: ({ loaded }) => told.push(loaded) },
  );
  assert.deepEqual(
    failed.map(({ id, error }) => [id, error.code]),
    [['40', 'image-damaged']],
  );
  assert.deepEqual(
    added,
    items.map(({ id }) => id).filter((id) => id !== '40'),
  );
  assert.equal(told.at(-1), 70);
  return asked;
}

test('pictures go into an index one after the other', async () => {
  assert.deepEqual(
    await add('wasm'),
    Array.from({ length: 70 }, () => 1),
  );
});

test('a GPU takes several at once, and a damaged one is found among them', async () => {
  assert.deepEqual(await add('webgpu'), [32, 32, ...Array.from({ length: 32 }, () => 1), 6]);
});
