// Seeded numbers, and matrices in the packed layout of src/kernels/matrix.rs.

/** @typedef {import('../../pkg/src/worker/gpu/types.js').TowerTensor} TowerTensor */

/** Numbers in -1..1 that are the same in every run. @param {number} seed */
export function seeded(seed) {
  let state = (seed * 2654435761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** @param {number} length @param {number} seed @param {number} [size] */
export function numbers(length, seed, size = 1) {
  const next = seeded(seed);
  return Float32Array.from({ length }, () => size * next());
}

/** The bits of the float16 next to a number that is neither tiny nor huge. @param {number} value */
export function halfBits(value) {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0] ?? 0;
  const rounded = bits + 0xfff + ((bits >> 13) & 1);
  const exponent = ((rounded >> 23) & 0xff) - 112;
  if (exponent <= 0) return (bits >> 16) & 0x8000;
  return ((bits >> 16) & 0x8000) | (exponent << 10) | ((rounded >> 13) & 0x3ff);
}

/** @param {number} bits of a float16 that is neither infinite nor denormal */
export function halfValue(bits) {
  const exponent = (bits >> 10) & 0x1f;
  if (exponent === 0) return 0;
  return (bits & 0x8000 ? -1 : 1) * (1 + (bits & 0x3ff) / 1024) * 2 ** (exponent - 15);
}

/**
 * Packs numbers that lie row by row. `exact` has what they then are.
 * @param {ArrayLike<number>} values @param {number} rows @param {number} columns @param {'int8' | 'f16' | 'f32'} dtype
 * @returns {{ tensor: TowerTensor, exact: Float64Array }}
 */
export function pack(values, rows, columns, dtype) {
  const padded = Math.ceil(rows / 8) * 8;
  const exact = new Float64Array(rows * columns);
  const at = (/** @type {number} */ row, /** @type {number} */ column, /** @type {number} */ pitch) =>
    Math.floor(row / 8) * pitch * 8 + column * 8 + (row % 8);
  if (dtype !== 'int8') {
    const packed = dtype === 'f32' ? new Float32Array(padded * columns) : new Uint16Array(padded * columns);
    for (let i = 0; i < rows * columns; i++) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const value = Number(values[i]);
      packed[at(row, column, columns)] = dtype === 'f32' ? value : halfBits(value);
      exact[i] = dtype === 'f32' ? Math.fround(value) : halfValue(halfBits(value));
    }
    return { tensor: { dtype, rows, columns, values: new Uint8Array(packed.buffer) }, exact };
  }
  const groups = Math.ceil(columns / 8) * 2;
  const packed = new Int8Array(padded * groups * 4);
  const scales = new Float32Array(padded);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let c = 0; c < columns; c++) {
      largest = Math.max(largest, Math.abs(Number(values[row * columns + c])));
    }
    const scale = Math.fround(largest / 127);
    scales[row] = scale;
    for (let c = 0; c < columns; c++) {
      const q = Math.round(Number(values[row * columns + c]) / (scale || 1));
      packed[at(row, Math.floor(c / 4), groups) * 4 + (c % 4)] = q;
      exact[row * columns + c] = q * scale;
    }
  }
  return { tensor: { dtype, rows, columns, values: new Uint8Array(packed.buffer), scales }, exact };
}

/**
 * The largest difference of two arrays, relative to the largest number of the second.
 * @param {ArrayLike<number>} found @param {ArrayLike<number>} expected
 */
export function difference(found, expected) {
  let [off, most] = [0, 0];
  if (found.length !== expected.length) return Infinity;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(Number(found[i]) - Number(expected[i]));
    // What is no number is infinitely far off.
    off = Math.max(off, Number.isNaN(error) ? Infinity : error);
    most = Math.max(most, Math.abs(Number(expected[i])));
  }
  return off / (most || 1);
}

/** @param {ArrayLike<number>} a @param {ArrayLike<number>} b */
export function cosine(a, b) {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += Number(a[i]) * Number(b[i]);
    aa += Number(a[i]) ** 2;
    bb += Number(b[i]) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
