// Seeded weights in the packed layout, for towers of full size. The layers are all alike: what is timed does not depend on what
// the numbers are.

/**
 * @typedef {import('../../../pkg/src/worker/gpu/types.js').TowerDescription} TowerDescription
 * @typedef {import('../../../pkg/src/worker/gpu/types.js').TowerTensor} TowerTensor
 * @typedef {import('../../../pkg/src/worker/gpu/types.js').Dtype} Dtype
 */

/** @param {number} rows @param {number} columns @param {Dtype} dtype @returns {TowerTensor} */
export function randomMatrix(rows, columns, dtype) {
  const padded = Math.ceil(rows / 8) * 8;
  const next = bytes();
  if (dtype === 'int8') {
    const values = new Uint8Array(padded * Math.ceil(columns / 8) * 8).map(() => clamped(next()));
    // As large as weights of a tower are whose states neither fade nor grow.
    return {
      dtype,
      rows,
      columns,
      values,
      scales: new Float32Array(padded).fill(1 / (74 * Math.sqrt(columns))),
    };
  }
  const numbers = new Float32Array(padded * columns).map(() => (next() - 128) / (74 * Math.sqrt(columns)));
  if (dtype === 'f32') return { dtype, rows, columns, values: new Uint8Array(numbers.buffer) };
  // Cut off, not rounded: which of two neighbours it is does not matter here.
  const bits = new Uint32Array(numbers.buffer);
  const halves = Uint16Array.from(bits, (word) => {
    const exponent = ((word >>> 23) & 0xff) - 112;
    return ((word >>> 16) & 0x8000) | (exponent > 0 ? (exponent << 10) | ((word >>> 13) & 0x3ff) : 0);
  });
  return { dtype, rows, columns, values: new Uint8Array(halves.buffer) };
}

/** Two's complement without -128, which symmetric weights do not have. @param {number} byte */
function clamped(byte) {
  return byte === 128 ? 129 : byte;
}

/** Seeded bytes. */
function bytes() {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
}

/** @param {TowerDescription} description @param {Dtype} dtype @returns {import('../../../pkg/src/worker/gpu/types.js').ReadTensor} */
export function randomWeights({ width, intermediate, inputs, patches, prefix }, dtype) {
  /** @type {Map<string, { matrix?: TowerTensor, vector?: Float32Array }>} */
  const tensors = new Map();
  /** @type {Record<string, [number, number]>} */
  const matrices = {
    patch_embedding: [width, inputs],
    qkv: [3 * width, width],
    out: [width, width],
    up: [intermediate, width],
    down: [width, intermediate],
  };
  for (const [name, [rows, columns]] of Object.entries(matrices)) {
    tensors.set(name, { matrix: randomMatrix(rows, columns, dtype) });
    tensors.set(`${name}.bias`, { vector: new Float32Array(rows) });
  }
  for (const norm of ['norm1', 'norm2', 'pre_norm']) {
    tensors.set(`${norm}.weight`, { vector: new Float32Array(width).fill(1) });
    tensors.set(`${norm}.bias`, { vector: new Float32Array(width) });
  }
  tensors.set('positions', { vector: new Float32Array(patches * width) });
  tensors.set('prefix', { vector: new Float32Array(prefix * width).fill(0.5) });
  return (name) => tensors.get(name.replace(/^layers\.\d+\./, ''));
}
