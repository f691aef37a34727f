// Vision transformers on the GPU, in Node through Dawn: `npm run bench:gpu`. `SMALL=1` is for adapters in software.
//
// First small towers and each tile are compared with their twins, on this device: a driver may be wrong, too.

import { compile, upload, Uploads, USAGE } from '../../pkg/src/worker/gpu/device.js';
import { encodeSteps, Kernels } from '../../pkg/src/worker/gpu/kernels.js';
import { TILES } from '../../pkg/src/worker/gpu/kernels/product.js';
import { operations } from '../../pkg/src/worker/gpu/plan.js';
import { GpuTower } from '../../pkg/src/worker/gpu/tower.js';
import { Tuner } from '../../pkg/src/worker/gpu/tuning.js';
import { uploadMatrix } from '../../pkg/src/worker/gpu/weights.js';
import { Failure, main, say } from '../../scripts/lib/run.mjs';
import { Bench, product } from '../gpu/kernels.js';
import { compareTower } from '../gpu/towers.js';
import { openDevice } from './gpu/device.mjs';
import { PLAIN_INT8 } from './gpu/plain.mjs';
import { randomMatrix, randomWeights } from './gpu/weights.mjs';
import { grid, median } from './lib/statistics.mjs';

/** @typedef {import('../../pkg/src/worker/gpu/types.js').TowerDescription} TowerDescription */

const SMALL = Boolean(process.env.SMALL);
const DTYPES = /** @type {const} */ (['int8', 'f16', 'f32']);
const ROUNDS = SMALL ? 2 : 20;
/** Dispatches of one timed submit. */
const REPEATS = SMALL ? 1 : 50;

/** @satisfies {Partial<TowerDescription>} */
const BASE = { width: 768, heads: 12, intermediate: 3072, layers: 12 };
const COMMON = {
  ...BASE,
  epsilon: 1e-5,
  prefix: 1,
  ...(SMALL && { width: 96, heads: 3, intermediate: 192, layers: 1 }),
};
/** @type {TowerDescription} */
const CLIP = {
  ...COMMON,
  activation: 'quick_gelu',
  patches: 49,
  inputs: SMALL ? 192 : 3072,
  output: 'class',
  preNorm: true,
};
/** @type {TowerDescription} */
const BLIP = {
  ...COMMON,
  activation: 'gelu',
  patches: SMALL ? 64 : 576,
  inputs: SMALL ? 192 : 768,
  output: 'all',
  preNorm: false,
};
/** Names, towers, and how many pictures at once. @type {[string, TowerDescription, number][]} */
const TOWERS = [
  ['CLIP B/32', CLIP, 1],
  ['CLIP B/32', CLIP, SMALL ? 2 : 32],
  ['BLIP base', BLIP, 1],
];
/** Rows, outputs, columns: of a layer of CLIP B/32 and of BLIP base, and of eight pictures. */
const PRODUCTS = SMALL
  ? [[64, 192, 192]]
  : [
      [50, 3072, 768],
      [577, 768, 768],
      [577, 3072, 768],
      [577, 768, 3072],
      [4616, 3072, 768],
    ];

/** @param {GPUDevice} device */
async function check(device) {
  const bench = new Bench(device);
  let worst = 0;
  for (const tile of /** @type {(keyof typeof TILES)[]} */ (Object.keys(TILES))) {
    for (const dtype of DTYPES) {
      const shape = { rows: 197, columns: 100, outputs: 72, dtype, tile };
      for (const output of /** @type {const} */ (SMALL ? ['add'] : ['store', 'add', 'quantize', 'embed'])) {
        worst = Math.max(worst, await product(bench, { ...shape, output, activation: 'gelu' }));
      }
    }
  }
  console.log(`products: off by ${worst.toExponential(1)} at most`);
  if (!(worst <= 1e-4)) throw new Failure('Products differ from their twins.');
  for (const dtype of DTYPES) {
    const { off, least, tower } = await compareTower(device, GpuTower, { dtype });
    tower.destroy();
    console.log(`small tower, ${dtype}: off by ${off.toExponential(1)}, cosine ${least.toFixed(6)}`);
    if (!(dtype === 'int8' ? least >= 0.9995 : off <= 2e-3)) {
      throw new Failure(`The tower in ${dtype} is wrong.`);
    }
  }
}

