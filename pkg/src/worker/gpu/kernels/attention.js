/**
 * Attention with the softmax made as the keys come (online softmax): no matrix of scores is ever in memory.
 *
 * A workgroup has some queries of one head of one image, and goes through that image's keys and values, a few at a time. Eight
 * invocations share four queries. For the scores each takes every eighth key; for the result, every eighth four of the head's
 * columns. Scores are held as four queries in a vector, so that four queries' weights of a value come with one read.
 *
 * Keys and values lie in the same place in workgroup memory, one after the other: with the queries there is no room for both.
 */

import { BLOCK, blocksOf, each, GROUPS_OF_BLOCK, QUANTIZE } from './text.js';

/** Invocations that share four queries. */
const ACROSS = 8;
/** Of workgroup memory, which every device has. */
const BYTES = 16384;
/** Keys that one step takes, most first. */
const STEPS = [32, 16, 8];

/**
 * How many queries a workgroup has and how many keys a step takes, for heads of so many columns.
 * @param {number} size a multiple of 4, 156 at most: more does not fit into workgroup memory
 */
export function attentionShape(size) {
  const queries = size > 64 ? 16 : 32;
  // Queries, keys or values, weights, maxima.
  const bytes = (/** @type {number} */ keys) =>
    (queries + keys) * (size / 4 + 1) * 16 + queries * keys * 4 + queries * ACROSS * 4;
  const keys = STEPS.find((count) => bytes(count) <= BYTES);
  if (!keys || size % 4 !== 0) throw new Error(`The GPU has no attention for heads of ${size} columns.`);
  return { queries, keys, bytes: bytes(keys) };
}

/** Whether the result can be quantized here: where heads are whole blocks. @param {number} size */
export function attentionQuantizes(size) {
  return size % BLOCK === 0;
}

const QUANTIZED = /* wgsl */ `
// Fours of rows, group, row.
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
// Fours of rows, block, row.
@group(0) @binding(3) var<storage, read_write> scales: array<f32>;
${QUANTIZE}`;

/**
 * @param {{ width: number, heads: number, quantize?: boolean, causal?: boolean }} options rows are `3 width` wide: queries, keys,
 *   values; `quantize`: whether the result is int8; `causal`: whether a row sees only those before it, and itself
 */
