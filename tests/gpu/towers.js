// A whole small tower beside its twin in double precision. Runs in a page, and in Node through Dawn.

import { cosine, difference, numbers, pack } from './numbers.js';
import { attention, layerNorm, linear } from './twins.js';

/**
 * @typedef {import('../../pkg/src/worker/gpu/types.js').TowerDescription} TowerDescription
 * @typedef {import('../../pkg/src/worker/gpu/types.js').ReadTensor} ReadTensor
 * @typedef {import('../../pkg/src/worker/gpu/types.js').Dtype} Dtype
 */

/** @type {TowerDescription} */
const USUAL = {
  width: 64,
  heads: 2,
  intermediate: 160,
  activation: 'quick_gelu',
  epsilon: 1e-5,
  layers: 2,
  patches: 9,
  inputs: 48,
  prefix: 1,
  output: 'class',
  preNorm: true,
};

/**
 * Seeded weights: as they are packed, and as numbers that matrices have when they are not.
 * @param {{ description?: Partial<TowerDescription>, dtype: Dtype, others?: Record<string, Dtype>, fused?: boolean,
 *   layerScale?: boolean, biased?: boolean }} options `others`: dtypes of some matrices, by the ends of their names
 */
export function makeTower({
  description: changes,
  dtype: usual,
  others = {},
  fused = true,
  layerScale = false,
  biased = true,
}) {
  const description = { ...USUAL, ...changes };
  const { width, intermediate, inputs, patches, prefix, layers } = description;
  /** @type {Map<string, { matrix?: import('../../pkg/src/worker/gpu/types.js').TowerTensor, vector?: Float32Array }>} */
  const packed = new Map();
  /** @type {Map<string, ArrayLike<number>>} */
  const exact = new Map();
  let seed = 1;
  const matrix = (
    /** @type {string} */ name,
    /** @type {number} */ rows,
    /** @type {number} */ columns,
    bias = true,
  ) => {
    const dtype = others[name.slice(name.lastIndexOf('.') + 1)] ?? usual;
    const values = numbers(rows * columns, seed++, 1.5 / Math.sqrt(columns));
    const { tensor, exact: rounded } = pack(values, rows, columns, dtype);
    packed.set(name, { matrix: tensor });
    // What rounding to int8 costs is measured, what rounding to f16 costs is not.
    exact.set(name, dtype === 'int8' ? values : rounded);
    if (bias) vector(`${name}.bias`, numbers(rows, seed++, 0.2));
  };
  const vector = (/** @type {string} */ name, /** @type {Float32Array} */ values) => {
    packed.set(name, { vector: values });
    exact.set(name, values);
  };
  const norm = (/** @type {string} */ name) => {
    vector(
      `${name}.weight`,
      numbers(width, seed++, 0.3).map((value) => value + 1),
    );
    vector(`${name}.bias`, numbers(width, seed++, 0.1));
  };
  if (patches > 0) {
    matrix('patch_embedding', width, inputs, biased);
    vector('positions', numbers(patches * width, seed++));
  }
  if (prefix > 0) vector('prefix', numbers(prefix * width, seed++));
  if (description.preNorm) norm('pre_norm');
  if (description.keyValues) {
    norm('post_norm');
    for (let i = 0; i < description.keyValues.layers; i++) {
      for (const name of ['key', 'value']) {
        matrix(`key_values.${i}.${name}`, description.keyValues.width, width);
      }
    }
  }
  for (let i = 0; i < layers; i++) {
    norm(`layers.${i}.norm1`);
    norm(`layers.${i}.norm2`);
    if (fused) matrix(`layers.${i}.qkv`, 3 * width, width, biased);
    else for (const name of ['q', 'k', 'v']) matrix(`layers.${i}.${name}`, width, width, biased);
    matrix(`layers.${i}.out`, width, width);
    matrix(`layers.${i}.up`, intermediate, width);
    matrix(`layers.${i}.down`, width, intermediate);
    if (layerScale) for (const j of [1, 2]) vector(`layers.${i}.scale${j}`, numbers(width, seed++));
  }
  /** @type {ReadTensor} */
  const readTensor = (name) => packed.get(name);
  return { description, readTensor, exact };
}

