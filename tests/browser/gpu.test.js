// The kernels of the GPU and the towers that are made of them, beside their twins in double precision. Chromium computes here in
// software, which says nothing of speed; compiling is most of what the tests take, so they share what was compiled.

import assert from 'node:assert/strict';
import test from 'node:test';
import { ROOT } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { IN_FIREFOX } from './support/browser.js';
import { openBrowserWithGpu } from './support/gpu.js';

const skip = IN_FIREFOX && 'Firefox has no WebGPU in software';

if (!skip) {
  const browser = await openBrowserWithGpu();
  const site = await serve({ root: ROOT });
  const page = await browser.newPage();
  test.after(async () => {
    await browser.close();
    await site.close();
  });
  await page.goto(`${site.url}tests/gpu/page.html`);

  /**
   * Calls a function of tests/gpu/page.js.
   * @param {string} name @param {unknown[]} args
   */
  const call = (name, ...args) =>
    page.evaluate(
      async ({ name, args }) => {
        const functions = await import('../gpu/page.js');
        return functions[name](...args);
      },
      { name, args },
    );
  tests(call);
}

/** @param {(name: string, ...args: unknown[]) => Promise<any>} call */
function tests(call) {
  /** Both cores compile. */
  const both = { concurrency: 2 };

  test('kernels equal their twins', both, async (t) => {
    /** @param {string} name @param {object} options @param {boolean} [packed] */
    const equal = (name, options, packed) =>
      t.test(
        `${name} ${JSON.stringify(options)}${packed === false ? ' without packed products' : ''}`,
        async () => {
          const off = await call('kernel', name, options, packed);
          assert.ok(off <= 1e-4, `off by ${off}`);
        },
      );
    const all = [
      equal('attention', { width: 128, heads: 1, length: 33, images: 3, queries: 1 }),
      equal('attention', { width: 128, heads: 2, length: 50, images: 3, quantize: true }),
      equal('attention', { width: 160, heads: 2, length: 37, images: 2 }),
      equal('attention', { width: 128, heads: 2, length: 197 }),
      equal('attention', { width: 24, heads: 2, length: 50, images: 2 }),
      equal('attention', { width: 24, heads: 3, length: 5 }),
      // Lengths that end within a step of keys and within a workgroup's queries, and at their ends.
      equal('attention', { width: 128, heads: 2, length: 77, images: 2, causal: true }),
      equal('attention', { width: 128, heads: 2, length: 64, images: 2, causal: true, quantize: true }),
      equal('attention', { width: 128, heads: 2, length: 31, images: 3, causal: true, quantize: true }),
      equal('attention', { width: 160, heads: 2, length: 37, images: 2, causal: true }),
      equal('attention', { width: 24, heads: 2, length: 8, images: 5, causal: true }),
      equal('attention', { width: 24, heads: 3, length: 1, images: 2, causal: true }),
      equal('rows', { rows: 9, width: 24, norm: false, quantize: false, listed: true }),
      equal('rows', { rows: 7, width: 72, norm: false, quantize: true, listed: true }),
      equal('rows', { rows: 5, width: 24, norm: false, quantize: false, stride: 3 }),
      equal('rows', { rows: 50, width: 40, norm: true, quantize: false }),
      equal('rows', { rows: 197, width: 72, norm: true, quantize: true }),
      equal('rows', { rows: 3, width: 768, norm: true, quantize: true }),
      equal('rows', { rows: 1, width: 64, norm: false, quantize: true }),
      equal('rows', { rows: 5, width: 2560, norm: false, quantize: true }),
    ];
    const shapes = [
      { rows: 1, columns: 64, outputs: 24 },
      { rows: 5, columns: 24, outputs: 40 },
      { rows: 50, columns: 72, outputs: 64 },
      { rows: 197, columns: 40, outputs: 72 },
    ];
    for (const dtype of ['int8', 'f16', 'f32']) {
      for (const shape of shapes) all.push(equal('product', { ...shape, dtype, tile: '16x64' }));
    }
    const odd = { rows: 50, columns: 100, outputs: 72 };
    all.push(
      equal('product', { ...odd, dtype: 'int8', tile: '8x32' }, false),
      equal('product', { ...odd, dtype: 'int8', tile: '64x64', output: 'add' }),
      equal('product', { ...odd, dtype: 'int8', tile: '128x64', output: 'quantize', activation: 'gelu' }),
      equal('product', { ...odd, dtype: 'int8', tile: '32x64', output: 'embed' }),
      equal('product', { ...odd, dtype: 'f32', tile: '128x64', output: 'quantize' }),
      equal('product', { ...odd, dtype: 'f32', tile: '64x64', output: 'add', activation: 'quick_gelu' }),
      equal('product', { ...odd, dtype: 'f16', tile: '32x32', output: 'embed' }),
    );
    for (const activation of ['gelu', 'gelu_tanh', 'relu', 'relu6', 'silu']) {
      all.push(equal('product', { ...odd, rows: 8, dtype: 'f32', tile: '8x32', activation }));
    }
    await Promise.all(all);
  });

  test('towers equal their twins', both, async (t) => {
    /** @param {string} name @param {object} options @param {{ off?: number, least?: number }} bounds */
    const equal = (name, options, { off = Infinity, least = 0.9995 }) =>
      t.test(name, async () => {
        const found = await call('tower', options);
        assert.ok(found.off <= off && found.least >= least, JSON.stringify(found));
        assert.ok(found.bytes > 100_000, `${found.bytes} bytes`);
      });
    await Promise.all([
      equal('CLIP in f32', { dtype: 'f32' }, { off: 2e-3 }),
      equal('CLIP in int8', { dtype: 'int8' }, {}),
      equal(
        'matrices of several dtypes',
        { dtype: 'int8', others: { patch_embedding: 'f32', out: 'f16', down: 'f32' }, rows: ['class'] },
        {},
      ),
      equal(
        'registers, layer scale, queries apart, f16',
        { dtype: 'f16', description: { prefix: 5, preNorm: false }, layerScale: true, fused: false },
        { off: 2e-3 },
      ),
      equal(
        'no class token, a width that fills no panel, patches that fill no four, no biases, int8',
        {
          dtype: 'int8',
          description: { prefix: 0, preNorm: false, width: 36, heads: 3, inputs: 27, intermediate: 340 },
          layerScale: true,
          fused: false,
          biased: false,
          rows: ['all'],
        },
        {},
      ),
    ]);
  });

  test('towers of texts equal their twins', both, async (t) => {
    /** @param {string} name @param {object} options @param {{ off?: number, least?: number }} bounds */
    const equal = (name, options, { off = Infinity, least = 0.9995 }) =>
      t.test(name, async () => {
        const found = await call('texts', options);
        assert.ok(found.off <= off && found.least >= least, JSON.stringify(found));
      });
    const description = { causal: true };
    const lengths = [9, 1, 16, 5, 8];
    await Promise.all([
      equal('CLIP in f32', { dtype: 'f32', description, lengths }, { off: 2e-3 }),
      equal('CLIP in int8', { dtype: 'int8', description, lengths }, {}),
      equal(
        'matrices of several dtypes, queries apart',
        { dtype: 'int8', description, lengths, others: { out: 'f32', up: 'f16' }, fused: false },
        {},
      ),
      equal(
        'texts that are seen as a whole, a width that fills no block',
        { dtype: 'int8', description: { width: 36, heads: 3, intermediate: 340 }, lengths: [13, 13] },
        {},
      ),
      equal(
        'texts longer than a workgroup has queries',
        { dtype: 'f32', description, lengths: [77, 40] },
        {},
      ),
    ]);
  });

  test('what texts see of images equals its twin', both, async () => {
    for (const dtype of ['f32', 'int8']) {
      // As wide as the tower, and narrower, with matrices that are stacked within a panel.
      const width = dtype === 'f32' ? 64 : 36;
      const description = { preNorm: false, output: 'all', keyValues: { layers: 2, width } };
      const found = await call('keyValues', { dtype, description });
      assert.ok(found.off <= (dtype === 'f32' ? 2e-3 : Infinity), JSON.stringify(found));
      assert.ok(found.least >= 0.9995, JSON.stringify(found));
    }
  });

  test('texts get the same rows alone and together, and are of one length', async () => {
    const { same, refused } = await call('textsTogether');
    assert.deepEqual(same, Array(7).fill(true));
    assert.match(refused, /of one length/);
  });

  test('images get the same states alone, together, and in many submits', async () => {
    assert.deepEqual(await call('together'), [[true], [true, true, true, true], [], [true]]);
  });

  test('the first layers alone give what a shorter tower gives', async () => {
    assert.deepEqual(await call('beginning'), [true, true]);
  });

  test('tiles are measured once for each kind of product', async () => {
    const { off, once, twice, keys, tiles } = await call('tuned');
    assert.ok(off <= 1e-4, `off by ${off}`);
    // That of eight rows and that of sixteen.
    assert.deepEqual([once, twice, keys.length], [2, 2, 1]);
    assert.match(keys[0], / int8 store 16 24 64$/);
    assert.ok(['8x32', '16x64'].includes(tiles[0]), tiles[0]);
  });

  test('a device that goes away has runs reject', async () => {
    assert.equal(await call('losing'), 'rejected, rejected');
  });

  test('what cannot be computed is refused in a sentence', async () => {
    assert.match(await call('refusal', { width: 62 }), /no tower of width 62/);
    assert.match(await call('refusal', { width: 256, heads: 1 }), /heads of 256/);
    assert.match(await call('refusal', {}, 'layers.1.down'), /no layers\.1\.down of 64 by 160/);
    assert.match(await call('refusal', { layers: 3 }), /layers\.2\.norm1\.weight/);
    assert.match(await call('tooLarge'), /The GPU refuses: /);
  });

  test('nothing was complained of that nobody caught', async () => {
    assert.deepEqual(await call('uncaught'), []);
  });
}
