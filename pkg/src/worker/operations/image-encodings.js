/**
 * Pictures as a model encodes them, layer by layer.
 *
 * Where several tasks share a model, the last picture's encoding is kept, so that it is decoded and encoded once for its
 * tags, its caption and whatever is asked next. One is kept, no more: memory does not grow with the pictures.
 *
 * @typedef {import('../accelerator.js').Accelerator} Accelerator
 * @typedef {import('../handles.js').ImageEncodingHandle} ImageEncodingHandle
 * @typedef {import('../handles.js').ImageEncoder} ImageEncoder
 * @typedef {import('../handles.js').PictureHandle} PictureHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../../shared/types.js').ImageSource} ImageSource
 * @typedef {import('../../shared/protocol.js').Progress} Progress
 */

import { errorFor } from '../../shared/errors.js';
import { decode } from './browser-picture.js';
import { progress } from './meter.js';
import { release } from './release.js';

/** Encoded pictures of up to this many bytes are kept beside their encoding, to know them again. */
const MAX_KNOWN_BYTES = 16 << 20;

/** One picture on its way through a model. */
export class ImageEncoding {
  #model;
  #accelerator;
  #keepsStates = false;
  /** @type {number | null} layers not computed yet; null before the first */
  #left = null;
  /** How many layers there are, once the first is computed. */
  layers = 0;

  /** @param {ImageEncoder} model @param {ImageEncodingHandle} handle @param {Accelerator | null} accelerator */
  constructor(model, handle, accelerator) {
    this.#model = model;
    this.#accelerator = accelerator;
    this.handle = handle;
  }

  /** Keeps the states of all layers, for a map, as long as none is computed. */
  keepStates() {
    if (this.#left !== null) return;
    this.handle.keep();
    this.#keepsStates = true;
  }

  /**
   * Computes the layers that are left, and after each tells how far it is. The GPU, where there is one, does all of them at
   * once; the states of single layers only the wasm can keep.
   *
   * @returns {AsyncGenerator<{ progress: Progress }, void, void>}
   */
  async *encode() {
    if (this.#accelerator) await ImageEncoding.#accelerate([this], this.#accelerator);
    while (this.#left !== 0) {
      const left = this.#model.advance(this.handle);
      if (this.#left === null) this.layers = left + 1;
      this.#left = left;
      if (left > 0) yield progress('image', null, this.layers - left, this.layers);
    }
    yield progress('image', null, this.layers, this.layers);
  }

  /**
   * Computes the layers of several pictures: on the GPU, where there is one, of all at once, and else of one after the other.
   *
   * @param {readonly ImageEncoding[]} encodings of one model
   * @returns {AsyncGenerator<{ progress: Progress }, void, void>}
   */
  static async *encodeAll(encodings) {
    const accelerator = encodings[0] ? encodings[0].#accelerator : null;
    if (accelerator) await ImageEncoding.#accelerate(encodings, accelerator);
    for (const [i, encoding] of encodings.entries()) {
      for await (const step of encoding.encode()) {
        const { layers } = encoding;
        yield progress('image', null, i * layers + step.progress.loaded, encodings.length * layers);
      }
    }
  }

  /** @param {readonly ImageEncoding[]} encodings @param {Accelerator} accelerator */
  static async #accelerate(encodings, accelerator) {
    // One that several pictures share comes once.
    const fresh = [...new Set(encodings)].filter((one) => one.#left === null && !one.#keepsStates);
    if (fresh.length === 0) return;
    const done = await accelerator.encode(fresh.map(({ handle }) => handle));
    for (const encoding of fresh.slice(0, done)) {
      encoding.#left = 0;
      encoding.layers = accelerator.layers;
    }
  }
}

export class ImageEncodings {
  #wasm;
  #model;
  #reuse;
  #accelerator;
  /** @type {{ encoding: ImageEncoding, key: number | undefined, source: KnownSource } | null} */
  #last = null;

  /**
   * @param {Wasm} wasm
   * @param {ImageEncoder} model
   * @param {{ reuse?: boolean, accelerator?: Accelerator | null }} [options] whether the last encoding is kept; what computes
   *   layers in the wasm's place
   */
  constructor(wasm, model, { reuse = false, accelerator = null } = {}) {
    this.#wasm = wasm;
    this.#model = model;
    this.#reuse = reuse;
    this.#accelerator = accelerator;
  }

  /**
   * Begins to encode a picture, or goes on where the last call left it. No layer is computed here.
   *
   * @param {ImageSource} source
   * @param {{ keep?: boolean }} [options] whether it may take the place of the one that is kept
   * @returns {Promise<ImageEncoding>} to be given back by `close`
   */
  async open(source, { keep = true } = {}) {
    const key = source.kind === 'blob' ? source.key : undefined;
    if (this.#last && key !== undefined && key === this.#last.key) return this.#last.encoding;
    const known = await readSource(source);
    if (this.#last && isSame(known, this.#last.source)) {
      this.#last.key = key ?? this.#last.key;
      return this.#last.encoding;
    }
    if (keep) this.#forget();
    const picture = await openPicture(this.#wasm, known);
    try {
      const encoding = new ImageEncoding(this.#model, this.#model.encodeImage(picture), this.#accelerator);
      if (this.#reuse && keep) this.#last = { encoding, key, source: withoutLarge(known) };
      return encoding;
    } finally {
      release(picture);
    }
  }

  /** A picture that is not encoded. @param {ImageSource} source @returns {Promise<PictureHandle>} to be freed */
  async picture(source) {
    return openPicture(this.#wasm, await readSource(source));
  }

  /** Frees an encoding, if it is not the one that is kept. @param {ImageEncoding} encoding */
  close(encoding) {
    if (encoding !== this.#last?.encoding) release(encoding.handle);
  }

  #forget() {
    const last = this.#last;
    this.#last = null;
    if (last) release(last.encoding.handle);
  }
}

/**
 * @typedef {{ bytes: Uint8Array | null, width?: number, height?: number }} KnownSource encoded bytes, or pixels with their
 *   size; null where they were too many to be kept
 */

/**
 * @param {ImageSource} source
 * @returns {Promise<KnownSource>}
 */
async function readSource(source) {
  switch (source.kind) {
    case 'pixels':
      return { bytes: source.rgba, width: source.width, height: source.height };
    case 'bytes':
      return { bytes: source.bytes };
    case 'blob':
      return { bytes: await readBlob(source.blob) };
  }
}

/**
 * @param {Wasm} wasm
 * @param {KnownSource} source
 * @returns {Promise<PictureHandle>} to be freed
 */
async function openPicture(wasm, { bytes, width, height }) {
  const given = /** @type {Uint8Array} */ (bytes);
  if (width === undefined || height === undefined) return decode(wasm, given);
  return wasm.Picture.fromRgba(width, height, given);
}

/** @param {KnownSource} source @returns {KnownSource} */
function withoutLarge(source) {
  const small = source.bytes !== null && source.bytes.length <= MAX_KNOWN_BYTES;
  return small ? source : { ...source, bytes: null };
}

/** @param {KnownSource} a @param {KnownSource} b */
function isSame(a, b) {
  if (!a.bytes || !b.bytes || a.bytes.length !== b.bytes.length) return false;
  if (a.width !== b.width || a.height !== b.height) return false;
  const other = b.bytes;
  return a.bytes.every((byte, i) => byte === other[i]);
}

/**
 * @param {Blob} blob
 * @returns {Promise<Uint8Array>}
 */
export async function readBlob(blob) {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    // The file behind it was moved, changed or deleted since it was picked.
    throw errorFor('image-unreadable', 'The picture could not be read any more.', { cause });
  }
}
