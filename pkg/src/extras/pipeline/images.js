/**
 * Pictures as transformers.js takes them.
 *
 * @typedef {import('../../page/image-input.js').ImageInput} ImageInput
 * @typedef {import('../../page/image-input.js').ImageInputs} ImageInputs
 *
 * @typedef {object} RawImageLike Pixels, as a `RawImage` of transformers.js has them.
 * @property {Uint8Array | Uint8ClampedArray} data row by row
 * @property {number} width
 * @property {number} height
 * @property {1 | 2 | 3 | 4} channels of each pixel: 1 for grey, 3 for red, green and blue, 4 for the same and alpha
 *
 * @typedef {ImageInput | RawImageLike} PipelineImage A picture: whatever ocelli takes, or a `RawImage`.
 * @typedef {ImageInputs | readonly PipelineImage[]} PipelineImages Several pictures.
 */

import { listOf, wrong } from '../../page/arguments.js';
import { refuseManyPixels } from '../../page/picture-limits.js';

/**
 * @param {PipelineImage | PipelineImages} images
 * @returns {{ images: ImageInput[], several: boolean }}
 * @throws {OcelliError} `argument-invalid`: a `RawImage` is none
 */
export function readImages(images) {
  const list = listOf(images);
  return {
    images: (list ?? [images]).map((image) => toInput(/** @type {any} */ (image))),
    several: list !== null,
  };
}

/** @param {any} image @returns {ImageInput} */
function toInput(image) {
  const isRaw = typeof image === 'object' && image !== null && 'channels' in image && 'data' in image;
  return isRaw ? toRgba(image) : image;
}

/**
 * Alpha is left out, as transformers.js does with it.
 *
 * @param {RawImageLike} image
 * @returns {ImageInput}
 */
function toRgba({ data, width, height, channels }) {
  const isSize = (/** @type {unknown} */ size) =>
    Number.isSafeInteger(size) && /** @type {number} */ (size) > 0;
  if (!isSize(width) || !isSize(height)) {
    throw wrong('The width and height of a RawImage must be whole numbers above zero.');
  }
  refuseManyPixels(width, height);
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw wrong(`A RawImage has 1, 3 or 4 channels, and not ${channels}.`);
  }
  const bytewise = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!bytewise || data.length !== width * height * channels) {
    throw wrong(
      `A RawImage of ${width} x ${height} pixels with ${channels} channels has a byte for each channel of each.`,
    );
  }
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  const [green, blue] = channels === 1 ? [0, 0] : [1, 2];
  for (let from = 0, to = 0; from < data.length; from += channels, to += 4) {
    rgba[to] = /** @type {number} */ (data[from]);
    rgba[to + 1] = /** @type {number} */ (data[from + green]);
    rgba[to + 2] = /** @type {number} */ (data[from + blue]);
  }
  return { data: rgba, width, height };
}