/** @param {GPUDevice} device @param {import('../../pkg/src/worker/gpu/tuning.js').Tuning} tuning */
async function timeTowers(device, tuning) {
  const rows = [];
  for (const [name, description, images] of TOWERS) {
    for (const dtype of DTYPES) {
      const created = performance.now();
      const tower = await GpuTower.create(device, description, randomWeights(description, dtype), {
        // In software, compiling all tiles would take minutes.
        tuning: SMALL ? undefined : tuning,
      });
      const load = performance.now() - created;
      const image = Float32Array.from({ length: description.patches * description.inputs }, (_, i) =>
        Math.sin(i),
      );
      const pictures = Array.from({ length: images }, () => image);
      const [first] = await tower.run(pictures);
      if (!first?.every(Number.isFinite)) throw new Failure(`${name} in ${dtype} gives no numbers.`);
      await tower.run(pictures);
      const times = [];
      for (let round = 0; round < ROUNDS; round++) {
        const begun = performance.now();
        await tower.run(pictures);
        times.push(performance.now() - begun);
      }
      const least = Math.min(...times);
      rows.push([
        `${name}, ${images} at once, ${dtype}`,
        median(times).toFixed(2),
        least.toFixed(2),
        (least / images).toFixed(2),
        ((operations(description) * images) / least / 1e9).toFixed(2),
        (tower.bytes / 2 ** 20).toFixed(0),
        load.toFixed(0),
      ]);
      tower.destroy();
    }
  }
  const head = ['tower', 'median ms', 'min ms', 'min ms an image', 'TOP/s', 'MiB', 'create ms'];
  console.log(grid([head, ...rows], [1, 2, 3, 4, 5, 6]));
}

/** @param {GPUDevice} device @param {import('../../pkg/src/worker/gpu/kernels.js').Step} step */
async function timeStep(device, step) {
  let least = Infinity;
  for (let round = 0; round < 4; round++) {
    const encoder = device.createCommandEncoder();
    encodeSteps(
      encoder,
      Array.from({ length: REPEATS }, () => step),
    );
    const begun = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    least = Math.min(least, (performance.now() - begun) / REPEATS);
  }
  return least;
}

/** @param {GPUDevice} device @param {import('../../pkg/src/worker/gpu/tuning.js').Tuning} tuning */
async function timeProducts(device, tuning) {
  const kernels = new Kernels(device);
  const tuner = new Tuner(device, tuning);
  const rows = [];
  for (const [m = 0, n = 0, k = 0] of PRODUCTS) {
    const uploads = new Uploads(device);
    const room = (/** @type {number} */ bytes) => uploads.add('room', new Uint8Array(bytes));
    const blocks = Math.ceil(m / 4) * 4 * Math.ceil(k / 32);
    const from = { values: room(blocks * 32), scales: room(blocks * 4) };
    const matrix = uploadMatrix(uploads, 'weights', randomMatrix(n, k, 'int8'));
    const to = { values: room(m * n * 4) };
    const given = { matrix, from, to, rows: m, output: /** @type {const} */ ('store') };
    const tile = await tuner.choose(given, (name) => kernels.product(given, name));
    const own = await timeStep(device, await kernels.product(given, tile));
    const pipeline = await compile(device, 'plain', PLAIN_INT8);
    const sizes = upload(device, 'sizes', new Uint32Array([m, n, k, 0]), USAGE.UNIFORM);
    const buffers = [from.values, matrix.values, to.values, sizes];
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const bindGroup = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const plain = await timeStep(device, {
      label: 'plain',
      pipeline,
      bindGroup,
      workgroups: [Math.ceil(n / 64), Math.ceil(m / 64), 1],
    });
    const speed = (/** @type {number} */ time) => ((2 * m * n * k) / time / 1e9).toFixed(2);
    rows.push([
      `${m} x ${n} x ${k}`,
      tile,
      own.toFixed(4),
      speed(own),
      speed(plain),
      (plain / own).toFixed(2),
    ]);
    uploads.destroy();
    sizes.destroy();
  }
  const head = ['int8 product', 'tile', 'ms', 'TOP/s', 'plain TOP/s', 'times as fast'];
  console.log(grid([head, ...rows], [2, 3, 4, 5]));
}

await main(import.meta, async () => {
  const { adapter, device } = await openDevice();
  const { vendor, architecture, description } = adapter.info;
  console.log(`adapter: ${[vendor, architecture, description].filter(Boolean).join(', ')}`);
  /** @type {import('../../pkg/src/worker/gpu/tuning.js').Tuning} */
  const tuning = {};
  say('Kernels and towers beside their twins');
  await check(device);
  say('Products');
  await timeProducts(device, tuning);
  say('Towers, with the pictures written and the states read back');
  await timeTowers(device, tuning);
  say('Tiles that were chosen');
  for (const [key, tile] of Object.entries(tuning)) console.log(`${tile.padEnd(7)} ${key}`);
  // Dawn keeps Node alive.
  process.exit();
});
