/**
 * What goes into an index: pictures through its model, and vectors.
 *
 * @typedef {import('./embedder.js').Embedder} Embedder
 * @typedef {import('./index-options.js').IndexedImage} IndexedImage
 * @typedef {import('./index-options.js').IndexedVector} IndexedVector
 * @typedef {import('./index-worker.js').AskOptions} AskOptions
 * @typedef {import('./index-worker.js').IndexWorker} IndexWorker
 */

import { errorFor, ImageError } from '../shared/errors.js';
import { TOGETHER } from './embedder.js';

/** Vectors that go to the worker at once. */
const BATCH = 64;

/**
 * Adds pictures, and gives those that cannot be read. What was added before an error stays.
 *
 * @param {IndexWorker} worker
 * @param {Embedder} embedder
 * @param {readonly IndexedImage[]} items
 * @param {AskOptions} options
 * @returns {Promise<{ id: string, error: ImageError }[]>}
 */
export async function addPictures(worker, embedder, items, { signal, onProgress }) {
  const total = items.length;
  /** @type {{ id: string, error: ImageError }[]} */
  const failed = [];
  /** @type {IndexedVector[]} */
  let batch = [];
  const flush = async () => {
    const full = batch;
    batch = [];
    if (full.length > 0) await addVectors(worker, full);
  };
  /** @param {readonly IndexedImage[]} share */
  const embed = async (share) => {
    const images = share.map(({ image }) => image);
    try {
      const vectors = await worker.reading(() => embedder.embedImages(images, { signal: signal ?? null }));
      for (const [i, vector] of vectors.entries()) {
        batch.push({ id: /** @type {IndexedImage} */ (share[i]).id, vector });
      }
    } catch (error) {
      const [first, ...others] = share;
      if (!(error instanceof ImageError) || !first) throw error;
      if (others.length === 0) failed.push({ id: first.id, error });
      // One of them cannot be read.
      else for (const one of share) await embed([one]);
    }
  };
  try {
    for (let loaded = 0; loaded < total;) {
      onProgress?.({ phase: 'image', file: null, loaded, total });
      const share = items.slice(loaded, loaded + (embedder.runtime.device === 'webgpu' ? TOGETHER : 1));
      await embed(share);
      if (batch.length >= BATCH) await flush();
      loaded += share.length;
    }
  } finally {
    await flush();
  }
  if (total > 0) onProgress?.({ phase: 'image', file: null, loaded: total, total });
  return failed;
}

/**
 * Adds vectors: all of them or, on an error, none.
 *
 * @param {IndexWorker} worker
 * @param {readonly IndexedVector[]} items at least one
 */
export async function addVectors(worker, items) {
  const width = items[0]?.vector.length ?? 0;
  const own = worker.state.width ?? width;
  const other = items.find(({ vector }) => vector.length !== own)?.vector.length;
  if (other !== undefined) {
    const sentence = `The index has vectors of ${own} numbers, and one that is added has ${other}.`;
    throw errorFor('index-mismatch', sentence);
  }
  const vectors = new Float32Array(width * items.length);
  items.forEach(({ vector }, place) => vectors.set(vector, place * width));
  const ids = items.map(({ id }) => id);
  worker.hear(await worker.ask('add', { ids, vectors, width }, { transfer: [vectors.buffer] }));
}
