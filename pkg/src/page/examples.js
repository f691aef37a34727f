/**
 * Examples of labels: read from what the caller gives, and refused where they contradict each other.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./image-input.js').ImageInputs} ImageInputs
 * @typedef {import('./tagger.js').Label} Label
 *
 * @typedef {ImageInput | Float32Array} Example a picture, or its embedding, as `embedImages` of the same model gives it
 * @typedef {Example | ImageInputs | readonly Example[]} LabelExamples
 * @typedef {Readonly<Record<string, LabelExamples>> | ReadonlyMap<Label, LabelExamples>} Examples pictures of each label: an
 *   object by labels, or a `Map`, whose labels may have hints
 */

import { listOf, wrong } from './arguments.js';

/** Vectors of unit length whose product is above this are of one picture. */
const SAME = 0.9999;

/**
 * @param {unknown} examples
 * @returns {{ labels: unknown[], examples: Example[], places: number[] }} the labels, to be checked; the examples of all, and
 *   the place of each one's label
 * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
 */
export function readExamples(examples) {
  const isObject = typeof examples === 'object' && examples !== null && listOf(examples) === null;
  if (!isObject) {
    throw wrong(
      'The examples must be an object or a Map of labels with pictures: { cat: [picture, …], dog: [picture, …] }.',
    );
  }
  const entries = examples instanceof Map ? [...examples] : Object.entries(examples);
  const pictures = entries.map(([label, given]) => {
    const list = listOf(given) ?? [/** @type {Example} */ (given)];
    if (list.length === 0) {
      throw wrong(
        `The label "${nameOf(label)}" has no pictures: leave it out, or name it in the option also.`,
      );
    }
    return list;
  });
  return {
    labels: entries.map(([label]) => label),
    examples: pictures.flat(),
    places: pictures.flatMap((list, place) => list.map(() => place)),
  };
}

/**
 * The embeddings of all examples, of which pictures are still to be embedded.
 *
 * @param {readonly Example[]} examples
 * @param {(images: ImageInput[]) => Promise<Float32Array[]>} embed
 * @returns {Promise<Float32Array[]>}
 * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`: an embedding is not of unit length
 */
export async function embeddingsOf(examples, embed) {
  const bad = examples.findIndex((one) => isEmbedding(one) && !(Math.abs(product(one, one) - 1) < 1e-3));
  if (bad !== -1) throw wrong(`Example ${bad + 1} is an embedding that is not of unit length.`);
  const embedded = (
    await embed(/** @type {ImageInput[]} */ (examples.filter((one) => !isEmbedding(one))))
  ).values();
  return examples.map((one) =>
    isEmbedding(one) ? one.slice() : /** @type {Float32Array} */ (embedded.next().value),
  );
}

/**
 * Refuses one picture as an example of two labels: nothing could be learnt from it.
 *
 * @param {readonly Float32Array[]} embeddings of unit length
 * @param {readonly number[]} places the place of each one's label
 * @param {readonly Label[]} labels
 */
export function refuseContradictions(embeddings, places, labels) {
  embeddings.forEach((one, i) => {
    const other = embeddings.findIndex(
      (two, j) => j < i && places[i] !== places[j] && product(one, two) > SAME,
    );
    if (other === -1) return;
    const names = [places[other], places[i]].map((place) => `"${nameOf(labels[Number(place)])}"`);
    throw wrong(`One picture is an example of both ${names.join(' and ')}: it can teach neither.`);
  });
}

/** What tells a label from others: its name and its hint. @param {Label} label */
export function keyOf(label) {
  const { label: name, hint = '' } = typeof label === 'string' ? { label } : label;
  return JSON.stringify([name, hint]);
}

/**
 * Refuses a label that is given twice.
 *
 * @param {readonly Label[]} labels
 */
export function refuseRepetitions(labels) {
  const seen = new Set();
  for (const label of labels) {
    const key = keyOf(label);
    if (seen.has(key)) throw wrong(`The label "${nameOf(label)}" is given twice.`);
    seen.add(key);
  }
}

/** @param {Example} one @returns {one is Float32Array} */
export function isEmbedding(one) {
  return one instanceof Float32Array;
}

/** @param {unknown} label */
function nameOf(label) {
  const name =
    typeof label === 'string' ? label : /** @type {{ label?: unknown } | undefined} */ (label)?.label;
  return String(name).slice(0, 60);
}

/** @param {Float32Array} a @param {Float32Array} b */
function product(a, b) {
  return a.reduce((sum, value, i) => sum + value * Number(b[i]), 0);
}
