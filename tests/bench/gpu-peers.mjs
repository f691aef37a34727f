// ocelli and ONNX Runtime's WebGPU provider on the GPU of a browser: `npm run bench:gpu:peers`, after `npm run bench:setup` and
// `npm run build:wasm`. `SMALL=1` is for adapters in software, whose figures mean nothing.
//
// Pixels in, embeddings or states out; decoding is not counted. In a browser, as ONNX Runtime brings Dawn in Node down.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { findChrome } from '../../scripts/lib/find.mjs';
import { Failure, main, ROOT, say } from '../../scripts/lib/run.mjs';
import { serve } from '../../scripts/serve.mjs';
import { Contest } from './lib/contest.mjs';
import { summarise, table } from './lib/statistics.mjs';
import { COMPARISONS, gpu } from './parts/gpu.mjs';

const BENCH = process.env.OCELLI_BENCH ?? path.join(ROOT, 'target/bench');
const FULL = process.env.OCELLI_FULL ?? path.join(ROOT, 'target/full');
const SMALL = Boolean(process.env.SMALL);
const NEEDED = ['models/clip-image.onnx', 'peers/node_modules/onnxruntime-web'];

const FLAGS = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  ...(SMALL ? ['--use-webgpu-adapter=swiftshader'] : ['--enable-features=Vulkan', '--ignore-gpu-blocklist']),
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

await main(import.meta, async () => {
  if (!NEEDED.every((file) => existsSync(path.join(BENCH, file)))) {
    throw new Failure('Run `npm run bench:setup` first.');
  }
  const executablePath = findChrome();
  if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
  const models = path.join(BENCH, 'models');
  const server = await serve({
    root: path.join(ROOT, 'tests/bench/contestants'),
    mounts: {
      '/pkg/': path.join(ROOT, 'pkg'),
      '/full/': FULL,
      '/models/': models,
      '/peers/': path.join(BENCH, 'peers/node_modules'),
    },
  });
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}worker.js`);
    page.setDefaultTimeout(0);
    const contest = new Contest(page);
    await gpu(contest, { models, rounds: SMALL ? 1 : 20, small: SMALL });
    say(`\n${table(summarise(contest.times, COMPARISONS))}\n`);
    if (SMALL) say('This was computed in software: the figures mean nothing.');
  } finally {
    await browser.close();
    await server.close();
  }
});