export function attentionKernel({ width, heads, quantize = false, causal = false }) {
  const size = width / heads;
  const { queries, keys } = attentionShape(size);
  const quads = size / 4;
  // One more than are used: rows then lie in different banks of memory.
  const pitch = quads + 1;
  const down = queries / 4;
  const invocations = ACROSS * down;
  const own = keys / ACROSS;
  const results = Math.ceil(quads / ACROSS);
  const row = (3 * width) / 4;
  // Softmax in powers of two, which GPUs have an instruction for.
  const factor = Math.LOG2E / Math.sqrt(size);
  const load = (/** @type {number} */ from, /** @type {string} */ what) => /* wgsl */ `
    for (var i = index; i < ${keys * quads}u; i += ${invocations}u) {
      let key = min(start + i / ${quads}u, params.length - 1u);
      kv[i / ${quads}u * ${pitch}u + i % ${quads}u] = qkv[(image + key) * ${row}u + ${(from * width) / 4}u + head + i % ${quads}u]; // ${what}
    }`;
  // Which of four queries see a key: those before them, or all that are there.
  const seen = (/** @type {number} */ k) => {
    const key = `start + local.x + ${k * ACROSS}u`;
    return causal ? `vec4<u32>(${key}) <= rows` : `${key} < params.length`;
  };
  return /* wgsl */ `
struct Params {
  // Rows of an image.
  length: u32,
  // How many of them are asked for, from the first on.
  queries: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> qkv: array<vec4<f32>>;
${quantize ? QUANTIZED : '@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;'}

var<workgroup> q: array<vec4<f32>, ${queries * pitch}>;
var<workgroup> kv: array<vec4<f32>, ${keys * pitch}>;
// Key, four of queries.
var<workgroup> weights: array<vec4<f32>, ${keys * down}>;
var<workgroup> maxima: array<vec4<f32>, ${invocations}>;

@compute @workgroup_size(${ACROSS}, ${down})
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
) {
  let image = workgroup.z * params.length;
  let head = workgroup.y * ${quads}u;
  let firstQuery = workgroup.x * ${queries}u;
  for (var i = index; i < ${queries * quads}u; i += ${invocations}u) {
    let query = min(firstQuery + i / ${quads}u, params.queries - 1u);
    q[i / ${quads}u * ${pitch}u + i % ${quads}u] = qkv[(image + query) * ${row}u + head + i % ${quads}u] * ${factor};
  }
  // Of four queries: the largest score so far, and the sum of the weights of this invocation's keys, relative to it.
  var most = vec4<f32>(-3e38);
  var sum = vec4<f32>();
  ${each(4, (r) => each(results, (j) => `var y${r}${j} = vec4<f32>();`))}
  ${causal ? 'let rows = firstQuery + local.y * 4u + vec4<u32>(0u, 1u, 2u, 3u);' : ''}
  // Keys that no query sees are left out; the first is seen by all of them.
  let end = ${causal ? `min(params.length, firstQuery + ${queries}u)` : 'params.length'};
  for (var start = 0u; start < end; start += ${keys}u) {
    ${load(1, 'keys')}
    workgroupBarrier();
    ${each(own, (k) => `var s${k} = vec4<f32>();`)}
    for (var c = 0u; c < ${quads}u; c++) {
      ${each(4, (r) => `let q${r} = q[(local.y * 4u + ${r}u) * ${pitch}u + c];`)}
      ${each(
        own,
        (k) => /* wgsl */ `{
        let key = kv[(local.x + ${k * ACROSS}u) * ${pitch}u + c];
        s${k} += vec4<f32>(dot(q0, key), dot(q1, key), dot(q2, key), dot(q3, key));
      }`,
      )}
    }
    ${each(own, (k) => `s${k} = select(vec4<f32>(-3e38), s${k}, ${seen(k)});`)}
    var highest = s0;
    ${each(own - 1, (k) => `highest = max(highest, s${k + 1});`)}
    maxima[local.y * ${ACROSS}u + local.x] = highest;
    workgroupBarrier();
    // All keys were read: values may take their place.
    ${load(2, 'values')}
    let before = most;
    ${each(ACROSS, (k) => `most = max(most, maxima[local.y * ${ACROSS}u + ${k}u]);`)}
    let rescale = exp2(before - most);
    sum *= rescale;
    ${each(
      own,
      (k) => /* wgsl */ `{
      let weight = exp2(s${k} - most);
      sum += weight;
      weights[(local.x + ${k * ACROSS}u) * ${down}u + local.y] = weight;
    }`,
    )}
    workgroupBarrier();
    ${each(4, (r) => each(results, (j) => `y${r}${j} *= rescale[${r}];`))}
    for (var k = 0u; k < ${keys}u; k++) {
      let weight = weights[k * ${down}u + local.y];
      ${each(
        results,
        (j) => /* wgsl */ `{
        let value = kv[k * ${pitch}u + min(local.x + ${j * ACROSS}u, ${quads - 1}u)];
        ${each(4, (r) => `y${r}${j} += weight[${r}] * value;`)}
      }`,
      )}
    }
    workgroupBarrier();
  }
  maxima[local.y * ${ACROSS}u + local.x] = sum;
  workgroupBarrier();
  var all = vec4<f32>();
  ${each(ACROSS, (k) => `all += maxima[local.y * ${ACROSS}u + ${k}u];`)}
  ${quantize ? quantizeText(results, width) : storeText(results, quads, width)}
}`;
}

/** @param {number} results @param {number} quads @param {number} width */
function storeText(results, quads, width) {
  return each(4, (r) =>
    each(
      results,
      (j) => /* wgsl */ `{
    let query = firstQuery + local.y * 4u + ${r}u;
    let c = local.x + ${j * ACROSS}u;
    if (query < params.queries && c < ${quads}u) {
      y[(workgroup.z * params.queries + query) * ${width / 4}u + head + c] = y${r}${j} / all[${r}];
    }
  }`,
    ),
  );
}

/**
 * The invocations that share four queries have a block of 32 columns at a time.
 * @param {number} results @param {number} width
 */
function quantizeText(results, width) {
  const blocks = blocksOf(width);
  const groups = blocks * GROUPS_OF_BLOCK;
  return each(
    results,
    (j) => /* wgsl */ `{
    ${each(4, (r) => `let v${r} = y${r}${j} / all[${r}];`)}
    workgroupBarrier();
    maxima[local.y * ${ACROSS}u + local.x] = vec4<f32>(largest(v0), largest(v1), largest(v2), largest(v3));
    workgroupBarrier();
    var most = vec4<f32>();
    ${each(ACROSS, (k) => `most = max(most, maxima[local.y * ${ACROSS}u + ${k}u]);`)}
    let by = 127.0 / max(most, vec4<f32>(TINY));
    let group = head + ${j * ACROSS}u + local.x;
    ${each(
      4,
      (r) => /* wgsl */ `{
      let query = firstQuery + local.y * 4u + ${r}u;
      let row = workgroup.z * params.queries + query;
      if (query < params.queries) {
        y[(row / 4u * ${groups}u + group) * 4u + row % 4u] = quantize(v${r} * by[${r}]);
        if (local.x == 0u) {
          scales[(row / 4u * ${blocks}u + group / ${GROUPS_OF_BLOCK}u) * 4u + row % 4u] = most[${r}] / 127.0;
        }
      }
    }`,
    )}
  }`,
  );
}
