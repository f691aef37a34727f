// Each kernel beside its twin: how far off it is, for shapes that fill no tile. Runs in a page, and in Node through Dawn.

import { checked, readBack, upload, Uploads, USAGE } from '../../pkg/src/worker/gpu/device.js';
import { encodeSteps, Kernels } from '../../pkg/src/worker/gpu/kernels.js';
import { uploadMatrix } from '../../pkg/src/worker/gpu/weights.js';
import { difference, numbers, pack } from './numbers.js';
import * as twins from './twins.js';

/**
 * @typedef {import('../../pkg/src/worker/gpu/kernels.js').Step} Step
 * @typedef {import('../../pkg/src/worker/gpu/types.js').Activation} Activation
 * @typedef {import('../../pkg/src/worker/gpu/kernels/product.js').TileName} TileName
 * @typedef {'int8' | 'f16' | 'f32'} Dtype
 */

/** Of results, which tests read. */
const RESULT = USAGE.STORAGE | USAGE.COPY_SRC;

/** One device's kernels, run one at a time. */
export class Bench {
  /** @param {GPUDevice} device @param {{ packed?: boolean, half?: boolean }} [options] */
  constructor(device, options) {
    this.device = device;
    this.kernels = new Kernels(device, options);
  }

  /** @param {ArrayBufferView} data */
  buffer(data) {
    return upload(this.device, 'test', data, RESULT);
  }

  /** A buffer of numbers that a kernel has to write over. @param {number} length */
  room(length) {
    return this.buffer(new Float32Array(length).fill(NaN));
  }

  /** Room for quantized rows. @param {number} rows @param {number} columns */
  quantized(rows, columns) {
    const blocks = Math.ceil(rows / 4) * 4 * Math.ceil(columns / 32);
    return { values: this.room(blocks * 8), scales: this.room(blocks) };
  }

  /**
   * How far rows are from what they were before they were quantized.
   * @param {() => Promise<Step>} step @param {{ values: GPUBuffer, scales: GPUBuffer }} to
   * @param {Float64Array} expected @param {number} columns
   */
  async differenceOfQuantized(step, to, expected, columns) {
    const [values, scales] = await this.run(step, to.values, to.scales);
    const rows = expected.length / columns;
    const found = twins.unpacked(new Int8Array(values), new Float32Array(scales), rows, columns);
    return differenceOfQuantized(found, expected, columns);
  }

  /** Runs a step and reads one of its buffers. @param {() => Promise<Step>} step @param {GPUBuffer[]} results */
  async run(step, ...results) {
    const made = await step();
    const size = results.reduce((sum, one) => sum + one.size, 0);
    const read = await checked(this.device, () => {
      const target = this.device.createBuffer({ size, usage: USAGE.MAP_READ | USAGE.COPY_DST });
      const encoder = this.device.createCommandEncoder();
      encodeSteps(encoder, [made]);
      let at = 0;
      for (const result of results) {
        encoder.copyBufferToBuffer(result, 0, target, at, result.size);
        at += result.size;
      }
      this.device.queue.submit([encoder.finish()]);
      return target;
    });
    const bytes = await readBack(read, size);
    read.destroy();
    let at = 0;
    return results.map((result) => bytes.slice(at, (at += result.size)));
  }
}

/**
 * @param {Bench} bench
 * @param {{ rows: number, columns: number, outputs: number, dtype: Dtype, activation?: Activation, tile?: TileName,
 *   output?: 'store' | 'add' | 'quantize' | 'embed' }} options
 */
