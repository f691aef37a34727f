// How long models of full size take to load in Node, the first time and from what was kept: `npm run bench:loads`, after
// `npm run build:wasm`, `npm run build:package` and both programs of tests/full.

import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { main, ROOT, say } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { grid } from './lib/statistics.mjs';

const ROUNDS = 3;
/** Models, their class, their folder below target/full, and how they are loaded. */
const MODELS = /** @type {const} */ ([
  ['CLIP B/32', 'Tagger', 'openai/clip-vit-base-patch32/resolve/refs/pr/15/', {}],
  ['RN50, pictures', 'Embedder', 'towers/rn50/', { tower: 'image' }],
  ['SigLIP B/16, pictures', 'Embedder', 'towers/siglip/', { tower: 'image' }],
  ['XLM-RoBERTa base, texts', 'Embedder', 'towers/xlm_roberta/', { tower: 'text' }],
  ['BLIP base', 'Captioner', 'Salesforce/blip-image-captioning-base/resolve/main/', {}],
]);

await main(import.meta, async () => {
  const cache = mkdtempSync(path.join(os.tmpdir(), 'ocelli-loads-'));
  process.env.OCELLI_CACHE = cache;
  /** @type {Record<string, any>} */
  const ocelli = await import(new URL('../../pkg/dist/node.js', import.meta.url).href);
  const server = await serve({ root: path.join(ROOT, 'target/full') });
  try {
    const rows = [];
    for (const [name, className, folder, options] of MODELS) {
      /** @type {Record<string, number>} */
      const least = { first: Infinity, kept: Infinity };
      for (let round = 0; round < ROUNDS; round++) {
        rmSync(cache, { recursive: true, force: true });
        for (const what of ['first', 'kept']) {
          const start = performance.now();
          const model = await ocelli[className].load(`${server.url}${folder}`, { cache: true, ...options });
          least[what] = Math.min(least[what] ?? Infinity, performance.now() - start);
          model.dispose();
        }
      }
      rows.push([name, ...Object.values(least).map((ms) => (ms / 1000).toFixed(2))]);
    }
    say(`\n${grid([['load, s, least of three', 'first', 'kept'], ...rows], [1, 2])}`);
  } finally {
    await server.close();
    rmSync(cache, { recursive: true, force: true });
  }
});
