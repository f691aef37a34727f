/**
 * A map as pixels, to be laid over its picture.
 *
 * @typedef {import('../shared/types.js').PatchMap} PatchMap
 *
 * @typedef {object} OverlayOptions
 * @property {number} [opacity] of the highest value, from 0 to 1, where nothing is to be seen of the picture; 0.6 by default.
 *   Lower values have as much less, down to nothing at the lowest
 *
 * @typedef {object} Overlay What `ImageData` has.
 * @property {number} width
 * @property {number} height
 * @property {ReturnType<Uint8ClampedArrayConstructor['of']>} data RGBA, row by row, not premultiplied
 */

import { readOptions } from '../page/options.js';
import { OcelliError } from '../shared/errors.js';
import { MAX_IMAGE_PIXELS } from '../shared/limits.js';

/**
 * The colours of low to high values: ten of the colour map "inferno" of Smith and van der Walt (matplotlib, CC0). Equal
 * steps look equally large in it, also without colour, and also to the colour-blind.
 */
const COLOURS = [
  [0, 0, 4],
  [27, 12, 66],
  [75, 12, 107],
  [120, 28, 109],
  [165, 44, 96],
  [207, 68, 70],
  [237, 105, 37],
  [251, 154, 6],
  [247, 208, 60],
  [252, 255, 164],
];

/**
 * The map in the size of its picture: its highest value has the brightest colour, and the lower a value is, the darker and
 * the more transparent is its place, so that the picture stays as it is where nothing matters. Between the middles of the
 * patches it is bilinear. What the model did not see of the picture is transparent, and so is a map that is the same
 * everywhere.
 *
 * @param {PatchMap} map
 * @param {number} width of the picture, upright as browsers show it
 * @param {number} height
 * @param {OverlayOptions} [options]
 * @returns {Overlay}
 * @throws {OcelliError} `argument-invalid`
 */
export function overlay(map, width, height, options = {}) {
  const { opacity = 0.6 } = readOptions(options, ['opacity']);
  check(map, width, height, opacity);
  const { rows, columns, values, frame } = map;
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  // A map that is the same everywhere has no high value.
  const scale = high > low ? (COLOURS.length - 1) / (high - low) : 0;
  const across = places(width, columns, frame.left, frame.width);
  const down = places(height, rows, frame.top, frame.height);
  const data = new Uint8ClampedArray(width * height * 4);
  const strength = (opacity * 255) / (COLOURS.length - 1);
  const at = (/** @type {number} */ row, /** @type {number} */ column) =>
    /** @type {number} */ (values[row * columns + column]);
  for (const [y, above, below, yPart] of down) {
    for (const [x, before, after, xPart] of across) {
      const top = at(above, before) * (1 - xPart) + at(above, after) * xPart;
      const bottom = at(below, before) * (1 - xPart) + at(below, after) * xPart;
      paint(data, (y * width + x) * 4, (top * (1 - yPart) + bottom * yPart - low) * scale, strength);
    }
  }
  return { width, height, data };
}

/**
 * Of each pixel of one axis that the patches cover: its place, the two patches whose middles it is between, and how far
 * it is from the first to the second.
 *
 * @param {number} pixels
 * @param {number} patches
 * @param {number} begin of the patches, as part of the axis
 * @param {number} length of the patches, as part of the axis
 * @returns {[number, number, number, number][]}
 */
function places(pixels, patches, begin, length) {
  /** @type {[number, number, number, number][]} */
  const found = [];
  for (let pixel = 0; pixel < pixels; pixel += 1) {
    const place = (((pixel + 0.5) / pixels - begin) / length) * patches;
    if (place < 0 || place > patches) continue;
    const middle = Math.min(Math.max(place - 0.5, 0), patches - 1);
    const first = Math.floor(middle);
    found.push([pixel, first, Math.min(first + 1, patches - 1), middle - first]);
  }
  return found;
}

/**
 * @param {Uint8ClampedArray} data
 * @param {number} at
 * @param {number} level a place among the colours
 * @param {number} strength of each step among them
 */
function paint(data, at, level, strength) {
  const first = Math.min(Math.floor(level), COLOURS.length - 2);
  const part = level - first;
  const from = /** @type {number[]} */ (COLOURS[first]);
  const to = /** @type {number[]} */ (COLOURS[first + 1]);
  for (const [channel, value] of from.entries()) {
    data[at + channel] = value + /** @type {number} */ (to[channel] - value) * part;
  }
  data[at + 3] = level * strength;
}

/**
 * @param {PatchMap} map
 * @param {number} width
 * @param {number} height
 * @param {number} opacity
 */
function check(map, width, height, opacity) {
  const { rows, columns, values, frame } = map ?? {};
  const count = (/** @type {unknown} */ number) => Number.isSafeInteger(number) && Number(number) > 0;
  const size = [width, height];
  demand(
    count(rows) && count(columns) && values?.length === rows * columns && values.every(Number.isFinite),
    'The map must be one that a model has given.',
  );
  const edges = [frame?.left, frame?.top, frame?.width, frame?.height];
  demand(
    edges.every(Number.isFinite) && frame.width > 0 && frame.height > 0,
    'The map must have a frame, as those that a model has given do.',
  );
  demand(
    size.every((pixels) => pixels !== undefined && typeof pixels !== 'object'),
    'The width and height of the picture are missing: overlay(map, image.naturalWidth, image.naturalHeight).',
  );
  demand(
    !size.includes(0),
    'The picture has no size yet: wait until it is loaded, as with await image.decode().',
  );
  demand(
    count(width) && count(height) && width * height <= MAX_IMAGE_PIXELS,
    'An overlay must have a whole number of pixels each way, and at most 100 million in all.',
  );
  demand(
    Number.isFinite(opacity) && opacity >= 0 && opacity <= 1,
    'The option opacity must be a number from 0 to 1.',
  );
}

/** @param {boolean} condition @param {string} sentence */
function demand(condition, sentence) {
  if (!condition) throw new OcelliError('argument-invalid', sentence);
}
