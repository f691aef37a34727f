/**
 * What the products of all dtypes have in common: their tiles, their sizes, and what becomes of a sum.
 *
 * A workgroup computes a tile of the result. An invocation has `quads` fours of rows by one four of columns of it, in registers:
 * `sum<i><r>` are the four columns of row `r` of its `i`th four.
 *
 * @typedef {object} Tile
 * @property {number} rows
 * @property {number} columns a multiple of 32: what is quantized here ends blocks with its tile
 * @property {number} quads fours of rows of one invocation
 *
 * @typedef {'store' | 'add' | 'quantize' | 'embed'} Output
 * - `store`: written over what is there
 * - `add`: added to what is there, the residual
 * - `quantize`: written as int8, for a product that takes those
 * - `embed`: with positions added, each image's rows behind its prefix
 *
 * @typedef {object} ProductOptions
 * @property {Tile} tile
 * @property {Output} output
 * @property {import('../types.js').Activation} [activation]
 * @property {boolean} [packed] whether the language multiplies packed int8 numbers
 * @property {boolean} [half] whether the device computes in f16
 */

import { activationText, each, GROUPS_OF_BLOCK, QUANTIZE } from './text.js';

/** From large to small: fewer reads of memory for each result, or more workgroups. @satisfies {Record<string, Tile>} */
export const TILES = {
  '128x64': { rows: 128, columns: 64, quads: 2 },
  '64x64': { rows: 64, columns: 64, quads: 1 },
  '32x64': { rows: 32, columns: 64, quads: 1 },
  '32x32': { rows: 32, columns: 32, quads: 1 },
  '16x64': { rows: 16, columns: 64, quads: 1 },
  '8x32': { rows: 8, columns: 32, quads: 1 },
};

/** @typedef {keyof typeof TILES} TileName */

/** How a tile is shared out. @param {Tile} tile */
export function shape({ rows, columns, quads }) {
  const across = columns / 4;
  const down = rows / 4 / quads;
  return { across, down, invocations: across * down, rowQuads: rows / 4, columnQuads: across };
}

/** The sizes of one product, in the order of `Params`. */
export const PARAMS = /* wgsl */ `
struct Params {
  rows: u32,
  // Fours of outputs.
  columnQuads: u32,
  // Of one row of inputs: blocks of int8 numbers, fours of f32 numbers.
  inputs: u32,
  // Of one panel of weights: groups of int8 columns, columns of others.
  weights: u32,
  // Of one image, where patches are embedded.
  patches: u32,
  prefix: u32,
}
@group(0) @binding(0) var<uniform> params: Params;`;

/** @type {Record<Output, string>} */
const RESULTS = {
  store: '@group(0) @binding(4) var<storage, read_write> c: array<vec4<f32>>;',
  add: '@group(0) @binding(4) var<storage, read_write> c: array<vec4<f32>>;',
  quantize: /* wgsl */ `
@group(0) @binding(4) var<storage, read_write> c: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> cScales: array<vec4<f32>>;`,
  embed: /* wgsl */ `
@group(0) @binding(4) var<storage, read_write> c: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> positions: array<vec4<f32>>;`,
};

/** Declarations of the result, and of what is applied to it. @param {ProductOptions} options */
export function resultText({ output, activation, tile }) {
  const maxima =
    output === 'quantize' ? `var<workgroup> maxima: array<vec4<f32>, ${shape(tile).invocations}>;` : '';
  return /* wgsl */ `
// Of four columns each: the scales of their weights, then their biases.
@group(0) @binding(3) var<storage, read> columns: array<vec4<f32>>;
${RESULTS[output]}
${activationText(activation)}
${output === 'quantize' ? QUANTIZE : ''}
${maxima}`;
}

/**
 * The end of `main`: scales, bias, activation, and writing. Expects `local`, `firstRowQuad` and `quad`, the four of columns.
 * @param {ProductOptions} options
 */
export function epilogueText({ output, tile }) {
  const { down, across } = shape(tile);
  const result = (/** @type {number} */ i, /** @type {number} */ r) =>
    `activate(sum${i}${r} * scales + bias)`;
  const begin = /* wgsl */ `
  let inside = quad < params.columnQuads;
  let scales = select(vec4<f32>(), columns[2u * quad], inside);
  let bias = select(vec4<f32>(), columns[2u * quad + 1u], inside);`;
  if (output === 'quantize') return begin + quantizeText(tile.quads, down, across, result);
  const write = {
    store: (/** @type {string} */ value) => `c[row * params.columnQuads + quad] = ${value};`,
    add: (/** @type {string} */ value) => `c[row * params.columnQuads + quad] += ${value};`,
    embed: (/** @type {string} */ value) => /* wgsl */ `
      let one = row % params.patches;
      let to = row / params.patches * (params.patches + params.prefix) + params.prefix + one;
      c[to * params.columnQuads + quad] = ${value} + positions[one * params.columnQuads + quad];`,
  }[output];
  return `${begin}
  if (inside) {
    ${each(tile.quads, (i) =>
      each(
        4,
        (r) => `{
      let row = (firstRowQuad + local.y + ${i * down}u) * 4u + ${r}u;
      if (row < params.rows) { ${write(result(i, r))} }
    }`,
      ),
    )}
  }`;
}

/**
 * Eight invocations that lie side by side have a block. Those behind the last column write zeros, which fill the last block.
 * @param {number} quads @param {number} down @param {number} across @param {(i: number, r: number) => string} result
 */
function quantizeText(quads, down, across, result) {
  return /* wgsl */ `
  let blocks = (params.columnQuads + ${GROUPS_OF_BLOCK - 1}u) / ${GROUPS_OF_BLOCK}u;
  ${each(
    quads,
    (i) => /* wgsl */ `{
    ${each(4, (r) => `let y${r} = select(vec4<f32>(), ${result(i, r)}, inside);`)}
    maxima[local.y * ${across}u + local.x] = vec4<f32>(largest(y0), largest(y1), largest(y2), largest(y3));
    workgroupBarrier();
    let first = local.y * ${across}u + local.x / ${GROUPS_OF_BLOCK}u * ${GROUPS_OF_BLOCK}u;
    var most = maxima[first];
    ${each(GROUPS_OF_BLOCK - 1, (k) => `most = max(most, maxima[first + ${k + 1}u]);`)}
    workgroupBarrier();
    let factors = 127.0 / max(most, vec4<f32>(TINY));
    let rowQuad = firstRowQuad + local.y + ${i * down}u;
    if (rowQuad * 4u < params.rows && quad < blocks * ${GROUPS_OF_BLOCK}u) {
      c[rowQuad * blocks * ${GROUPS_OF_BLOCK}u + quad] = vec4<u32>(
        quantize(y0 * factors.x), quantize(y1 * factors.y), quantize(y2 * factors.z), quantize(y3 * factors.w));
      if (local.x % ${GROUPS_OF_BLOCK}u == 0u) {
        cScales[rowQuad * blocks + quad / ${GROUPS_OF_BLOCK}u] = most / 127.0;
      }
    }
  }`,
  )}`;
}
