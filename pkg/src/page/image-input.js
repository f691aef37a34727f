/**
 * From everything that browsers call a picture to what the worker takes: encoded bytes wherever they are to
 * be had, since they are decoded in Rust exactly as the reference does, and pixels where there is nothing
 * else. Nothing is resized here.
 *
 * Kinds are told apart by their string tags: that works across realms (frames, test runners) and where the
 * classes do not exist.
 *
 * @typedef {{ data: Uint8Array | Uint8ClampedArray, width: number, height: number }} PixelData
 * @typedef {Blob | ArrayBuffer | ArrayBufferView | URL | string | ImageData | PixelData | OffscreenCanvas | ImageBitmap
 *   | VideoFrame | ElementInput} ImageInput
 *   What `tag` and `caption` take as a picture. A string is an address, in Node also the path of a file. Of a video, the
 *   frame that it shows is taken.
 *
 * @typedef {readonly ImageInput[]
 *   | (ArrayLike<ImageInput> & { readonly charAt?: never, readonly byteLength?: never })} ImageInputs Several pictures: an array,
 *   or what is like one, such as the files of an `<input>` or `document.images`. Texts and bytes have a length too, and are
 *   no lists of pictures
 *
 * @typedef {object} ImageMessage
 * @property {ImageSource} source
 * @property {Transferable[]} transfer memory that is ours and may be moved to the worker
 *
 * @typedef {object} ReadOptions
 * @property {AbortSignal | null | undefined} [signal]
 * @property {(address: string, init?: RequestInit) => Promise<Response>} [fetch] for tests
 *
 * @typedef {import('../shared/types.js').ImageSource} ImageSource
 */

import { throwIfAborted } from '../shared/abort.js';
import { ImageError, OcelliError, ofPicture } from '../shared/errors.js';
import { platform } from '../shared/platform.js';
import { listOf } from './arguments.js';
import { fetchPicture } from './picture-address.js';
import { refuseLarge, refuseManyPixels } from './picture-limits.js';
import { isSvg, svgElement } from './svg.js';

/** What Rust decodes. Of other types that an element shows, its pixels are taken. */
const DECODABLE = /^image\/(jpe?g|pjpeg|png|x-png|apng|webp|gif|(x-(ms-)?)?bmp|tiff)\b/i;

/**
 * Elements of a page, whose types programs for workers do not have.
 *
 * @typedef {(typeof globalThis extends { HTMLImageElement: { prototype: infer T } } ? T : never)
 *   | (typeof globalThis extends { HTMLCanvasElement: { prototype: infer T } } ? T : never)
 *   | (typeof globalThis extends { HTMLVideoElement: { prototype: infer T } } ? T : never)} ElementInput
 */

/**
 * @param {ImageInput} image
 * @param {ReadOptions} [options]
 * @returns {Promise<ImageMessage>}
 */
export async function readImage(image, options = {}) {
  throwIfAborted(options.signal);
  if (typeof image === 'string') return fromFetched(image, options);
  if (/** @type {unknown} */ (image) instanceof Float32Array) {
    const sentence = 'A picture is taken here, and this is a Float32Array, such as an embedding.';
    throw new OcelliError('argument-invalid', sentence);
  }
  if (ArrayBuffer.isView(image)) {
    return fromCopy(
      fromBytes(() => new Uint8Array(image.buffer, image.byteOffset, image.byteLength)),
      options,
    );
  }
  const tag = Object.prototype.toString.call(image).slice(8, -1);
  // Each branch's cast is what its tag says.
  const any = /** @type {any} */ (image);
  switch (tag) {
    case 'Blob':
    case 'File':
      return fromFile(any, options);
    case 'ArrayBuffer':
    case 'SharedArrayBuffer':
      return fromCopy(
        fromBytes(() => new Uint8Array(any)),
        options,
      );
    case 'URL':
      return fromFetched(any.href, options);
    case 'HTMLImageElement':
      return fromElement(any, options);
    case 'HTMLCanvasElement':
    case 'OffscreenCanvas':
    case 'ImageBitmap':
      return fromDrawable(any, any.width, any.height);
    case 'HTMLVideoElement':
      return fromVideo(any);
    case 'VideoFrame':
      return fromVideoFrame(any);
    default:
      if (isPixelData(any)) return fromPixels(any);
      if (listOf(any) !== null) {
        const sentence = 'One picture is taken here, and this is a list: call it for each of them.';
        throw new OcelliError('argument-invalid', sentence);
      }
      throw new OcelliError(
        'argument-invalid',
        'The picture must be one Blob, bytes, an address, ImageData, an ImageBitmap, a VideoFrame, or an image, canvas or video element.',
      );
  }
}

