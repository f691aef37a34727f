/**
 * Kernels with what they read and write: steps, which only have to be dispatched.
 *
 * @typedef {object} Step
 * @property {string} label
 * @property {GPUComputePipeline} pipeline
 * @property {GPUBindGroup} bindGroup
 * @property {[number, number, number]} workgroups
 *
 * @typedef {object} Rows
 * @property {GPUBuffer} values f32, row by row; or int8, in fours of rows
 * @property {GPUBuffer} [scales] of int8 values, in fours of rows, for each block
 *
 * @typedef {import('./weights.js').Matrix} Matrix
 * @typedef {import('./kernels/product.js').Output} Output
 * @typedef {import('./kernels/product.js').TileName} TileName
 *
 * @typedef {object} Product
 * @property {Matrix} matrix
 * @property {Rows} from quantized if the matrix is int8
 * @property {number} rows
 * @property {Rows} to
 * @property {Output} output
 * @property {import('./types.js').Activation} [activation]
 * @property {{ positions: GPUBuffer, patches: number, prefix: number }} [embed] of the output `embed`
 *
 * @typedef {(product: Product, stepWith: (name: TileName) => Promise<Step>) => TileName | Promise<TileName>} ChooseTile which
 *   tile a product takes; `stepWith` makes its step with one, so that it can be tried
 */

import { compile, Params } from './device.js';
import { attentionKernel, attentionShape } from './kernels/attention.js';
import { prefixKernel } from './kernels/prefix.js';
import { floatProduct } from './kernels/product-float.js';
import { int8Product } from './kernels/product-int8.js';
import { TILES } from './kernels/product.js';
import { rowsKernel } from './kernels/rows.js';
import { blocksOf } from './kernels/text.js';

/** Workgroups that are enough for a GPU: with fewer, a smaller tile uses more of it. */
const ENOUGH = 64;

/** Larger tiles have to be measured before they are taken: not every GPU has the registers. @type {TileName[]} */
const USUAL = ['64x64', '32x64', '16x64', '8x32'];

/**
 * A tile that is not much larger than the product, and makes enough workgroups.
 * @param {number} rows @param {number} outputs @returns {TileName}
 */
export function usualTile(rows, outputs) {
  const fitting = USUAL.filter((name) => rows > TILES[name].rows / 2);
  const enough = fitting.find((name) => {
    const tile = TILES[name];
    return Math.ceil(rows / tile.rows) * Math.ceil(outputs / tile.columns) >= ENOUGH;
  });
  return enough ?? fitting.find((name) => name === '16x64') ?? '8x32';
}

export class Kernels {
  /** @type {Params} */
  #params;

  /**
   * @param {GPUDevice} device
   * @param {{ packed?: boolean, half?: boolean, tile?: ChooseTile }} [options] `packed`: whether WGSL multiplies packed int8 numbers;
   *   `half`: whether f16 weights are multiplied in f16; `tile`: which tile a product takes
   */
  constructor(device, { packed = languageHasPacked(), half = device.features.has('shader-f16'), tile } = {}) {
    this.device = device;
    this.packed = packed;
    this.half = half;
    this.tile = tile ?? (({ rows, matrix }) => usualTile(rows, matrix.outputs));
    this.#params = new Params(device);
  }

  /**
   * @param {string} label
   * @param {string} code
   * @param {number[]} params
   * @param {Record<number, GPUBuffer | undefined>} buffers by their binding
   * @param {[number, number?, number?]} workgroups
   * @returns {Promise<Step>}
   */
  async #step(label, code, params, buffers, [x, y = 1, z = 1]) {
    const pipeline = await compile(this.device, label, code);
    const entries = Object.entries({ 0: this.#params.get(params), ...buffers }).flatMap(
      ([binding, buffer]) => (buffer ? [{ binding: Number(binding), resource: { buffer } }] : []),
    );
    const layout = pipeline.getBindGroupLayout(0);
    return {
      label,
      pipeline,
      bindGroup: this.device.createBindGroup({ label, layout, entries }),
      workgroups: [x, y, z],
    };
  }

