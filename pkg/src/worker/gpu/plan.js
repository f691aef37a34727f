/**
 * All steps of a tower for so many images, with the buffers between them.
 *
 * @typedef {import('./types.js').TowerDescription} TowerDescription
 * @typedef {import('./types.js').RowsAsked} RowsAsked
 * @typedef {import('./kernels.js').Step} Step
 * @typedef {import('./kernels.js').Rows} Rows
 * @typedef {import('./weights.js').Matrix} Matrix
 * @typedef {import('./weights.js').Norm} Norm
 *
 * @typedef {{ norm1: Norm, qkv: Matrix, out: Matrix, norm2: Norm, up: Matrix, down: Matrix }} Layer
 *
 * @typedef {object} Weights
 * @property {Matrix} patchEmbedding
 * @property {GPUBuffer} positions
 * @property {GPUBuffer} [prefix]
 * @property {Norm} [preNorm]
 * @property {Layer[]} layers
 *
 * @typedef {object} Plan
 * @property {Step[]} steps
 * @property {GPUBuffer} patches what they begin with
 * @property {GPUBuffer} result what they end with
 * @property {number} version of the workspace
 */

import { attentionQuantizes } from './kernels/attention.js';
import { blocksOf, inFours } from './kernels/text.js';

/** Bytes of an f32 number. */
const F32 = 4;

/** Numbers of a patch, filled up to whole fours. @param {TowerDescription} description */
export function paddedInputs({ inputs }) {
  return Math.ceil(inputs / 4) * 4;
}

/** Rows of one image. @param {TowerDescription} description */
export function lengthOf({ prefix, patches }) {
  return prefix + patches;
}

/** Bytes of the largest buffer for one image. @param {TowerDescription} description */
export function largestBuffer(description) {
  const { width, intermediate, patches } = description;
  const wide = lengthOf(description) * Math.max(3 * width, intermediate);
  return F32 * Math.max(wide, patches * paddedInputs(description));
}

/** Multiplications and additions for one image. @param {TowerDescription} description */
export function operations(description) {
  const { width, intermediate, layers, inputs, patches } = description;
  const length = lengthOf(description);
  const matrices = 4 * width * width + 2 * width * intermediate;
  const attention = 2 * length * width;
  return 2 * (layers * length * (matrices + attention) + patches * inputs * width);
}

/**
 * @param {object} options
 * @param {import('./kernels.js').Kernels} options.kernels
 * @param {import('./workspace.js').Workspace} options.workspace
 * @param {TowerDescription} options.description
 * @param {Weights} options.weights
 * @param {number} options.images
 * @param {RowsAsked} options.asked
 * @param {number} options.layers so many of them, from the first
 * @returns {Promise<Plan>}
 */
export async function planTower({ kernels, workspace, description, weights, images, asked, layers }) {
  const { width, heads, intermediate, activation, epsilon, patches, prefix } = description;
  const length = lengthOf(description);
  const total = images * length;
  const inputs = paddedInputs(description);
  const wide = Math.max(3 * width, intermediate);
  /** @type {Promise<Step>[]} */
  const steps = [];

  const floats = (/** @type {string} */ name, /** @type {number} */ count) =>
    workspace.get(name, count * F32);
  /** Rows as a matrix takes them. @type {(name: string, matrix: Matrix, rows: number, columns: number) => Rows} */
  const rowsFor = (name, matrix, rows, columns) => {
    if (matrix.dtype !== 'int8') return { values: floats(`${name}, f32`, rows * columns) };
    const blocks = inFours(rows) * blocksOf(columns);
    return {
      values: workspace.get(`${name}, int8`, blocks * 32),
      scales: floats(`${name}, scales`, blocks),
    };
  };
  /** Rows that are there in f32, as a matrix takes them. @type {(name: string, values: GPUBuffer, matrix: Matrix, rows: number, columns: number) => Rows} */
  const given = (name, values, matrix, rows, columns) => {
    if (matrix.dtype !== 'int8') return { values };
    const to = rowsFor(name, matrix, rows, columns);
    steps.push(kernels.rows({ width: columns, from: values, to, rows }));
    return to;
  };

  const begin = floats('patches', images * patches * inputs);
  const states = floats('states', total * width);
  // Queries, keys and values, or what is between the two halves of the MLP, or states before the first norm.
  const between = floats('between', total * wide);

  const embedded = weights.preNorm ? between : states;
  const { patchEmbedding, positions } = weights;
  steps.push(
    kernels.product({
      matrix: patchEmbedding,
      from: given('patches', begin, patchEmbedding, images * patches, inputs),
      rows: images * patches,
      to: { values: embedded },
      output: 'embed',
      embed: { positions, patches, prefix },
    }),
  );
  if (weights.prefix) {
    steps.push(kernels.prefix({ width, prefix, from: weights.prefix, to: embedded, images, length }));
  }
  if (weights.preNorm) {
    const to = { values: states };
    steps.push(kernels.rows({ width, from: embedded, to, rows: total, norm: weights.preNorm, epsilon }));
  }

  let x = states;
  let rows = total;
  for (const [i, layer] of weights.layers.slice(0, layers).entries()) {
    const classAlone = asked === 'class' && i === layers - 1;
    const normal = rowsFor('normal', layer.qkv, total, width);
    steps.push(kernels.rows({ width, from: x, to: normal, rows, norm: layer.norm1, epsilon }));
    const qkv = { values: between };
    steps.push(kernels.product({ matrix: layer.qkv, from: normal, rows, to: qkv, output: 'store' }));
    if (classAlone) {
      // From here on there is one row for each image.
      x = floats('class states', images * width);
      steps.push(kernels.rows({ width, from: states, to: { values: x }, rows: images, stride: length }));
      rows = images;
    }
    const queries = rows / images;
    const direct = layer.out.dtype === 'int8' && attentionQuantizes(width / heads);
    const to = direct
      ? rowsFor('context', layer.out, total, width)
      : { values: floats('context, f32', total * width) };
    steps.push(kernels.attention({ width, heads, from: between, to, images, length, queries }));
    const attended = direct ? to : given('context', to.values, layer.out, rows, width);
    steps.push(
      kernels.product({ matrix: layer.out, from: attended, rows, to: { values: x }, output: 'add' }),
    );
    const normal2 = rowsFor('normal', layer.up, total, width);
    steps.push(kernels.rows({ width, from: x, to: normal2, rows, norm: layer.norm2, epsilon }));
    const quantized = layer.down.dtype === 'int8';
    const active = quantized ? rowsFor('active', layer.down, total, intermediate) : { values: between };
    const output = quantized ? 'quantize' : 'store';
    steps.push(
      kernels.product({ matrix: layer.up, from: normal2, rows, to: active, output, activation }),
      kernels.product({ matrix: layer.down, from: active, rows, to: { values: x }, output: 'add' }),
    );
  }
  // Without layers, class rows are gathered all the same.
  if (asked === 'class' && layers === 0) {
    const to = { values: floats('class states', images * width) };
    steps.push(kernels.rows({ width, from: states, to, rows: images, stride: length }));
    x = to.values;
  }
  const { version } = workspace;
  return { steps: await Promise.all(steps), patches: begin, result: x, version };
}
