/**
 * Copies of pictures among others, which a worker looks for.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {{ picture: Picture, copy: Blob, vector: Float32Array }} Look a picture's small copy, or its file, and what a tagger knows of it
 */

/**
 * @param {readonly Look[]} looks
 * @param {{ told: (looked: number, all: number) => void, signal: AbortSignal }} options
 * @returns {Promise<Picture[][]>} groups of two and more. None where no worker can be had: those that are nearly the same to the model are
 *   found without
 */
export async function copiesAmong(looks, { told, signal }) {
  signal.throwIfAborted();
  if (looks.length < 2) return [];
  const worker = new Worker(new URL('./copies-worker.js', import.meta.url), { type: 'module' });
  try {
    const groups = await new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      worker.addEventListener('error', () => resolve([]));
      worker.addEventListener('message', ({ data }) => {
        if (data.groups) resolve(data.groups);
        else told(data.done, looks.length);
      });
      worker.postMessage({
        copies: looks.map(({ copy }) => copy),
        vectors: looks.map(({ vector }) => vector),
      });
    });
    return groups.map((/** @type {number[]} */ places) =>
      places.flatMap((place) => looks[place]?.picture ?? []),
    );
  } finally {
    worker.terminate();
  }
}
