/**
 * What an index is given: its options, and what goes into it.
 *
 * @typedef {import('./embedder.js').Embedder} Embedder
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./index-query.js').IndexQuery} IndexQuery
 * @typedef {import('./model.js').ModelSource} ModelSource
 * @typedef {import('../shared/protocol.js').Progress} Progress
 *
 * @typedef {object} IndexOptions
 * @property {Embedder | ModelSource} [model] what reads pictures and texts: a loaded `Embedder` or `Tagger`, which stays the
 *   caller's, or the name of a model, which is loaded for the index and goes with it. Without one, vectors alone go in and
 *   are looked for
 * @property {'auto' | number} [threads] how many threads compare vectors, as of a model
 * @property {import('../shared/types.js').VariantName} [variant]
 * @property {string | URL} [wasmUrl]
 * @property {() => import('../shared/types.js').WorkerLike} [worker]
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] of the model's load, and of the reading of a file (the phase `cache`)
 *
 * @typedef {Uint8Array | ArrayBuffer | Blob | URL | string | { name: string }} IndexFile what `save` gave: its bytes, a file of
 *   them, or its address (in Node, its path); or the name under which an index is kept
 *
 * @typedef {object} IndexCallOptions
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress]
 *
 * @typedef {{ id: string, image: ImageInput }} IndexedImage
 * @typedef {{ id: string, vector: Float32Array | readonly number[] }} IndexedVector
 *
 * @typedef {((id: string) => boolean) | Iterable<string>} IndexFilter which ids are looked at: a function that tells, or those
 *   ids
 *
 * @typedef {object} SearchOptions
 * @property {number} [topK] how many hits there are at most; 20 by default
 * @property {IndexFilter} [filter]
 * @property {number} [threshold] the least cosine of a hit, from 0 to 1
 * @property {number | null} [cutoff] the least standard score of a hit, so that nothing is found where nothing fits; by default
 *   3 of queries of texts alone, and none of others. With null all are given
 * @property {AbortSignal | null} [signal]
 *
 * @typedef {object} Hit
 * @property {string} id
 * @property {number} score the cosine with the query
 * @property {number | null} standardScore of texts: how many standard deviations the score is above what texts about other
 *   things have with this picture
 *
 * @typedef {object} DuplicateOptions
 * @property {number} [threshold] the least cosine of a pair, from 0 to 1; 0.95 by default
 * @property {(id: string) => number | Date | null | undefined} [times] when each was taken, in milliseconds: with them, only
 *   pictures of one burst can be a pair
 * @property {number} [within] how far apart a pair of a burst may be, in milliseconds; 10,000 by default
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phase `vectors`
 *
 * @typedef {object} DiverseOptions
 * @property {number} [count] how many are picked; 10 by default
 * @property {IndexQuery} [query] what they are to be near to
 * @property {number} [lambda] from 0 to 1, how much the query counts beside their difference; 0.5 by default
 * @property {IndexFilter} [filter]
 * @property {AbortSignal | null} [signal]
 */

import { wrong } from './arguments.js';

/** The longest name under which an index is kept, in letters of an address. */
const LONGEST_NAME = 200;

/**
 * A copy of what is to be added.
 *
 * @template {IndexedImage | IndexedVector} T
 * @param {readonly T[]} items
 * @param {'image' | 'vector'} what
 * @returns {T[]}
 */
export function checkItems(items, what) {
  if (!Array.isArray(items)) throw wrong(`What is added must be an array of { id, ${what} }.`);
  return items.map((item, place) => {
    const { id } = item ?? {};
    if (typeof id !== 'string' || item[what] === undefined) {
      throw wrong(
        `What is added must be { id, ${what} }, each with a string as its id, and number ${place + 1} is none.`,
      );
    }
    if (what === 'image') return item;
    const vector = Float32Array.from(item[what]);
    if (vector.length === 0) throw wrong(`The vector of ${id} has no numbers.`);
    return { id, vector };
  });
}

/** @param {Iterable<string>} ids @returns {string[]} a copy */
export function checkIds(ids) {
  const isList = typeof ids === 'object' && ids !== null && Symbol.iterator in ids;
  const copy = isList ? [...ids] : [];
  if (isList && copy.every((id) => typeof id === 'string')) return copy;
  throw wrong('Ids must be strings, in an array or a set.');
}

/** @param {unknown} name @returns {string} */
export function checkName(name) {
  if (typeof name === 'string' && name !== '' && isEncodable(name)) return name;
  throw wrong(`An index is kept under a name, a string of at most ${LONGEST_NAME} letters.`);
}

/** @param {string} name */
function isEncodable(name) {
  try {
    return encodeURIComponent(name).length <= LONGEST_NAME;
  } catch {
    return false;
  }
}

/** A time in milliseconds; of what has none, not a number. @param {number | Date | null | undefined} time */
export function timeOf(time) {
  return time === null || time === undefined ? Number.NaN : Number(time);
}