/**
 * Several pictures.
 *
 * @param {readonly ImageInput[]} images
 * @param {ReadOptions} [options]
 * @returns {Promise<{ sources: ImageSource[], transfer: Transferable[] }>}
 * @throws {ImageError} of the first that cannot be read, with its place
 */
export async function readImages(images, options = {}) {
  /** @type {ImageMessage[]} */
  const messages = [];
  for (const [index, image] of images.entries()) {
    try {
      messages.push(await readImage(image, options));
    } catch (error) {
      throw ofPicture(error, index);
    }
  }
  return {
    sources: messages.map(({ source }) => source),
    transfer: messages.flatMap(({ transfer }) => transfer),
  };
}

/** @param {string} address @param {ReadOptions} options */
async function fromFetched(address, options) {
  return fromFile(await fetchPicture(address, options), options);
}

/** @param {Blob} blob @param {ReadOptions} options @returns {Promise<ImageMessage>} */
async function fromFile(blob, options) {
  refuseLarge(blob.size);
  return typeof document === 'undefined' ? fromBlob(blob) : fromPageFile(blob, options);
}

/**
 * A file, but for drawings of lines and curves, which have no pixels until a page has drawn them: workers cannot.
 *
 * @param {Blob} blob
 * @param {ReadOptions} options
 * @returns {Promise<ImageMessage>}
 */
async function fromPageFile(blob, options) {
  if (!(await isSvg(blob))) return fromBlob(blob);
  const { element, width, height, release } = await svgElement(blob);
  try {
    throwIfAborted(options.signal);
    return fromDrawable(element, width, height);
  } finally {
    release();
  }
}

/**
 * Bytes that were copied, but for drawings.
 *
 * @param {ImageMessage} message
 * @param {ReadOptions} options
 * @returns {ImageMessage | Promise<ImageMessage>}
 */
function fromCopy(message, options) {
  if (typeof document === 'undefined' || message.source.kind !== 'bytes') return message;
  const blob = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (message.source.bytes)]);
  return isSvg(blob).then((svg) => (svg ? fromPageFile(blob, options) : message));
}

/** Blobs never change, so that each can have a number. @type {WeakMap<Blob, number>} */
const keys = new WeakMap();
let lastKey = 0;

/** @param {Blob} blob @returns {Promise<ImageMessage>} */
async function fromBlob(blob) {
  refuseLarge(blob.size);
  const key = keys.get(blob) ?? (lastKey += 1);
  keys.set(blob, key);
  return { source: { kind: 'blob', blob: await sendable(blob), key }, transfer: [] };
}

/** @param {Blob} blob */
async function sendable(blob) {
  try {
    return await platform.sendable(blob);
  } catch (cause) {
    // The file behind it was moved, changed or deleted.
    throw new ImageError('image-unreadable', 'The picture could not be read any more.', { cause });
  }
}

/**
 * A copy, so that the user's memory stays the user's, and so that a small view does not drag a large buffer
 * along.
 *
 * @param {() => Uint8Array} view
 * @returns {ImageMessage}
 */
function fromBytes(view) {
  let bytes;
  try {
    const theirs = view();
    refuseLarge(theirs.length);
    bytes = new Uint8Array(theirs);
  } catch (cause) {
    if (cause instanceof OcelliError) throw cause;
    throw new OcelliError('argument-invalid', "The picture's bytes were moved elsewhere (detached).", {
      cause,
    });
  }
  return { source: { kind: 'bytes', bytes }, transfer: [bytes.buffer] };
}

