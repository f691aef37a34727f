/**
 * Whether a GPU computes right, and how fast, on this very device: the same picture through it and through the wasm.
 *
 * Drivers and browsers have given wrong numbers without an error. Rounding differs from device to device; what is wrong
 * differs by far more.
 *
 * @typedef {import('./accelerator.js').Accelerator} Accelerator
 * @typedef {import('./accelerator.js').Surroundings} Surroundings
 * @typedef {import('./handles.js').Wasm} Wasm
 */

import { Refusal } from './refusal.js';
import { release } from './operations/release.js';

/** Least cosine of each row of states after the first layer, and of all states after the last. */
const SAME = 0.999;
/** Pixels of a side of the picture. */
const SIDE = 96;

/**
 * @param {Wasm} wasm
 * @param {any} model its handle
 * @param {Accelerator} accelerator
 * @param {Surroundings['load']} load
 * @returns {Promise<{ gpu: number, wasm: number }>} milliseconds that a picture takes in all layers
 * @throws {Refusal} where the states differ
 */
export async function selfTest(wasm, model, accelerator, load) {
  const { tower } = accelerator;
  const picture = wasm.Picture.fromRgba(SIDE, SIDE, testPicture());
  /** @type {import('./handles.js').ImageEncodingHandle[]} */
  const opened = [];
  const begin = () => {
    const encoding = model.encodeImage(picture);
    encoding.whole();
    opened.push(encoding);
    return encoding;
  };
  try {
    const own = begin();
    const first = await accelerator.firstLayer(own, load);
    let started = performance.now();
    let left = model.advance(own);
    let ownTime = performance.now() - started;
    const width = JSON.parse(tower.description()).width;
    const expected = tower.states(own);
    for (let begun = 0; begun < expected.length; begun += width) {
      check(cosine(first, expected, begun, begun + width), 'after one layer');
    }
    started = performance.now();
    while (left > 0) left = model.advance(own);
    ownTime += performance.now() - started;
    const whole = tower.states(own);
    // The first time, shaders may still be compiled.
    const found = await accelerator.states(begin());
    check(found.length === whole.length ? cosine(found, whole) : 0, 'after all layers');
    const again = begin();
    started = performance.now();
    await accelerator.states(again);
    return { gpu: performance.now() - started, wasm: ownTime };
  } finally {
    for (const encoding of opened) release(encoding);
    release(picture);
  }
}

/** @param {number} same @param {string} where */
function check(same, where) {
  if (same >= SAME) return;
  throw new Refusal(`it computes something else than WebAssembly (cosine ${same.toFixed(4)} ${where})`);
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