export async function product(bench, { rows, columns, outputs, dtype, activation, tile, output = 'store' }) {
  const x = numbers(rows * columns, 1);
  // A channel of large values, as transformers have.
  for (let row = 0; row < rows; row++) x[row * columns + 3] = 20 * Number(x[row * columns + 3]);
  const { tensor, exact } = pack(numbers(outputs * columns, 2, 0.2), outputs, columns, dtype);
  const bias = numbers(outputs, 3);
  const inputs = dtype === 'int8' ? twins.quantized(x, columns) : undefined;
  const expected = twins.linear(inputs?.exact ?? x, exact, columns, { bias, activation });
  const matrix = uploadMatrix(new Uploads(bench.device), 'test', tensor, { bias });
  const from = {
    values: bench.buffer(inputs?.values ?? x),
    scales: inputs && bench.buffer(inputs.scales),
  };
  const { kernels } = bench;
  const common = { matrix, from, rows, output, activation };
  if (output === 'quantize') {
    const to = bench.quantized(rows, outputs);
    const step = () => kernels.product({ ...common, to }, tile);
    return bench.differenceOfQuantized(step, to, expected, outputs);
  }
  // Images of five patches, if they are whole, with two rows before them.
  const patches = rows % 5 === 0 ? 5 : rows;
  const prefix = 2;
  const images = rows / patches;
  if (output === 'embed') {
    const positions = numbers(patches * outputs, 4);
    const to = { values: bench.buffer(new Float32Array(images * (patches + prefix) * outputs)) };
    const embed = { positions: bench.buffer(positions), patches, prefix };
    const [bytes] = await bench.run(() => kernels.product({ ...common, to, embed }, tile), to.values);
    const all = new Float64Array(images * (patches + prefix) * outputs);
    for (const [i, value] of expected.entries()) {
      const image = Math.floor(i / (patches * outputs));
      const position = Number(positions[i % (patches * outputs)]);
      all[i + (image + 1) * prefix * outputs] = value + position;
    }
    return difference(new Float32Array(bytes), all);
  }
  const before = output === 'add' ? numbers(rows * outputs, 5) : new Float32Array(rows * outputs).fill(NaN);
  const to = { values: bench.buffer(before) };
  const [bytes] = await bench.run(() => kernels.product({ ...common, to }, tile), to.values);
  const sums = output === 'add' ? expected.map((value, i) => value + Number(before[i])) : expected;
  return difference(new Float32Array(bytes).subarray(0, rows * outputs), sums);
}

/**
 * How far quantized numbers are from what was quantized, beyond the half step that rounding may take: 0 where nothing is wrong.
 * @param {Float64Array} found @param {ArrayLike<number>} expected @param {number} columns
 */
function differenceOfQuantized(found, expected, columns) {
  let [off, most] = [0, 0];
  for (let first = 0; first < found.length; first += columns) {
    for (let block = 0; block < columns; block += 32) {
      const end = Math.min(block + 32, columns);
      const at = Array.from({ length: end - block }, (_, i) => first + block + i);
      const largest = Math.max(...at.map((i) => Math.abs(Number(expected[i]))));
      for (const i of at) {
        const error = Math.abs(Number(found[i]) - Number(expected[i])) - largest / 254;
        off = Math.max(off, Number.isNaN(error) ? Infinity : error);
      }
      most = Math.max(most, largest);
    }
  }
  return off / most;
}

/**
 * @param {Bench} bench
 * @param {{ rows: number, width: number, norm: boolean, quantize: boolean, stride?: number, listed?: boolean }} options
 */
export async function rows(bench, { rows: count, width, norm, quantize, stride = 1, listed = false }) {
  const x = numbers(count * stride * width, 6, 3);
  const [gain, bias] = [numbers(width, 7), numbers(width, 8)];
  // In no order, and one of them twice.
  const places = Uint32Array.from({ length: count }, (_, i) => (listed ? (7 * i * i) % count : i * stride));
  const picked = Float32Array.from({ length: count * width }, (_, i) =>
    Number(x[Number(places[Math.floor(i / width)]) * width + (i % width)]),
  );
  const expected = norm ? twins.layerNorm(picked, width, gain, bias, 1e-5) : Float64Array.from(picked);
  const to = quantize ? bench.quantized(count, width) : { values: bench.room(count * width) };
  const step = () =>
    bench.kernels.rows({
      width,
      from: bench.buffer(x),
      to,
      rows: count,
      stride,
      list: listed ? bench.buffer(places) : undefined,
      norm: norm ? { gain: bench.buffer(gain), bias: bench.buffer(bias) } : undefined,
      epsilon: 1e-5,
    });
  if (to.scales) return bench.differenceOfQuantized(step, to, expected, width);
  const [bytes] = await bench.run(step, to.values);
  return difference(new Float32Array(bytes).subarray(0, count * width), expected);
}

/**
 * @param {Bench} bench
 * @param {{ width: number, heads: number, length: number, images?: number, queries?: number, quantize?: boolean,
 *   causal?: boolean }} shape
 */
export async function attention(
  bench,
  { width, heads, length, images = 1, queries = length, quantize = false, causal },
) {
  // Large enough that some rows look at one key alone.
  const qkv = numbers(images * length * 3 * width, 9, 4);
  const expected = twins.attention(qkv, { width, heads, length, queries, causal });
  const count = images * queries;
  const to = quantize ? bench.quantized(count, width) : { values: bench.room(count * width) };
  const from = bench.buffer(qkv);
  const step = () => bench.kernels.attention({ width, heads, from, to, images, length, queries, causal });
  if (to.scales) return bench.differenceOfQuantized(step, to, expected, width);
  const [bytes] = await bench.run(step, to.values);
  return difference(new Float32Array(bytes).subarray(0, count * width), expected);
}
