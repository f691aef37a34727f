/**
 * Pictures that Rust does not decode and the browser does: AVIF, HEIC, JPEG XL, whatever it shows. What browsers make of a
 * picture differs a little from one to the next, so that only those come here which have no other way.
 *
 * @typedef {import('../handles.js').PictureHandle} PictureHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 */

import { codeOf, errorFor } from '../../shared/errors.js';
import { MAX_IMAGE_PIXELS } from '../../shared/limits.js';

/**
 * A decoded picture, by Rust or else by the browser.
 *
 * @param {Wasm} wasm
 * @param {Uint8Array} bytes
 * @returns {Promise<PictureHandle>} to be freed
 */
export async function decode(wasm, bytes) {
  try {
    return wasm.Picture.decode(bytes);
  } catch (error) {
    if (codeOf(error) !== 'image-unsupported') throw error;
    const name = formatOf(bytes);
    const pixels = await browserPixels(bytes);
    if (pixels) return wasm.Picture.fromImageData(pixels);
    if (name === null && typeof createImageBitmap !== 'function') throw error;
    if (name === null) {
      const sentence = 'The file is no picture that ocelli or this browser can read.';
      throw errorFor('image-unsupported', sentence, { cause: error });
    }
    const sentence = `The picture is in ${name} format, which ${where()} does not decode: convert it to JPEG or PNG.`;
    throw errorFor('image-unsupported', sentence, { cause: error });
  }
}

function where() {
  return typeof createImageBitmap === 'function' ? 'this browser' : 'ocelli';
}

/** @param {Uint8Array} bytes @returns {Promise<ImageData | null>} null where the browser does not know the format */
async function browserPixels(bytes) {
  if (typeof createImageBitmap !== 'function' || typeof OffscreenCanvas !== 'function') return null;
  /** @type {ImageBitmap} */
  let bitmap;
  try {
    bitmap = await createImageBitmap(new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]), {
      premultiplyAlpha: 'none',
    });
  } catch {
    return null;
  }
  try {
    const { width, height } = bitmap;
    if (width * height > MAX_IMAGE_PIXELS) {
      const sentence = `The picture has ${width} x ${height} pixels, more than ocelli accepts.`;
      throw errorFor('image-too-large', sentence);
    }
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    context?.drawImage(bitmap, 0, 0);
    return context?.getImageData(0, 0, width, height) ?? null;
  } finally {
    bitmap.close();
  }
}

/**
 * What a file is, of the formats that Rust does not decode.
 *
 * @param {Uint8Array} bytes
 * @returns {string | null}
 */
export function formatOf(bytes) {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 40));
  if (text.slice(4, 8) === 'ftyp') {
    const brands = text.slice(8, 40);
    if (/avi[fs]/.test(brands)) return 'AVIF';
    if (/hei[cxms]|hev[cx]|mif1|msf1/.test(brands)) return 'HEIC';
  }
  if (text.startsWith('\xff\x0a') || text.startsWith('\0\0\0\x0cJXL ')) return 'JPEG XL';
  if (text.startsWith('\0\0\x01\0')) return 'ICO';
  if (text.startsWith('8BPS')) return 'Photoshop';
  if (text.startsWith('%PDF')) return 'PDF';
  if (/^\ufeff?\s*<(\?xml|svg)/i.test(text)) return 'SVG';
  return null;
}
