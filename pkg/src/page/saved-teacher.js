/**
 * What was taught, as a file: JSON.
 *
 * @typedef {import('./tagger.js').Label} Label
 *
 * @typedef {object} ModelIdentity whose labels were taught
 * @property {string} model what was given to `load`
 * @property {string | null} revision
 * @property {import('../shared/protocol.js').Dtype} dtype
 *
 * @typedef {object} SavedTeacher
 * @property {'ocelli-teacher'} format
 * @property {1} version
 * @property {string} model
 * @property {string | null} revision
 * @property {import('../shared/protocol.js').Dtype} dtype
 * @property {Label[]} labels
 * @property {string[]} templates
 * @property {number[]} examples how many each label had
 * @property {number} kept how much of what the labels' words say, from 0 to 1
 * @property {number | null} strength of the penalty; null where the examples changed nothing
 * @property {number} temperature
 * @property {string} weights `(labels, dim)` in f32, little-endian, in Base64
 *
 * @typedef {object} Taught
 * @property {Label[]} labels
 * @property {string[]} templates
 * @property {number[]} examples
 * @property {number} kept
 * @property {number | null} strength
 * @property {number} temperature
 * @property {Float32Array} weights
 */

import { OcelliError } from '../shared/errors.js';

const FORMAT = 'ocelli-teacher';
const VERSION = 1;
/** Labels and templates that a file may have: what the wasm takes at most. */
const MOST = { labels: 10_000, templates: 100 };
/** Letters of Base64: weights of 256 MB. */
const MOST_LETTERS = 350_000_000;
/** Bytes that become letters at a time: more arguments than a function takes would fail. */
const CHUNK = 0x8000;

/**
 * @param {ModelIdentity} identity
 * @param {Taught} taught
 * @returns {SavedTeacher}
 */
export function write(identity, { weights, ...taught }) {
  return { format: FORMAT, version: VERSION, ...identity, ...taught, weights: toBase64(weights) };
}

/**
 * @param {unknown} given a string of JSON, or what it says
 * @param {ModelIdentity} identity the model that it is to be used with
 * @returns {Taught}
 * @throws {OcelliError} `argument-invalid`: it is none, damaged, or of another model
 */
export function read(given, identity) {
  const saved = typeof given === 'string' ? parse(given) : given;
  if (typeof saved !== 'object' || saved === null || !('format' in saved) || saved.format !== FORMAT) {
    throw invalid('This is nothing that a teacher has saved.');
  }
  const { version, labels, templates, examples, kept, strength, temperature, weights, ...rest } =
    /** @type {Partial<Record<keyof SavedTeacher, unknown>>} */ (saved);
  if (version !== VERSION) {
    throw invalid(`The saved teacher has version ${String(version)}; ${VERSION} is read here.`);
  }
  for (const key of /** @type {const} */ (['model', 'revision', 'dtype'])) {
    if (rest[key] === identity[key]) continue;
    const [theirs, ours] = [rest[key], identity[key]].map((value) => String(value).slice(0, 200));
    throw invalid(
      `It was taught to a model whose ${key} is ${theirs}, and this one's is ${ours}: teach it again.`,
    );
  }
  const well =
    isList(labels, MOST.labels, isLabel) &&
    isList(templates, MOST.templates, (one) => typeof one === 'string') &&
    isList(examples, MOST.labels, (one) => Number.isSafeInteger(one) && Number(one) >= 0) &&
    examples.length === labels.length &&
    (strength === null || typeof strength === 'number') &&
    typeof kept === 'number' &&
    typeof temperature === 'number' &&
    typeof weights === 'string';
  if (!well) throw invalid('The saved teacher is damaged.');
  const numbers = fromBase64(/** @type {string} */ (weights));
  return /** @type {Taught} */ ({
    labels,
    templates,
    examples,
    kept,
    strength,
    temperature,
    weights: numbers,
  });
}

/** @param {unknown} list @param {number} most @param {(one: unknown) => boolean} valid @returns {list is unknown[]} */
function isList(list, most, valid) {
  return Array.isArray(list) && list.length > 0 && list.length <= most && list.every(valid);
}

/** @param {any} one */
function isLabel(one) {
  const { label = one, hint = '' } = typeof one === 'object' && one !== null ? one : {};
  return typeof label === 'string' && typeof hint === 'string';
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalid('The saved teacher is no JSON.', { cause });
  }
}

/** @param {Float32Array} numbers */
function toBase64(numbers) {
  const bytes = new Uint8Array(numbers.length * 4);
  const view = new DataView(bytes.buffer);
  numbers.forEach((number, i) => view.setFloat32(4 * i, number, true));
  let letters = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    letters += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return btoa(letters);
}

/** @param {string} text @returns {Float32Array} */
function fromBase64(text) {
  /** @type {string} */
  let letters;
  try {
    if (text.length > MOST_LETTERS) throw new RangeError('too long');
    letters = atob(text);
  } catch (cause) {
    throw invalid('The saved teacher is damaged.', { cause });
  }
  if (letters.length % 4 !== 0) throw invalid('The saved teacher is damaged.');
  const view = new DataView(Uint8Array.from(letters, (letter) => letter.charCodeAt(0)).buffer);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));
}

/** @param {string} message @param {ErrorOptions} [options] */
function invalid(message, options) {
  return new OcelliError('argument-invalid', message, options);
}
