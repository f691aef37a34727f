/**
 * All steps of a tower for so many images or texts, with the buffers between them.
 *
 * @typedef {import('./types.js').TowerDescription} TowerDescription
 * @typedef {import('./types.js').RowsAsked} RowsAsked
 * @typedef {{ rows: RowsAsked, layers: number, seen: boolean }} Asked which rows of the last of so many layers, and whether also what
 *   texts see of them
 * @typedef {import('./kernels.js').Step} Step
 * @typedef {import('./kernels.js').Rows} Rows
 * @typedef {import('./weights.js').Matrix} Matrix
 * @typedef {import('./weights.js').Norm} Norm
 *
 * @typedef {{ norm1: Norm, qkv: Matrix, out: Matrix, norm2: Norm, up: Matrix, down: Matrix }} Layer
 *
 * @typedef {object} Weights
 * @property {Matrix} [patchEmbedding] where images go through the tower
 * @property {GPUBuffer} [positions]
 * @property {GPUBuffer} [prefix]
 * @property {Norm} [preNorm]
 * @property {Layer[]} layers
 * @property {{ norm: Norm, layers: Matrix[] }} [keyValues] of each layer of texts the keys, and below them the values
 *
 * @typedef {object} Plan
 * @property {Step[]} steps
 * @property {GPUBuffer} begin patches, or rows as they go into the first layer
 * @property {GPUBuffer} [ends] the places of the rows that are asked for
 * @property {GPUBuffer[]} results what they end with: states, and where they are asked for keys and values of each layer of texts
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

/** Bytes of the largest buffer for one image or text. @param {TowerDescription} description @param {number} length its rows */
export function largestBuffer(description, length) {
  const { width, intermediate, patches, keyValues } = description;
  const wide = length * Math.max(3 * width, intermediate, 2 * (keyValues?.width ?? 0));
  return F32 * Math.max(wide, patches * paddedInputs(description));
}

/** Multiplications and additions for one image or text. @param {TowerDescription} description @param {number} length its rows */
export function operations(description, length) {
  const { width, intermediate, layers, inputs, patches, keyValues } = description;
  const matrices = 4 * width * width + 2 * width * intermediate;
  const attention = 2 * length * width;
  const seen = keyValues ? keyValues.layers * length * 2 * width * keyValues.width : 0;
  return 2 * (layers * length * (matrices + attention) + patches * inputs * width + seen);
}

/**
 * How many numbers each result of a plan has for one image or text.
 * @param {TowerDescription} description @param {number} length its rows @param {Asked} asked
 */
export function resultSizes({ width, keyValues }, length, { rows, seen }) {
  const states = (rows === 'all' ? length : 1) * width;
  if (!seen || !keyValues) return [states];
  return [states, ...Array.from({ length: keyValues.layers }, () => length * 2 * keyValues.width)];
}

/**
 * @param {object} options
 * @param {import('./kernels.js').Kernels} options.kernels
 * @param {import('./workspace.js').Workspace} options.workspace
 * @param {TowerDescription} options.description
 * @param {Weights} options.weights
 * @param {number} options.images or texts
 * @param {number} options.length rows of each
 * @param {Asked} options.asked
 * @returns {Promise<Plan>}
 */
export async function planTower({ kernels, workspace, description, weights, images, length, asked }) {
  const { layers } = asked;
  const { width, heads, intermediate, activation, epsilon, causal } = description;
  const total = images * length;
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

  const states = floats('states', total * width);
  // Queries, keys and values, or what is between the two halves of the MLP, or states before the first norm.
  const between = floats('between', total * wide);
  const ends = asked.rows === 'ends' ? floats('ends', images) : undefined;
  /** One row of each image or text. @param {GPUBuffer} from @param {Rows} to */
  const gather = (from, to) =>
    kernels.rows({ width, from, to, rows: images, stride: ends ? 1 : length, list: ends });

  /** Patches become states. @param {Matrix} patchEmbedding @param {GPUBuffer} positions */
  const embed = (patchEmbedding, positions) => {
    const { patches, prefix } = description;
    const inputs = paddedInputs(description);
    const begin = floats('patches', images * patches * inputs);
    const embedded = weights.preNorm ? between : states;
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
    return begin;
  };
  /** What texts see of all rows. */
  const keysAndValues = () => {
    const { keyValues } = weights;
    if (!keyValues) throw new Error('No texts see the states of this tower.');
    /** By the dtype that they are for. @type {Map<string, Rows>} */
    const normal = new Map();
    return keyValues.layers.map((matrix, i) => {
      const from = normal.get(matrix.dtype) ?? rowsFor('normal', matrix, total, width);
      if (!normal.has(matrix.dtype)) {
        const { norm } = keyValues;
        steps.push(kernels.rows({ width, from: states, to: from, rows: total, norm, epsilon }));
        normal.set(matrix.dtype, from);
      }
      const to = floats(`keys and values ${i}`, total * matrix.outputs);
      steps.push(kernels.product({ matrix, from, rows: total, to: { values: to }, output: 'store' }));
      return to;
    });
  };
  const { patchEmbedding, positions } = weights;
  const begin = patchEmbedding && positions ? embed(patchEmbedding, positions) : states;

  let x = states;
  let rows = total;
  for (const [i, layer] of weights.layers.slice(0, layers).entries()) {
    const oneRow = asked.rows !== 'all' && i === layers - 1;
    const normal = rowsFor('normal', layer.qkv, total, width);
    steps.push(kernels.rows({ width, from: x, to: normal, rows, norm: layer.norm1, epsilon }));
    const qkv = { values: between };
    steps.push(kernels.product({ matrix: layer.qkv, from: normal, rows, to: qkv, output: 'store' }));
    if (oneRow) {
      // From here on there is one row for each image or text.
      x = floats('single states', images * width);
      steps.push(gather(states, { values: x }));
      rows = images;
    }
    // Where the row is another one than the first, the rows before it come with it, and it is picked out of them.
    const picked = oneRow && ends !== undefined;
    const queries = picked ? length : rows / images;
    const direct = layer.out.dtype === 'int8' && attentionQuantizes(width / heads) && !picked;
    const to = direct
      ? rowsFor('context', layer.out, total, width)
      : { values: floats('context, f32', total * width) };
    steps.push(kernels.attention({ width, heads, from: between, to, images, length, queries, causal }));
    let attended = to;
    if (picked) {
      attended = rowsFor('single context', layer.out, images, width);
      steps.push(gather(to.values, attended));
    } else if (!direct) {
      attended = given('context', to.values, layer.out, rows, width);
    }
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
  // Without layers, single rows are gathered all the same.
  if (asked.rows !== 'all' && layers === 0) {
    x = floats('single states', images * width);
    steps.push(gather(states, { values: x }));
  }
  const seen = asked.seen ? keysAndValues() : [];
  const { version } = workspace;
  return { steps: await Promise.all(steps), begin, ends, results: [x, ...seen], version };
}
