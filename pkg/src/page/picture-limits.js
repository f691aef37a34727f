/** Pictures that are too large are refused before anything is made of them. */

import { ImageError } from '../shared/errors.js';
import { MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS } from '../shared/limits.js';

/** @param {number} bytes */
export function refuseLarge(bytes) {
  if (bytes <= MAX_IMAGE_BYTES) return;
  throw new ImageError('image-too-large', `The picture has more than ${MAX_IMAGE_BYTES >> 20} MB.`);
}

/** @param {number} width @param {number} height */
export function refuseManyPixels(width, height) {
  if (width * height <= MAX_IMAGE_PIXELS) return;
  throw new ImageError(
    'image-too-large',
    `The picture has ${width} x ${height} pixels, more than ocelli accepts.`,
  );
}
