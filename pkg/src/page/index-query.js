/**
 * What an index is searched for: a text, a picture, a vector, or several of them, each with a weight.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 *
 * @typedef {object} QueryPart one of `text`, `image`, `vector` and `id`, and how much it counts
 * @property {string} [text]
 * @property {ImageInput} [image]
 * @property {Float32Array | readonly number[]} [vector]
 * @property {string} [id] of a vector of the index
 * @property {number} [weight] 1 by default; what is below zero is to be absent
 *
 * @typedef {string | ImageInput | Float32Array | QueryPart | readonly QueryPart[]} IndexQuery a string is a text, or several with
 *   a sign between them: "beach + sunset - people"
 */

import { throwIfAborted } from '../shared/abort.js';
import { errorFor } from '../shared/errors.js';
import { wrong } from './arguments.js';

const KINDS = /** @type {const} */ (['text', 'image', 'vector', 'id']);
/** More parts than a person would think of. */
const MOST_PARTS = 64;

/**
 * The vector of a query, of any length, and whether it is of texts alone.
 *
 * @typedef {object} QueryContext
 * @property {(what: string) => import('./embedder.js').Embedder} reader throws where there is none
 * @property {(ids: string[]) => Promise<Float32Array[]>} vectors of the index
 * @property {number | null} width of the index
 * @property {AbortSignal | null} signal
 *
 * @param {IndexQuery} query
 * @param {QueryContext} context
 * @returns {Promise<{ vector: Float32Array, isText: boolean }>}
 */
export async function embedQuery(query, { reader, vectors, width, signal }) {
  const parts = readQuery(query);
  throwIfAborted(signal);
  const texts = parts.flatMap(({ text }) => (text === undefined ? [] : [text]));
  const ofTexts = texts.length > 0 ? await reader('texts').embedTexts(texts, { signal }) : [];
  /** @type {Float32Array[]} */
  const all = [];
  for (const { text, image, vector, id } of parts) {
    /** @type {(Float32Array | readonly number[])[]} */
    const [found = []] =
      text !== undefined
        ? ofTexts.splice(0, 1)
        : image !== undefined
          ? await reader('pictures').embedImages([image], { signal })
          : vector !== undefined
            ? [vector]
            : await vectors([id ?? '']);
    all.push(Float32Array.from(found));
  }
  const own = width ?? all[0]?.length;
  const other = all.find((vector) => vector.length !== own);
  if (other) {
    const sentence = `The vectors of the index have ${own} numbers, and one of the query has ${other.length}.`;
    throw errorFor('index-mismatch', sentence);
  }
  const weights = parts.map(({ weight }) => weight);
  return { vector: compose(all, weights), isText: texts.length === parts.length };
}

/**
 * The parts of a query, checked.
 *
 * @param {IndexQuery} query
 * @returns {(QueryPart & { weight: number })[]}
 * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
 */
export function readQuery(query) {
  if (typeof query === 'string') return parseQuery(query);
  if (query instanceof Float32Array) return [{ vector: query, weight: 1 }];
  if (Array.isArray(query)) {
    if (query.length === 0 || query.length > MOST_PARTS) {
      throw wrong(`A query has from 1 to ${MOST_PARTS} parts, and this one has ${query.length}.`);
    }
    return query.map(readPart);
  }
  if (isPart(query)) return [readPart(query)];
  return [{ image: /** @type {ImageInput} */ (query), weight: 1 }];
}

/**
 * The texts of a query with signs between them: those count that stand between spaces, so that "t-shirt" is one word. A sign
 * may be in front of all.
 *
 * @param {string} query
 * @returns {{ text: string, weight: number }[]}
 */
export function parseQuery(query) {
  const pieces = ` ${query.trim()}`.split(/\s([+-])(?=\s|$)/);
  const [first = '', ...signed] = pieces;
  const parts = first.trim() === '' ? [] : [{ text: first.trim(), weight: 1 }];
  for (let at = 0; at < signed.length; at += 2) {
    parts.push({ text: (signed[at + 1] ?? '').trim(), weight: signed[at] === '-' ? -1 : 1 });
  }
  if (parts.length === 0 || parts.some(({ text }) => text === '')) {
    throw wrong('A query needs a text, and one behind each of its signs: "beach + sunset - people".');
  }
  if (parts.length > MOST_PARTS) throw wrong(`A query has at most ${MOST_PARTS} texts.`);
  if (parts.every(({ weight }) => weight < 0)) {
    throw wrong(`A query needs a text without a minus: "${query.trim()}" says only what is to be absent.`);
  }
  return parts;
}

/**
 * The weighted sum of vectors of length 1, itself of any length.
 *
 * @param {readonly Float32Array[]} vectors
 * @param {readonly number[]} weights
 * @returns {Float32Array}
 */
export function compose(vectors, weights) {
  const sum = new Float64Array(vectors[0]?.length ?? 0);
  vectors.forEach((vector, place) => {
    const length = Math.hypot(...vector);
    const weight = (weights[place] ?? 1) / (length || 1);
    for (let at = 0; at < sum.length; at += 1) sum[at] = (sum[at] ?? 0) + weight * (vector[at] ?? 0);
  });
  return Float32Array.from(sum);
}

/** @param {any} query */
function isPart(query) {
  if (typeof query !== 'object' || query === null) return false;
  const tag = Object.prototype.toString.call(query);
  return tag === '[object Object]' && KINDS.some((kind) => kind in query);
}

/** @param {any} part @returns {QueryPart & { weight: number }} */
function readPart(part) {
  if (typeof part === 'string') return { text: part, weight: 1 };
  const kinds = KINDS.filter((kind) => part?.[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    throw wrong(`Each part of a query has one of ${KINDS.join(', ')}.`);
  }
  const { weight = 1 } = part;
  if (!Number.isFinite(weight)) throw wrong('The weight of a part of a query must be a number.');
  const value = part[kind];
  if (kind === 'vector') return { vector: Float32Array.from(value), weight };
  if (kind !== 'image' && typeof value !== 'string') throw wrong(`The ${kind} of a query must be a string.`);
  return { [kind]: value, weight };
}
