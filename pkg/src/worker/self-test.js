/**
 * Whether a GPU computes right, and how fast, on this very device: the same picture, and the same texts, through it and through
 * the wasm.
 *
 * Drivers and browsers have given wrong numbers without an error. Rounding differs from device to device; what is wrong
 * differs by far more.
 *
 * @typedef {import('./accelerator.js').Accelerator} Accelerator
 * @typedef {import('./handles.js').ImageEncodingHandle} ImageEncodingHandle
 * @typedef {import('./handles.js').TextBatchHandle} TextBatchHandle
 * @typedef {import('./handles.js').TextTowerHandle} TextTowerHandle
 * @typedef {import('./handles.js').Wasm} Wasm
 *
 * @typedef {(count: number, how?: { rows?: 'all' | 'ends', layers?: number }) => Promise<Float32Array>} RunTexts takes so many texts
 *   through the GPU
 */

import { Refusal } from './refusal.js';
import { release } from './operations/release.js';

/** Least cosine of states: of each row after the first layer, of all rows together after the last. */
const SAME = 0.999;
/** Least cosine of each row after the last layer, where errors have added up. */
const SAME_ROW = 0.98;
/** Pixels of a side of the picture. */
const SIDE = 96;
/** Texts of which all states are compared, and those that the wasm is measured with. */
const TEXTS = { all: 4, measured: 16 };

/**
 * @param {Wasm} wasm
 * @param {any} model its handle
 * @param {Accelerator} accelerator
 * @returns {Promise<{ gpu: number, wasm: number }>} milliseconds that a picture takes in all layers, of both when they are warm
 * @throws {Refusal} where the states differ
 */
export async function selfTest(wasm, model, accelerator) {
  const { tower, width, layers } = accelerator;
  const picture = wasm.Picture.fromRgba(SIDE, SIDE, testPicture());
  /** @type {ImageEncodingHandle[]} */
  const opened = [];
  const begin = () => {
    const encoding = model.encodeImage(picture);
    opened.push(encoding);
    return encoding;
  };
  try {
    const own = begin();
    own.whole();
    const first = await accelerator.states(own, 1);
    let least = Infinity;
    for (let left = layers; left > 0;) {
      const started = performance.now();
      left = model.advance(own);
      least = Math.min(least, performance.now() - started);
      if (left === layers - 1) refuseOther(first, tower.states(own), width, 'after one layer', SAME);
    }
    const whole = tower.states(own);
    refuseOther(await accelerator.states(begin()), whole, width, 'after all layers');
    const reading = await compareKeyValues(accelerator, own, begin());
    // As pictures go: of some models the class token alone, which is the first, through other kernels.
    const [one, again] = [begin(), begin()];
    await encode(accelerator, one);
    const found = tower.states(one);
    refuseOther(found, whole.subarray(0, found.length), width, 'after all layers');
    // The first time, shaders may still be compiled.
    const started = performance.now();
    await encode(accelerator, again);
    return { gpu: performance.now() - started, wasm: least * layers + reading };
  } finally {
    for (const encoding of opened) release(encoding);
    release(picture);
  }
}

/**
 * What texts see of the picture, where the model has such texts.
 *
 * @param {Accelerator} accelerator
 * @param {ImageEncodingHandle} own whose layers the wasm has computed
 * @param {ImageEncodingHandle} other of which none is
 * @returns {Promise<number>} milliseconds that the wasm takes for it
 * @throws {Refusal} where it differs
 */
async function compareKeyValues(accelerator, own, other) {
  const { tower, keyValues } = accelerator;
  if (!keyValues) return 0;
  const seen = await accelerator.see(other);
  let time = 0;
  for (let layer = 0; layer < keyValues.layers; layer++) {
    const started = performance.now();
    const expected = tower.keyValues(own, layer);
    time += performance.now() - started;
    const found = seen.keyValues[layer] ?? new Float32Array();
    refuseOther(found, expected, 2 * keyValues.width, `of what layer ${layer} of texts sees`);
  }
  return time;
}

/** @param {Accelerator} accelerator @param {ImageEncodingHandle} encoding */
async function encode(accelerator, encoding) {
  if ((await accelerator.encode([encoding])) === 0) throw new Refusal(accelerator.lost ?? 'it is gone');
}

/**
 * The same of the first texts that wait.
 *
 * @param {TextTowerHandle} tower
 * @param {TextBatchHandle} batch
 * @param {RunTexts} run of the same batch
 * @param {{ width: number, layers: number }} description
 * @returns {Promise<{ gpu: number, wasm: number }>} milliseconds that a text takes, among many
 * @throws {Refusal} where the states differ
 */
export async function testTexts(tower, batch, run, { width, layers }) {
  const few = Math.min(TEXTS.all, batch.count);
  const first = await run(few, { rows: 'all', layers: 1 });
  refuseOther(first, tower.states(batch, 0, few, 1), width, 'after one layer of texts', SAME);
  const whole = tower.states(batch, 0, few, layers);
  refuseOther(await run(few, { rows: 'all' }), whole, width, 'after all layers of texts');
  // As texts go: many at once, and of each one row alone, through other kernels.
  const measured = Math.min(TEXTS.measured, batch.count);
  const begun = performance.now();
  const own = tower.pooled(batch, 0, measured);
  const wasm = (performance.now() - begun) / measured;
  const pooled = await run(batch.count);
  refuseOther(pooled.subarray(0, own.length), own, width, 'after all layers of texts');
  // The first time, shaders may still be compiled.
  const started = performance.now();
  await run(batch.count);
  return { gpu: (performance.now() - started) / batch.count, wasm };
}

/**
 * Throws where states are not those that are expected, as a whole or in a row.
 *
 * @param {Float32Array} found
 * @param {Float32Array} expected
 * @param {number} width of a row
 * @param {string} where
 * @param {number} [row] least cosine of each row
 */
export function refuseOther(found, expected, width, where, row = SAME_ROW) {
  check(found.length === expected.length ? cosine(found, expected) : 0, SAME, where);
  for (let begun = 0; begun < expected.length; begun += width) {
    check(cosine(found, expected, begun, begun + width), row, where);
  }
}

/** @param {number} same @param {number} least @param {string} where */
function check(same, least, where) {
  if (same >= least) return;
  const message = `it computes something else than WebAssembly (cosine ${same.toFixed(4)} ${where})`;
  throw new Refusal(message, { isLasting: true });
}

/**
 * Of a part of two vectors; 0 where there is none, or numbers are not finite.
 *
 * @param {Float32Array} a
 * @param {Float32Array} b
 */
function cosine(a, b, begin = 0, end = a.length) {
  let [product, ofA, ofB] = [0, 0, 0];
  for (let i = begin; i < end; i++) {
    const [x, y] = [a[i] ?? NaN, b[i] ?? NaN];
    product += x * y;
    ofA += x * x;
    ofB += y * y;
  }
  return product / Math.sqrt(ofA * ofB) || 0;
}

/** Gradients, edges and fine structure, in RGBA: the same everywhere. */
function testPicture() {
  const pixels = new Uint8Array(4 * SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      pixels.set([(x * 255) / SIDE, (y * 255) / SIDE, (7 * (x ^ y)) & 255, 255], 4 * (y * SIDE + x));
    }
  }
  return pixels;
}
