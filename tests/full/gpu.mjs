// The full-size check of the GPU, in software: CLIP B/32, SigLIP B/16 and BLIP base on WebGPU beside WebAssembly.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { openBrowser } from '../browser/support/browser.js';

const FULL = fileURLToPath(new URL('../../target/full', import.meta.url));
/** Models by the class that reads them, and where they lie. */
const MODELS = /** @type {const} */ ([
  ['CLIP B/32', 'Embedder', 'openai/clip-vit-base-patch32/resolve/refs/pr/15/'],
  ['SigLIP B/16', 'Embedder', 'towers/siglip/'],
  ['BLIP base', 'Captioner', 'Salesforce/blip-image-captioning-base/resolve/main/'],
]);
/** Largest difference of a number of an embedding of length 1 in f32, and least cosine in int8. */
const BOUND = 2e-3;
const COSINE = 0.9995;
const PATIENCE = 20 * 60_000;

/** @param {number[]} a @param {number[]} b */
function compare(a, b) {
  const dot = (/** @type {number[]} */ x, /** @type {number[]} */ y) =>
    x.reduce((sum, value, i) => sum + value * (y[i] ?? NaN), 0);
  return {
    off: Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? NaN)))),
    cosine: dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
  };
}

/** Compares the devices with each other. @param {readonly (readonly [string, string, string])[]} [models] */
export async function checkGpu(models = MODELS) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-gpu-'));
  writeFileSync(
    path.join(folder, 'index.html'),
    `<!doctype html><title>gpu</title><script type="module">
      import * as ocelli from '/ocelli/dist/index.js';
      globalThis.ocelli = ocelli;
    </script>`,
  );
  const site = await serve({ root: folder, mounts: { '/ocelli/': path.join(ROOT, 'pkg'), '/full/': FULL } });
  const browser = await openBrowser({ gpu: true });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    await page.goto(site.url);
    await page.waitForFunction(() => globalThis.ocelli !== undefined);
    for (const [name, kind, where] of models) {
      if (!existsSync(path.join(FULL, where, 'config.json'))) {
        console.log(`${name}: skipped, tests/full/make_towers.py has not been run`);
        continue;
      }
      for (const dtype of ['f32', 'int8']) {
        const ask = (/** @type {string} */ device) =>
          page.evaluate(
            async ({ kind, model, dtype, device }) => {
              const more = kind === 'Embedder' ? { tower: 'image' } : {};
              const loaded = await globalThis.ocelli[kind].load(model, { dtype, device, ...more });
              const start = performance.now();
              const picture = '/full/images/waves.png';
              const answer =
                kind === 'Embedder'
                  ? [...(await loaded.embedImages([picture]))[0]]
                  : await loaded.caption(picture, { maxTokens: 10 });
              const { runtime } = loaded;
              loaded.dispose();
              return { answer, runtime, seconds: (performance.now() - start) / 1000 };
            },
            { kind, model: `${site.url}full/${where}`, dtype, device },
          );
        const [own, gpu] = [await ask('wasm'), await ask('webgpu')];
        assert.equal(gpu.runtime.device, 'webgpu', gpu.runtime.reason);
        const times = `${own.seconds.toFixed(1)} s in WebAssembly, ${gpu.seconds.toFixed(1)} s on the GPU`;
        if (typeof own.answer === 'string') {
          console.log(`${name}, ${dtype}: "${gpu.answer}"; ${times}`);
          // In int8 both round, each in its own way, and seeded weights hardly prefer one word to another.
          if (dtype === 'f32') assert.equal(gpu.answer, own.answer);
          continue;
        }
        const { off, cosine } = compare(own.answer, gpu.answer);
        console.log(
          `${name}, ${dtype}: off by ${off.toExponential(1)}, cosine ${cosine.toFixed(6)}; ${times}`,
        );
        if (dtype === 'f32') assert.ok(off <= BOUND);
        assert.ok(cosine >= COSINE);
      }
    }
  } finally {
    await browser.close();
    await site.close();
    rmSync(folder, { recursive: true });
  }
}