/** @param {any} value @returns {value is PixelData} */
function isPixelData(value) {
  if (typeof value !== 'object' || value === null) return false;
  const { data, width, height } = value;
  const isSize = (/** @type {unknown} */ size) => Number.isInteger(size) && /** @type {number} */ (size) >= 0;
  return ArrayBuffer.isView(data) && isSize(width) && isSize(height);
}

/** @param {PixelData} image @returns {ImageMessage} */
function fromPixels({ data, width, height }) {
  refuseManyPixels(width, height);
  const bytewise = data instanceof Uint8Array || data instanceof Uint8ClampedArray;
  if (!bytewise || data.length !== width * height * 4) {
    throw new OcelliError(
      'argument-invalid',
      "The picture's pixels must be four bytes each: red, green, blue, alpha.",
    );
  }
  const rgba = new Uint8Array(data);
  return { source: { kind: 'pixels', rgba, width, height }, transfer: [rgba.buffer] };
}

/**
 * An image element's own file, or, where it cannot be had or Rust cannot decode it, what it shows.
 *
 * @param {HTMLImageElement} element
 * @param {ReadOptions} options
 * @returns {Promise<ImageMessage>}
 */
async function fromElement(element, options) {
  const address = element.currentSrc || element.src;
  if (!address) throw new ImageError('image-unreadable', 'The image element has no picture.');
  try {
    const blob = await fetchPicture(address, options);
    if (DECODABLE.test(blob.type)) return fromBlob(blob);
  } catch (error) {
    if (!(error instanceof ImageError) || error.code !== 'image-unreadable') throw error;
  }
  try {
    await element.decode();
  } catch (cause) {
    throw new ImageError('image-unreadable', 'The image element could not load its picture.', { cause });
  }
  throwIfAborted(options.signal);
  return fromDrawable(element, element.naturalWidth, element.naturalHeight);
}

/** @param {HTMLVideoElement} video @returns {ImageMessage} */
function fromVideo(video) {
  if (video.readyState < video.HAVE_CURRENT_DATA) {
    throw new ImageError('image-unreadable', 'The video shows no frame yet: wait for its event loadeddata.');
  }
  return fromDrawable(video, video.videoWidth, video.videoHeight);
}

/** @param {VideoFrame} frame @returns {ImageMessage} */
function fromVideoFrame(frame) {
  if (frame.format === null && frame.codedWidth === 0) {
    throw new ImageError('image-unreadable', 'The video frame is closed.');
  }
  return fromDrawable(frame, frame.displayWidth, frame.displayHeight);
}

/**
 * The pixels of anything that can be drawn on a canvas. It is drawn on one of ours, whatever kind of context
 * its own may have.
 *
 * @param {CanvasImageSource} drawable
 * @param {number} width
 * @param {number} height
 * @returns {ImageMessage}
 */
function fromDrawable(drawable, width, height) {
  if (width === 0 || height === 0) throw new ImageError('image-empty', 'The picture has no pixels.');
  refuseManyPixels(width, height);
  let data;
  try {
    const context = scratchCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('The canvas has no 2D context.');
    /** @type {CanvasRenderingContext2D} */ (context).drawImage(drawable, 0, 0, width, height);
    ({ data } = /** @type {CanvasRenderingContext2D} */ (context).getImageData(0, 0, width, height));
  } catch (cause) {
    const tainted = cause instanceof Error && cause.name === 'SecurityError';
    const why = tainted
      ? 'it shows a picture from another site that does not allow it'
      : 'the browser refused';
    throw new ImageError('image-unreadable', `The picture's pixels could not be read: ${why}.`, { cause });
  }
  const rgba = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return {
    source: { kind: 'pixels', rgba, width, height },
    transfer: [/** @type {ArrayBuffer} */ (rgba.buffer)],
  };
}

/** @param {number} width @param {number} height */
function scratchCanvas(width, height) {
  if (typeof OffscreenCanvas !== 'undefined') return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement('canvas'), { width, height });
}

/**
 * A picture that was read, to be read once more: the user's own may have changed since.
 *
 * @param {ImageSource} source
 * @returns {ImageInput}
 */
export function toInput(source) {
  switch (source.kind) {
    case 'blob':
      return source.blob;
    case 'bytes':
      return source.bytes;
    case 'pixels':
      return { data: source.rgba, width: source.width, height: source.height };
  }
}
