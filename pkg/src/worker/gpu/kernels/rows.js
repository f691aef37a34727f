/**
 * What is done to one row at a time: layer norm, quantizing, or both; or neither, which gathers rows.
 *
 * A workgroup has a row, which it reads once and keeps in registers, in fours of columns. The mean comes first and then the
 * variance around it: the mean of the squares less the square of the mean would cancel.
 *
 * @typedef {object} RowsOptions
 * @property {number} width a multiple of 4
 * @property {number} [norm] epsilon of a layer norm; without it there is none
 * @property {boolean} [quantize] whether rows become int8, with a scale for each block of 32 columns
 * @property {boolean} [listed] whether a list says which rows are read
 */

import { blocksOf, each, GROUPS_OF_BLOCK, QUANTIZE } from './text.js';

/** @param {RowsOptions} options */
export function rowsKernel({ width, norm, quantize = false, listed = false }) {
  const quads = width / 4;
  const blocks = blocksOf(width);
  const groups = blocks * GROUPS_OF_BLOCK;
  const invocations = groups > 512 ? 256 : 64;
  const each4 = (/** @type {(i: number) => string} */ text) => each(Math.ceil(groups / invocations), text);
  const at = (/** @type {number} */ i) => `(index + ${i * invocations}u)`;
  // Where the row does not fill all invocations, some of them look whether they are within it.
  const inside = (/** @type {number} */ i) =>
    (i + 1) * invocations <= quads ? 'true' : `${at(i)} < ${quads}u`;
  return /* wgsl */ `
struct Params {
  // From one row that is read to the next; 1 where they are listed.
  stride: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
${norm === undefined ? '' : normBindings}
${quantize ? quantizedBindings(invocations, Math.ceil(groups / invocations)) : plainBindings}
${norm === undefined ? '' : totalText(invocations)}
${listed ? '@group(0) @binding(6) var<storage, read> list: array<u32>;' : ''}

@compute @workgroup_size(${invocations})
fn main(@builtin(workgroup_id) workgroup: vec3<u32>, @builtin(local_invocation_index) index: u32) {
  let row = workgroup.x;
  let source = ${listed ? 'list[row]' : 'row'} * params.stride * ${quads}u;
  ${each4((i) => `var v${i} = vec4<f32>(); if (${inside(i)}) { v${i} = x[source + ${at(i)}]; }`)}
  ${norm === undefined ? '' : normText(norm, width, each4, at, inside)}
  ${quantize ? quantizeText(invocations, groups, blocks, each4, at) : plainText(quads, each4, at, inside)}
}`;
}

const normBindings = /* wgsl */ `
@group(0) @binding(2) var<storage, read> gain: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>;`;

const plainBindings = '@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;';

/** @param {number} invocations @param {number} times */
function quantizedBindings(invocations, times) {
  return /* wgsl */ `
// Fours of rows, group, row.
@group(0) @binding(4) var<storage, read_write> y: array<u32>;
// Fours of rows, block, row.
@group(0) @binding(5) var<storage, read_write> scales: array<f32>;
var<workgroup> maxima: array<f32, ${invocations * times}>;
${QUANTIZE}`;
}

/** The sum over all invocations. @param {number} invocations a power of two */
function totalText(invocations) {
  return /* wgsl */ `
var<workgroup> parts: array<f32, ${invocations}>;
fn total(part: f32, index: u32) -> f32 {
  workgroupBarrier();
  parts[index] = part;
  workgroupBarrier();
  for (var half = ${invocations / 2}u; half > 0u; half /= 2u) {
    if (index < half) { parts[index] += parts[index + half]; }
    workgroupBarrier();
  }
  return parts[0];
}`;
}

/**
 * @typedef {(text: (i: number) => string) => string} Each
 * @typedef {(i: number) => string} At
 */

/** @param {number} epsilon @param {number} width @param {Each} each4 @param {At} at @param {At} inside */
function normText(epsilon, width, each4, at, inside) {
  return /* wgsl */ `
  var part = 0.0;
  ${each4((i) => `part += dot(v${i}, vec4<f32>(1.0));`)}
  let mean = total(part, index) / ${width}.0;
  part = 0.0;
  ${each4((i) => `if (${inside(i)}) { v${i} -= mean; part += dot(v${i}, v${i}); }`)}
  let factor = inverseSqrt(total(part, index) / ${width}.0 + ${epsilon.toExponential()});
  ${each4((i) => `if (${inside(i)}) { v${i} = v${i} * factor * gain[${at(i)}] + bias[${at(i)}]; }`)}`;
}

/** @param {number} quads @param {Each} each4 @param {At} at @param {At} inside */
function plainText(quads, each4, at, inside) {
  return each4((i) => `if (${inside(i)}) { y[row * ${quads}u + ${at(i)}] = v${i}; }`);
}

/** @param {number} invocations @param {number} groups @param {number} blocks @param {Each} each4 @param {At} at */
function quantizeText(invocations, groups, blocks, each4, at) {
  return /* wgsl */ `
  ${each4((i) => `maxima[${at(i)}] = largest(v${i});`)}
  workgroupBarrier();
  let to = row / 4u;
  let first = index / ${GROUPS_OF_BLOCK}u * ${GROUPS_OF_BLOCK}u;
  ${each4(
    (i) => /* wgsl */ `if (${at(i)} < ${groups}u) {
    var most = 0.0;
    ${each(GROUPS_OF_BLOCK, (k) => `most = max(most, maxima[first + ${i * invocations + k}u]);`)}
    let by = 127.0 / max(most, TINY);
    y[(to * ${groups}u + ${at(i)}) * 4u + row % 4u] = quantize(v${i} * by);
    if (index % ${GROUPS_OF_BLOCK}u == 0u) {
      scales[(to * ${blocks}u + ${at(i)} / ${GROUPS_OF_BLOCK}u) * 4u + row % 4u] = most / 127.0;
    }
  }`,
  )}`;
}