/**
 * The states after the last layer, in double precision.
 * @param {TowerDescription} description @param {Map<string, ArrayLike<number>>} exact
 * @param {ArrayLike<number>} input patches, or the rows of a text
 */
function twin(description, exact, input) {
  const { width, heads, intermediate, activation, epsilon, prefix, causal } = description;
  const get = (/** @type {string} */ name) => {
    const values = exact.get(name);
    if (!values) throw new Error(`no ${name}`);
    return values;
  };
  const apply = (
    /** @type {string} */ name,
    /** @type {ArrayLike<number>} */ x,
    /** @type {number} */ columns,
    /** @type {string} */ act = '',
  ) => linear(x, get(name), columns, { bias: exact.get(`${name}.bias`), activation: act });
  const norm = (/** @type {string} */ name, /** @type {ArrayLike<number>} */ x) =>
    layerNorm(x, width, get(`${name}.weight`), get(`${name}.bias`), epsilon);
  let x = Float64Array.from(input);
  if (description.patches > 0) {
    const embedded = apply('patch_embedding', input, description.inputs);
    for (const i of embedded.keys()) embedded[i] = Number(embedded[i]) + Number(get('positions')[i]);
    x = Float64Array.from([...Array.from(prefix > 0 ? get('prefix') : []), ...embedded]);
  }
  if (description.preNorm) x = norm('pre_norm', x);
  const length = x.length / width;
  for (let i = 0; i < description.layers; i++) {
    const add = (/** @type {Float64Array} */ y, /** @type {number} */ half) => {
      const scale = exact.get(`layers.${i}.scale${half}`);
      x = x.map((value, at) => value + Number(y[at]) * Number(scale?.[at % width] ?? 1));
    };
    const normal = norm(`layers.${i}.norm1`, x);
    const qkv = exact.has(`layers.${i}.qkv`)
      ? apply(`layers.${i}.qkv`, normal, width)
      : beside(
          ['q', 'k', 'v'].map((name) => apply(`layers.${i}.${name}`, normal, width)),
          width,
        );
    add(apply(`layers.${i}.out`, attention(qkv, { width, heads, length, causal }), width), 1);
    const active = apply(`layers.${i}.up`, norm(`layers.${i}.norm2`, x), width, activation);
    add(apply(`layers.${i}.down`, active, intermediate), 2);
  }
  return x;
}

/** @param {Float64Array[]} parts @param {number} width of each */
function beside(parts, width) {
  const rows = (parts[0]?.length ?? 0) / width;
  return Float64Array.from({ length: rows * width * parts.length }, (_, i) => {
    const [row, column] = [Math.floor(i / (width * parts.length)), i % (width * parts.length)];
    return Number(parts[Math.floor(column / width)]?.[row * width + (column % width)]);
  });
}

/**
 * How far a tower is from its twin: the largest difference, and the smallest cosine of a row.
 * @param {GPUDevice} device
 * @param {typeof import('../../pkg/src/worker/gpu/tower.js').GpuTower} GpuTower
 * @param {Parameters<typeof makeTower>[0] & { images?: number, options?: object, rows?: ('class' | 'all')[] }} options
 */
export async function compareTower(
  device,
  GpuTower,
  { images = 3, options, rows = ['class', 'all'], ...made },
) {
  const { description, readTensor, exact } = makeTower(made);
  const { width, patches, inputs } = description;
  const pictures = Array.from({ length: images }, (_, i) => numbers(patches * inputs, 100 + i));
  const expected = pictures.map((picture) => twin(description, exact, picture));
  const tower = await GpuTower.create(device, description, readTensor, options);
  let [off, least] = [0, 1];
  for (const asked of rows) {
    const found = await tower.run(pictures, { rows: asked });
    for (const [i, states] of expected.entries()) {
      const wanted = asked === 'class' ? states.subarray(0, width) : states;
      off = Math.max(off, difference(found[i] ?? [], wanted));
      for (let at = 0; at < wanted.length; at += width) {
        const row = (found[i] ?? new Float32Array()).subarray(at, at + width);
        least = Math.min(least, cosine(row, wanted.subarray(at, at + width)));
      }
    }
  }
  const { bytes } = tower;
  return { off, least, bytes, tower };
}

