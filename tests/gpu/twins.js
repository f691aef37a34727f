// What the kernels compute, in double precision and without any thought of speed.

/** The activations of src/kernels/activation.rs. @type {Record<string, (x: number) => number>} */
export const ACTIVATIONS = {
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
  gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  silu: (x) => x / (1 + Math.exp(-x)),
};

/** The error function by its series, which alternates and is exact enough where numbers are small. @param {number} x */
function erf(x) {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/**
 * x Wᵀ + b, rows by outputs.
 * @param {ArrayLike<number>} x @param {ArrayLike<number>} w @param {number} columns
 * @param {{ bias?: ArrayLike<number>, activation?: string }} [options]
 */
export function linear(x, w, columns, { bias, activation } = {}) {
  const rows = x.length / columns;
  const outputs = w.length / columns;
  const act = activation ? ACTIVATIONS[activation] : undefined;
  const y = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    for (let out = 0; out < outputs; out++) {
      let sum = Number(bias?.[out] ?? 0);
      for (let c = 0; c < columns; c++) sum += Number(x[row * columns + c]) * Number(w[out * columns + c]);
      y[row * outputs + out] = act ? act(sum) : sum;
    }
  }
  return y;
}

/**
 * @param {ArrayLike<number>} x @param {number} width @param {ArrayLike<number>} gain @param {ArrayLike<number>} bias
 * @param {number} epsilon
 */
export function layerNorm(x, width, gain, bias, epsilon) {
  const y = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += width) {
    const row = Float64Array.from({ length: width }, (_, i) => Number(x[at + i]));
    const mean = row.reduce((sum, value) => sum + value, 0) / width;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    for (let i = 0; i < width; i++) {
      const normal = (Number(row[i]) - mean) / Math.sqrt(variance + epsilon);
      y[at + i] = normal * Number(gain[i]) + Number(bias[i]);
    }
  }
  return y;
}

/**
 * Rows as int8 numbers, in fours of rows, and their scales: what the kernel writes. `exact` has what they then are.
 * @param {ArrayLike<number>} x @param {number} columns
 */
export function quantized(x, columns) {
  const rows = x.length / columns;
  const blocks = Math.ceil(columns / 32);
  const values = new Int8Array(Math.ceil(rows / 4) * 4 * blocks * 32);
  const scales = new Float32Array(Math.ceil(rows / 4) * 4 * blocks);
  const exact = new Float64Array(x.length);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const [first, end] = [row * columns + block * 32, row * columns + Math.min(block * 32 + 32, columns)];
      let largest = 0;
      for (let i = first; i < end; i++) largest = Math.max(largest, Math.abs(Number(x[i])));
      const scale = largest / 127;
      scales[(Math.floor(row / 4) * blocks + block) * 4 + (row % 4)] = scale;
      for (let i = first; i < end; i++) {
        const q = Math.round(Number(x[i]) / (scale || 1));
        const column = i - row * columns;
        values[
          ((Math.floor(row / 4) * blocks * 8 + Math.floor(column / 4)) * 4 + (row % 4)) * 4 + (column % 4)
        ] = q;
        exact[i] = q * scale;
      }
    }
  }
  return { values, scales, exact };
}

/**
 * What packed rows are, row by row.
 * @param {Int8Array} values @param {Float32Array} scales @param {number} rows @param {number} columns
 */
export function unpacked(values, scales, rows, columns) {
  const blocks = Math.ceil(columns / 32);
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    const four = Math.floor(row / 4);
    const q = values[((four * blocks * 8 + Math.floor(column / 4)) * 4 + (row % 4)) * 4 + (column % 4)];
    return Number(q) * Number(scales[(four * blocks + Math.floor(column / 32)) * 4 + (row % 4)]);
  });
}

/**
 * Attention within each image or text, of its first `queries` rows; if `causal`, to those before each, and itself.
 * @param {ArrayLike<number>} qkv
 * @param {{ width: number, heads: number, length: number, queries?: number, causal?: boolean }} shape
 */
export function attention(qkv, { width, heads, length, queries = length, causal = false }) {
  const images = qkv.length / (3 * width * length);
  const size = width / heads;
  const y = new Float64Array(images * queries * width);
  const at = (/** @type {number} */ row, /** @type {number} */ part, /** @type {number} */ column) =>
    Number(qkv[row * 3 * width + part * width + column]);
  for (let image = 0; image < images; image++) {
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < queries; query++) {
        const scores = Array.from({ length: causal ? query + 1 : length }, (_, key) => {
          let sum = 0;
          for (let c = head * size; c < head * size + size; c++) {
            sum += at(image * length + query, 0, c) * at(image * length + key, 1, c);
          }
          return sum / Math.sqrt(size);
        });
        const most = Math.max(...scores);
        const weights = scores.map((score) => Math.exp(score - most));
        const all = weights.reduce((sum, weight) => sum + weight, 0);
        for (let c = head * size; c < head * size + size; c++) {
          let sum = 0;
          for (const [key, weight] of weights.entries()) sum += weight * at(image * length + key, 2, c);
          y[(image * queries + query) * width + c] = sum / all;
        }
      }
    }
  }
  return y;
}
