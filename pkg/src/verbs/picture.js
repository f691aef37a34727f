/**
 * A picture in wasm memory from what the client sent, and a model's look at it.
 *
 * @typedef {import('../handles.js').LookHandle} LookHandle
 * @typedef {import('../handles.js').Looking} Looking
 * @typedef {import('../handles.js').PictureHandle} PictureHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../image-input.js').ImageSource} ImageSource
 * @typedef {import('../protocol.js').ProgressEvent} ProgressEvent
 */

import { errorFor } from '../errors.js';
import { progress } from './load.js';
import { release } from './release.js';

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
 * Begins to look at a picture; no layer is computed yet.
 *
 * @param {Wasm} wasm
 * @param {Looking} model
 * @param {ImageSource} source
 * @returns {Promise<LookHandle>} to be freed
 */
export async function openLook(wasm, model, source) {
  const picture = await openPicture(wasm, source);
  try {
    return model.look(picture);
  } finally {
    release(picture);
  }
}

/**
 * Takes a look through all layers of the model, and between two of them tells how far it is.
 *
 * @param {Looking} model
 * @param {LookHandle} look
 * @returns {AsyncGenerator<{ progress: ProgressEvent }, void, void>}
 */
export async function* see(model, look) {
  let left = model.advance(look);
  for (const layers = left + 1; left > 0; left = model.advance(look)) {
    yield progress('image', null, layers - left, layers);
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
