// Products in float16, where an adapter computes in it: in Node through Dawn, because the software adapter of Chromium does not.

import assert from 'node:assert/strict';
import test from 'node:test';
import { TILES } from '../../pkg/src/worker/gpu/kernels/product.js';
import { GpuTower } from '../../pkg/src/worker/gpu/tower.js';
import { openDevice } from '../bench/gpu/device.mjs';
import { Bench, product } from '../gpu/kernels.js';
import { compareTower } from '../gpu/towers.js';

/** Largest difference of a result, relative to the largest: inputs and sums of 16 columns have eleven bits. */
const BOUND = 2e-3;

const opened = await openDevice().catch((error) => error);
const skip =
  opened instanceof Error
    ? `WebGPU in Node: ${opened.message}`
    : !opened.device.features.has('shader-f16') && 'this adapter has no shader-f16';
// Dawn keeps Node alive.
test.after(() => opened.device?.destroy());

/** Rows and columns that fill no tile, and one row alone; each output once. */
const CASES = /** @type {const} */ ([
  [{ rows: 1, columns: 64, outputs: 24 }, 'store'],
  [{ rows: 197, columns: 40, outputs: 72 }, 'add'],
  [{ rows: 50, columns: 100, outputs: 72 }, 'quantize'],
  [{ rows: 50, columns: 100, outputs: 72 }, 'embed'],
]);

for (const [i, [shape, output]] of CASES.entries()) {
  test(`products in float16 equal their twins, ${output}`, { skip }, async () => {
    const bench = new Bench(opened.device);
    // Each tile with half of the outputs: compiling is what takes time in software.
    const names = /** @type {(keyof typeof TILES)[]} */ (Object.keys(TILES));
    for (const tile of names.filter((_, at) => (at + i) % 2 === 0)) {
      const off = await product(bench, { ...shape, dtype: 'f16', tile, output, activation: 'gelu' });
      assert.ok(off <= BOUND, `${tile}: off by ${off}`);
    }
  });
}

test('products in float16 differ from those in float32', { skip }, async () => {
  const shape = /** @type {const} */ ({ rows: 50, columns: 768, outputs: 72, dtype: 'f16' });
  const half = await product(new Bench(opened.device), shape);
  const whole = await product(new Bench(opened.device, { half: false }), shape);
  assert.ok(whole < 1e-5 && half > whole && half <= BOUND, `off by ${half} and ${whole}`);
});

test('a tower in float16 equals its twin', { skip }, async () => {
  const { off, least, tower } = await compareTower(opened.device, GpuTower, { dtype: 'f16' });
  tower.destroy();
  assert.ok(off <= BOUND && least >= 0.99999, `off by ${off}, cosine ${least}`);
});
