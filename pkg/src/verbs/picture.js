/**
 * A picture in wasm memory from what the client sent.
 *
 * @typedef {import('../handles.js').PictureHandle} PictureHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../image-input.js').ImageSource} ImageSource
 */

import { errorFor } from '../errors.js';

/**
 * @param {Wasm} wasm
 * @param {ImageSource} source
 * @returns {Promise<PictureHandle>} to be freed
 */
export async function openPicture(wasm, source) {
  switch (source.kind) {
    case 'pixels':
      return wasm.Picture.fromRgba(source.width, source.height, source.rgba);
    case 'bytes':
      return wasm.Picture.decode(source.bytes);
    case 'blob':
      return wasm.Picture.decode(await readBlob(source.blob));
  }
}

/**
 * @param {Blob} blob
 * @returns {Promise<Uint8Array>}
 */
async function readBlob(blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    // The file behind it was moved, changed or deleted since it was picked.
    throw errorFor('image-unreadable', 'The picture could not be read any more.', { cause });
  }
}
