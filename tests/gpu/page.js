// What tests/browser/gpu.test.js calls inside of a page.

import { GpuTower } from '../../pkg/src/worker/gpu/tower.js';
import { Tuner } from '../../pkg/src/worker/gpu/tuning.js';
import * as kernels from './kernels.js';
import { numbers } from './numbers.js';
import { compareKeyValues, compareTexts, compareTower, makeTower, TEXTS } from './towers.js';

/** One tile for all towers: compiling is what takes time in software. */
const tile = () => /** @type {const} */ ('16x64');

/** @type {Promise<GPUDevice> | undefined} */
let opened;
/** @type {Map<boolean | undefined, kernels.Bench>} */
const benches = new Map();
/** Kept, so that what they compiled is not compiled again. @type {GpuTower[]} */
const towers = [];
/** @type {string[]} errors that nobody caught */
const complaints = [];

/** A device with the limits that every device has. */
export async function open() {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('There is no adapter.');
  const device = await adapter.requestDevice();
  device.addEventListener('uncapturederror', (event) =>
    complaints.push(/** @type {GPUUncapturedErrorEvent} */ (event).error.message),
  );
  return device;
}

function device() {
  opened ??= open();
  return opened;
}

/**
 * How far a kernel is from its twin.
 * @param {'product' | 'rows' | 'attention'} name @param {any} options @param {boolean} [packed]
 */
export async function kernel(name, options, packed) {
  const bench = benches.get(packed) ?? new kernels.Bench(await device(), { packed });
  benches.set(packed, bench);
  return kernels[name](bench, options);
}

/**
 * A comparison with the package's tower on the device here.
 * @template Options, Found
 * @param {(device: GPUDevice, Tower: typeof GpuTower, options: Options) => Promise<Found & { tower: GpuTower }>} compare
 */
function withTower(compare) {
  return async (/** @type {Options} */ options) => {
    const { tower, ...found } = await compare(await device(), GpuTower, { ...options, options: { tile } });
    towers.push(tower);
    return found;
  };
}

export const tower = withTower(compareTower);
export const texts = withTower(compareTexts);
export const keyValues = withTower(compareKeyValues);

/** Whether texts get the same rows alone, in several calls, and in more submits than one; and what is said of several lengths. */
export async function textsTogether() {
  const { description, readTensor } = makeTower({ dtype: 'f32', description: { ...TEXTS, causal: true } });
  const tower = await GpuTower.create(await device(), description, readTensor, { tile, most: 3 });
  const all = Array.from({ length: 7 }, (_, i) => numbers(9 * description.width, 50 + i));
  const ends = Uint32Array.from([0, 3, 8, 5, 1, 7, 4]);
  const alone = [];
  for (const [i, text] of all.entries()) {
    alone.push((await tower.run([text], { ends: ends.subarray(i, i + 1) }))[0]);
  }
  const together = await tower.run(all, { ends });
  const same = together.map((row, i) => row.every((value, at) => value === alone[i]?.[at]));
  const other = numbers(8 * description.width, 1);
  const refused = await tower.run([...all, other], { ends }).catch((error) => error.message);
  towers.push(tower);
  return { same, refused };
}

/** Whether images get the same states alone, in several calls at once, and in more submits than one. */
export async function together() {
  const { description, readTensor } = makeTower({ dtype: 'f32' });
  const tower = await GpuTower.create(await device(), description, readTensor, { tile, most: 3 });
  const pictures = Array.from({ length: 4 }, (_, i) =>
    numbers(description.patches * description.inputs, 50 + i),
  );
  const alone = [];
  for (const picture of pictures) alone.push((await tower.run([picture]))[0]);
  const batches = await Promise.all([tower.run(pictures.slice(0, 1)), tower.run(pictures), tower.run([])]);
  const again = batches.map((batch) =>
    batch.map((states, i) => states.every((value, at) => value === alone[i]?.[at])),
  );
  // A step in each submit.
  const small = await GpuTower.create(await device(), description, readTensor, { tile, operations: 1 });
  again.push([(await small.run([pictures[3]]))[0].every((value, at) => value === alone[3]?.[at])]);
  towers.push(tower, small);
  return again;
}

/** Whether the first of the layers alone give what a tower has that ends there. */
export async function beginning() {
  const { description, readTensor } = makeTower({ dtype: 'f32' });
  const short = { ...description, layers: 1 };
  const picture = numbers(description.patches * description.inputs, 60);
  const [a, b] = [
    await GpuTower.create(await device(), description, readTensor, { tile }),
    await GpuTower.create(await device(), short, readTensor, { tile }),
  ];
  towers.push(a, b);
  const same = [];
  for (const rows of /** @type {const} */ (['all', 'class'])) {
    const [[found], [expected]] = [
      await a.run([picture], { rows, layers: 1 }),
      await b.run([picture], { rows }),
    ];
    same.push(found.length === expected.length && found.every((value, at) => value === expected[at]));
  }
  return same;
}

/** What is measured of one product, and whether what is known is measured again. */
export async function tuned() {
  const bench = new kernels.Bench(await device());
  /** @type {import('../../pkg/src/worker/gpu/tuning.js').Tuning} */
  const tuning = {};
  const tuner = new Tuner(await device(), tuning);
  let tried = 0;
  bench.kernels.tile = (product, stepWith) =>
    tuner.choose(product, (name) => {
      tried++;
      return stepWith(name);
    });
  const shape = /** @type {const} */ ({ rows: 9, columns: 64, outputs: 24, dtype: 'int8' });
  const off = await kernels.product(bench, shape);
  const once = tried;
  await kernels.product(bench, { ...shape, rows: 12 });
  return { off, once, twice: tried, keys: Object.keys(tuning), tiles: Object.values(tuning) };
}

/** What becomes of a run whose device goes away meanwhile. @returns {Promise<string>} */
export async function losing() {
  const device = await open();
  // Without layers there is less to compile.
  const { description, readTensor } = makeTower({ dtype: 'f32', description: { layers: 0 } });
  const tower = await GpuTower.create(device, description, readTensor, { tile });
  const pictures = [numbers(description.patches * description.inputs, 1)];
  const message = (/** @type {Promise<unknown>} */ run) =>
    run.then(
      () => 'resolved',
      (error) => (error instanceof Error ? 'rejected' : 'rejected with no error'),
    );
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    submit(buffers);
    device.destroy();
  };
  const running = message(tower.run(pictures));
  return `${await running}, ${await message(tower.run(pictures))}`;
}

/** What is said of a description or of weights that the kernels cannot take. @param {any} changes @param {string} [without] */
export async function refusal(changes, without) {
  const { description, readTensor } = makeTower({ dtype: 'f32' });
  const read = (/** @type {string} */ name) => (name === without ? undefined : readTensor(name));
  return GpuTower.create(await device(), { ...description, ...changes }, read).then(
    () => 'made',
    (error) => error.message,
  );
}

/** What is said where a device has no room for the weights. */
export async function tooLarge() {
  const device = await open();
  const { description, readTensor } = makeTower({ dtype: 'f32' });
  const create = device.createBuffer.bind(device);
  // As if the positions were larger than the device can have: nothing of that size has to be made.
  const size = device.limits.maxBufferSize + 16;
  device.createBuffer = (options) => create(options.label === 'positions' ? { ...options, size } : options);
  const message = await GpuTower.create(device, description, readTensor).then(
    () => 'made',
    (error) => error.message,
  );
  device.destroy();
  return message;
}

export const uncaught = () => complaints;
