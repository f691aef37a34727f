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
  try {
    for (const [loaded, { id, image }] of items.entries()) {
      onProgress?.({ phase: 'image', file: null, loaded, total });
      try {
        const [vector] = await worker.reading(() =>
          embedder.embedImages([image], { signal: signal ?? null }),
        );
        if (vector) batch.push({ id, vector });
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        failed.push({ id, error });
      }
      if (batch.length === BATCH) await flush();
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
