/**
 * The product of int8 inputs and int8 weights: integer sums over a block of 32 columns, which then are multiplied by the scale of
 * that block of inputs and added up in f32.
 *
 * Inputs lie in fours of rows, as the weights do in the panels of `src/kernels/matrix.rs`: one `vec4<u32>` is four columns of four
 * rows. So an invocation reads two of them for sixteen packed products.
 */

import { dotText, each, GROUPS_OF_BLOCK } from './text.js';
import { epilogueText, PARAMS, resultText, shape } from './product.js';

/** @param {import('./product.js').ProductOptions} options */
export function int8Product(options) {
  const { tile, packed = false } = options;
  const { across, down, invocations, rowQuads, columnQuads } = shape(tile);
  // Blocks between two barriers. A large tile has no room for more in 16 KiB.
  const blocks = tile.rows > 64 ? 1 : 2;
  const depth = blocks * GROUPS_OF_BLOCK;
  // One more than are used: neighbouring invocations then read from different banks of memory.
  const pitch = depth + 1;
  const step = (/** @type {number} */ block) => /* wgsl */ `{
      ${each(tile.quads, (i) => each(4, (r) => `var whole${i}${r} = vec4<i32>();`))}
      for (var g = ${block * GROUPS_OF_BLOCK}u; g < ${(block + 1) * GROUPS_OF_BLOCK}u; g++) {
        let w = bTile[local.x * ${pitch}u + g];
        ${each(
          tile.quads,
          (i) => /* wgsl */ `
        let x${i} = aTile[(local.y + ${i * down}u) * ${pitch}u + g];
        ${each(4, (r) => `whole${i}${r} += dots(x${i}[${r}], w);`)}`,
        )}
      }
      ${each(
        tile.quads,
        (i) => /* wgsl */ `
      let scale${i} = scaleTile[(local.y + ${i * down}u) * ${blocks}u + ${block}u];
      ${each(4, (r) => `sum${i}${r} += vec4<f32>(whole${i}${r}) * scale${i}[${r}];`)}`,
      )}
    }`;
  return /* wgsl */ `
${PARAMS}
// Row quad, group.
@group(0) @binding(1) var<storage, read> a: array<vec4<u32>>;
// Panel, group, half of the panel.
@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;
// Row quad, block.
@group(0) @binding(6) var<storage, read> aScales: array<vec4<f32>>;
${resultText(options)}
${dotText(packed)}
var<workgroup> aTile: array<vec4<u32>, ${rowQuads * pitch}>;
var<workgroup> bTile: array<vec4<u32>, ${columnQuads * pitch}>;
var<workgroup> scaleTile: array<vec4<f32>, ${rowQuads * blocks}>;

@compute @workgroup_size(${across}, ${down})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let lastRowQuad = (params.rows + 3u) / 4u - 1u;
  let lastPanel = (params.columnQuads + 1u) / 2u - 1u;
  let firstRowQuad = workgroup.y * ${rowQuads}u;
  let firstPanel = workgroup.x * ${columnQuads / 2}u;
  let quad = workgroup.x * ${columnQuads}u + local.x;
  let groups = params.inputs * ${GROUPS_OF_BLOCK}u;
  ${each(tile.quads, (i) => each(4, (r) => `var sum${i}${r} = vec4<f32>();`))}
  for (var start = 0u; start < groups; start += ${depth}u) {
    // Rows and panels past the last one are copies of it, whose results nobody writes. Inputs past the end of a row are
    // zeros: so it does not matter what weights they meet there, and the weights need no such look.
    for (var i = index; i < ${rowQuads * depth}u; i += ${invocations}u) {
      let row = i / ${depth}u;
      let group = start + i % ${depth}u;
      let source = min(firstRowQuad + row, lastRowQuad) * groups + min(group, groups - 1u);
      aTile[row * ${pitch}u + i % ${depth}u] = select(vec4<u32>(), a[source], group < groups);
    }
    for (var i = index; i < ${columnQuads * depth}u; i += ${invocations}u) {
      let panel = i / ${depth * 2}u;
      let group = i % ${depth * 2}u / 2u;
      let source = min(firstPanel + panel, lastPanel) * params.weights + start + group;
      bTile[(panel * 2u + i % 2u) * ${pitch}u + group] = b[source * 2u + i % 2u];
    }
    for (var i = index; i < ${rowQuads * blocks}u; i += ${invocations}u) {
      let block = min(start / ${GROUPS_OF_BLOCK}u + i % ${blocks}u, params.inputs - 1u);
      scaleTile[i] = aScales[min(firstRowQuad + i / ${blocks}u, lastRowQuad) * params.inputs + block];
    }
    workgroupBarrier();
    ${each(blocks, step)}
    workgroupBarrier();
  }
  ${epilogueText(options)}
}`;
}