/** A tower of texts, which come as rows for its first layer. */
export const TEXTS = {
  patches: 0,
  inputs: 0,
  prefix: 0,
  preNorm: false,
  output: /** @type {const} */ ('ends'),
};

/**
 * How far a tower of texts is from its twin, for texts of several lengths that are filled up with zeros: the largest difference
 * in the rows that stand for them and in all of their own, and the smallest cosine of a row.
 * @param {GPUDevice} device
 * @param {typeof import('../../pkg/src/worker/gpu/tower.js').GpuTower} GpuTower
 * @param {Parameters<typeof makeTower>[0] & { lengths: number[], options?: object }} options
 */
export async function compareTexts(device, GpuTower, { lengths, options, ...made }) {
  const { description, readTensor, exact } = makeTower({
    ...made,
    description: { ...TEXTS, ...made.description },
  });
  const { width } = description;
  const longest = Math.max(...lengths);
  const texts = lengths.map((length, i) => {
    const rows = new Float32Array(longest * width);
    rows.set(numbers(length * width, 100 + i));
    return rows;
  });
  const ends = Uint32Array.from(lengths, (length) => length - 1);
  const tower = await GpuTower.create(device, description, readTensor, options);
  const all = await tower.run(texts, { rows: 'all', ends });
  const single = await tower.run(texts, { ends });
  let [off, least] = [0, 1];
  for (const [i, length] of lengths.entries()) {
    const wanted = twin(description, exact, (texts[i] ?? new Float32Array()).subarray(0, length * width));
    const found = (all[i] ?? new Float32Array()).subarray(0, length * width);
    off = Math.max(off, difference(found, wanted), difference(single[i] ?? [], wanted.subarray(-width)));
    for (let at = 0; at < wanted.length; at += width) {
      const row = wanted.subarray(at, at + width);
      least = Math.min(least, cosine(found.subarray(at, at + width), row));
    }
    least = Math.min(least, cosine(single[i] ?? new Float32Array(), wanted.subarray(-width)));
  }
  return { off, least, bytes: tower.bytes, tower };
}

/**
 * How far what texts see of images is from its twin: the largest difference, and the smallest cosine of a row.
 * @param {GPUDevice} device
 * @param {typeof import('../../pkg/src/worker/gpu/tower.js').GpuTower} GpuTower
 * @param {Parameters<typeof makeTower>[0] & { options?: object }} options
 */
export async function compareKeyValues(device, GpuTower, { options, ...made }) {
  const { description, readTensor, exact } = makeTower(made);
  const { width, patches, inputs, epsilon, keyValues } = description;
  if (!keyValues) throw new Error('The tower is to be one that texts see.');
  const get = (/** @type {string} */ name) => exact.get(name) ?? [];
  const tower = await GpuTower.create(device, description, readTensor, options);
  const pictures = Array.from({ length: 2 }, (_, i) => numbers(patches * inputs, 100 + i));
  const seen = await tower.see(pictures);
  const alone = await tower.run(pictures, { rows: 'all' });
  let [off, least] = [0, 1];
  for (const [i, picture] of pictures.entries()) {
    const { states = new Float32Array(), keyValues: found = [] } = seen[i] ?? {};
    if (states.some((value, at) => value !== alone[i]?.[at])) throw new Error('The states are others.');
    if (found.length !== keyValues.layers) throw new Error(`${found.length} layers were given.`);
    const normal = layerNorm(
      twin(description, exact, picture),
      width,
      get('post_norm.weight'),
      get('post_norm.bias'),
      epsilon,
    );
    for (const [layer, both] of found.entries()) {
      const wanted = beside(
        ['key', 'value'].map((name) => {
          const matrix = `key_values.${layer}.${name}`;
          return linear(normal, get(matrix), width, { bias: get(`${matrix}.bias`) });
        }),
        keyValues.width,
      );
      off = Math.max(off, difference(both, wanted));
      for (let at = 0; at < wanted.length; at += keyValues.width) {
        const row = wanted.subarray(at, at + keyValues.width);
        least = Math.min(least, cosine(both.subarray(at, at + keyValues.width), row));
      }
    }
  }
  return { off, least, bytes: tower.bytes, tower };
}
