/**
 * The product of f32 inputs and weights in f32 or f16, added up in f32.
 *
 * Inputs lie row by row and weights in the panels of `src/kernels/matrix.rs`, column by column. For four columns an invocation reads
 * four columns of each of its rows, and its four outputs at each of the columns: both as they lie, nothing is transposed.
 *
 * Where the device computes in f16, both operands of f16 weights are f16 in workgroup memory and in registers. Sums of 16 columns
 * are f16 as well, and added up in f32: longer ones would lose precision, shorter ones would cost what f16 gains.
 */

import { each } from './text.js';
import { epilogueText, PARAMS, resultText, shape } from './product.js';

/**
 * How one panel's column is read into `bTile`, at `to`: half a panel of f32 weights, a whole one of f16 weights, which are widened
 * or, as `half`, stay what they are.
 */
const WEIGHTS = {
  f32: {
    type: 'vec4<f32>',
    pieces: 2,
    read: /* wgsl */ `bTile[to + piece] = b[source * 2u + piece];`,
  },
  f16: {
    type: 'vec4<u32>',
    pieces: 1,
    read: /* wgsl */ `
      let eight = b[source];
      bTile[to] = vec4<f32>(unpack2x16float(eight.x), unpack2x16float(eight.y));
      bTile[to + 1u] = vec4<f32>(unpack2x16float(eight.z), unpack2x16float(eight.w));`,
  },
  half: {
    type: 'vec4<u32>',
    pieces: 1,
    read: /* wgsl */ `
      let eight = b[source];
      bTile[to] = bitcast<vec4<f16>>(eight.xy);
      bTile[to + 1u] = bitcast<vec4<f16>>(eight.zw);`,
  },
};

/** @param {import('./product.js').ProductOptions & { dtype: 'f32' | 'f16' }} options */
export function floatProduct(options) {
  const { tile, dtype } = options;
  const half = dtype === 'f16' && options.half;
  const { across, down, invocations, rowQuads, columnQuads } = shape(tile);
  const { type, pieces, read } = WEIGHTS[half ? 'half' : dtype];
  const four = half ? 'vec4<f16>' : 'vec4<f32>';
  const sum = half ? 'part' : 'sum';
  const ofEach = (/** @type {(i: number, r: number) => string} */ text) =>
    each(tile.quads, (i) => each(4, (r) => text(i, r)));
  // Columns between two barriers. A large tile has no room for more f32 numbers in 16 KiB.
  const depth = tile.rows > 64 && !half ? 8 : 16;
  const fours = depth / 4;
  // One more than are used: neighbouring rows then lie in different banks of memory.
  const pitch = fours + 1;
  const panels = columnQuads / 2;
  return /* wgsl */ `
${half ? 'enable f16;' : ''}
${PARAMS}
// Row, four of columns.
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
// Panel, column, row.
@group(0) @binding(2) var<storage, read> b: array<${type}>;
${resultText(options)}
var<workgroup> aTile: array<${four}, ${rowQuads * 4 * pitch}>;
var<workgroup> bTile: array<${four}, ${depth * columnQuads}>;

@compute @workgroup_size(${across}, ${down})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let lastPanel = (params.columnQuads + 1u) / 2u - 1u;
  let firstRowQuad = workgroup.y * ${rowQuads}u;
  let firstPanel = workgroup.x * ${panels}u;
  let quad = workgroup.x * ${columnQuads}u + local.x;
  ${ofEach((i, r) => `var sum${i}${r} = vec4<f32>();`)}
  for (var start = 0u; start < params.inputs; start += ${fours}u) {
    // Rows and panels past the last one are copies of it, whose results nobody writes. Columns past the end are zeros among
    // the inputs, and the last column among the weights.
    for (var i = index; i < ${rowQuads * depth}u; i += ${invocations}u) {
      let row = min(firstRowQuad * 4u + i / ${fours}u, params.rows - 1u);
      let four = start + i % ${fours}u;
      let source = row * params.inputs + min(four, params.inputs - 1u);
      aTile[i / ${fours}u * ${pitch}u + i % ${fours}u] = ${four}(select(vec4<f32>(), a[source], four < params.inputs));
    }
    for (var i = index; i < ${panels * depth * pieces}u; i += ${invocations}u) {
      let piece = i % ${pieces}u;
      let column = i / ${pieces}u % ${depth}u;
      let panel = i / ${pieces * depth}u;
      let source = min(firstPanel + panel, lastPanel) * params.weights + min(start * 4u + column, params.weights - 1u);
      let to = column * ${columnQuads}u + panel * 2u;
      ${read}
    }
    workgroupBarrier();
    ${half ? ofEach((i, r) => `var part${i}${r} = vec4<f16>();`) : ''}
    for (var k = 0u; k < ${fours}u; k++) {
      ${each(4, (j) => `let w${j} = bTile[(k * 4u + ${j}u) * ${columnQuads}u + local.x];`)}
      ${ofEach(
        (i, r) => /* wgsl */ `{
        let x = aTile[((local.y + ${i * down}u) * 4u + ${r}u) * ${pitch}u + k];
        ${sum}${i}${r} += x.x * w0 + x.y * w1 + x.z * w2 + x.w * w3;
      }`,
      )}
    }
    ${half ? ofEach((i, r) => `sum${i}${r} += vec4<f32>(part${i}${r});`) : ''}
    workgroupBarrier();
  }
  ${epilogueText(options)}
}`;
}