  /**
   * Inputs times weights.
   * @param {Product} product @param {TileName} [given] of the tile
   * @returns {Promise<Step>}
   */
  async product(product, given) {
    const name = given ?? (await this.tile(product, (other) => this.product(product, other)));
    const { matrix, from, to, rows, output, activation, embed } = product;
    const tile = TILES[name];
    const options = { tile, output, activation, packed: this.packed, half: this.half };
    const { dtype, outputs, inputs, pitch } = matrix;
    const code = dtype === 'int8' ? int8Product(options) : floatProduct({ ...options, dtype });
    const params = [
      rows,
      outputs / 4,
      dtype === 'int8' ? blocksOf(inputs) : Math.ceil(inputs / 4),
      pitch,
      embed?.patches ?? 1,
      embed?.prefix ?? 0,
    ];
    const buffers = {
      1: from.values,
      2: matrix.values,
      3: matrix.columns,
      4: to.values,
      5: output === 'quantize' ? to.scales : embed?.positions,
      6: dtype === 'int8' ? from.scales : undefined,
    };
    return this.#step(`${dtype} product, ${name}, ${output}`, code, params, buffers, [
      Math.ceil(outputs / tile.columns),
      Math.ceil(rows / tile.rows),
    ]);
  }

  /**
   * Layer norm where there is one, quantizing where `to` has scales; every `stride`th row of `from`, or those of a `list`.
   * @param {{ width: number, from: GPUBuffer, to: Rows, rows: number, stride?: number, list?: GPUBuffer, epsilon?: number,
   *   norm?: import('./weights.js').Norm }} options
   */
  rows({ width, from, to, rows, stride = 1, list, norm, epsilon = 1e-5 }) {
    const quantize = to.scales !== undefined;
    const code = rowsKernel({ width, norm: norm && epsilon, quantize, listed: list !== undefined });
    const buffers = { 1: from, 2: norm?.gain, 3: norm?.bias, 4: to.values, 5: to.scales, 6: list };
    const label = [norm ? 'layer norm' : 'rows', ...(quantize ? ['quantized'] : [])].join(', ');
    return this.#step(label, code, [stride], buffers, [rows]);
  }

  /**
   * Attention of the first `queries` rows of each image or text to all of its rows, or if `causal` to those before them;
   * quantized where `to` has scales.
   * @param {{ width: number, heads: number, from: GPUBuffer, to: Rows, images: number, length: number,
   *   queries: number, causal?: boolean }} options
   */
  attention({ width, heads, from, to, images, length, queries, causal }) {
    const code = attentionKernel({ width, heads, quantize: to.scales !== undefined, causal });
    const buffers = { 1: from, 2: to.values, 3: to.scales };
    const tile = attentionShape(width / heads).queries;
    return this.#step(causal ? 'causal attention' : 'attention', code, [length, queries], buffers, [
      Math.ceil(queries / tile),
      heads,
      images,
    ]);
  }

  /**
   * The rows before the patches, for each image.
   * @param {{ width: number, prefix: number, from: GPUBuffer, to: GPUBuffer, images: number, length: number }} options
   */
  prefix({ width, prefix, from, to, images, length }) {
    const code = prefixKernel({ width, prefix });
    return this.#step('prefix', code, [length], { 1: from, 2: to }, [
      Math.ceil((prefix * width) / 256),
      images,
    ]);
  }

  destroy() {
    this.#params.destroy();
  }
}

/** Whether WGSL multiplies packed int8 numbers here. */
function languageHasPacked() {
  const { gpu } = globalThis.navigator ?? {};
  return gpu?.wgslLanguageFeatures?.has('packed_4x8_integer_dot_product') ?? false;
}

/** Has the device do steps, one after the other. @param {GPUCommandEncoder} encoder @param {Step[]} steps */
export function encodeSteps(encoder, steps) {
  const pass = encoder.beginComputePass();
  for (const { pipeline, bindGroup, workgroups } of steps) {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(...workgroups);
  }
  pass.end();
}
