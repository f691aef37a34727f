/**
 * Pieces of WGSL that several kernels share.
 */

/** Columns of a row of inputs that share a scale. */
export const BLOCK = 32;

/** Columns of int8 numbers in one u32. */
export const GROUP = 4;

/** Groups of one block. */
export const GROUPS_OF_BLOCK = BLOCK / GROUP;

/**
 * Text for each of 0 to `count - 1`: loops that have to be unrolled, because arrays of registers cannot be indexed.
 * @param {number} count
 * @param {(i: number) => string} text
 */
export function each(count, text) {
  return Array.from({ length: count }, (_, i) => text(i)).join('\n');
}

/** How many blocks a row has. @param {number} columns */
export function blocksOf(columns) {
  return Math.ceil(columns / BLOCK);
}

/** How many rows an array in fours of rows has room for. @param {number} rows */
export function inFours(rows) {
  return Math.ceil(rows / 4) * 4;
}

/**
 * The products of one group of inputs with four groups of weights. Where the language has no packed products, all numbers are
 * taken out of their bytes, with their signs, and multiplied one by one.
 * @param {boolean} packed whether the language has them
 */
export function dotText(packed) {
  if (packed) {
    return /* wgsl */ `
fn dots(x: u32, w: vec4<u32>) -> vec4<i32> {
  return vec4<i32>(dot4I8Packed(x, w.x), dot4I8Packed(x, w.y), dot4I8Packed(x, w.z), dot4I8Packed(x, w.w));
}`;
  }
  return /* wgsl */ `
fn unpack(x: u32) -> vec4<i32> {
  return vec4<i32>(vec4<u32>(x) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u);
}
fn dots(x: u32, w: vec4<u32>) -> vec4<i32> {
  let bytes = unpack(x);
  return vec4<i32>(
    dot(bytes, unpack(w.x)), dot(bytes, unpack(w.y)), dot(bytes, unpack(w.z)), dot(bytes, unpack(w.w)));
}`;
}

/** Four numbers in -127..=127, already divided by their scale, as the bytes of a u32; and the largest magnitude of four. */
export const QUANTIZE = /* wgsl */ `
// What numbers are divided by at least, so that those of a row of zeros stay zeros.
const TINY = 1e-30;
fn quantize(x: vec4<f32>) -> u32 {
  let bytes = vec4<u32>(vec4<i32>(round(x))) & vec4<u32>(0xffu);
  return bytes.x | (bytes.y << 8u) | (bytes.z << 16u) | (bytes.w << 24u);
}
fn largest(x: vec4<f32>) -> f32 {
  let size = abs(x);
  return max(max(size.x, size.y), max(size.z, size.w));
}`;

/** Bodies of `activate`, as in `src/kernels/activation.rs`; exponents are kept where f32 has room for what becomes of them. */
const ACTIVATIONS = {
  quick_gelu: 'return x * sigmoid(1.702 * x);',
  // x Phi(x), as max(x, 0) - |x| (1 - Phi(|x|)), with the error function of Abramowitz and Stegun, 7.1.26.
  gelu: /* wgsl */ `
  let size = abs(x);
  let t = 1.0 / (1.0 + size * (0.3275911 * 0.70710678));
  let series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return max(x, vec4<f32>()) - size * 0.5 * series * exp(max(-0.5 * x * x, vec4<f32>(-80.0)));`,
  // 2 sqrt(2 / pi): x / 2 (1 + tanh(u)) is x sigmoid(2 u).
  gelu_tanh: 'return x * sigmoid(1.5957691 * x * (1.0 + 0.044715 * x * x));',
  relu: 'return max(x, vec4<f32>());',
  relu6: 'return clamp(x, vec4<f32>(), vec4<f32>(6.0));',
  silu: 'return x * sigmoid(x);',
};

/** @param {import('../types.js').Activation | undefined} name without it, numbers stay what they are */
export function activationText(name) {
  if (name && !(name in ACTIVATIONS)) throw new Error(`The GPU has no activation ${name}.`);
  return /* wgsl */ `
fn sigmoid(x: vec4<f32>) -> vec4<f32> {
  return 1.0 / (1.0 + exp(clamp(-x, vec4<f32>(-80.0), vec4<f32>(80.0))));
}
fn activate(x: vec4<f32>) -> vec4<f32> {
  ${name ? ACTIVATIONS[name] : 'return x;'}
}`;
}
