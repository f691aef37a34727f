/**
 * Weights in several files: `model.safetensors.index.json` names the file of each tensor, as `save_pretrained` of
 * `transformers` writes it where one would be too large.
 *
 * @typedef {import('./types.js').ModelFile} ModelFile
 *
 * @typedef {object} Shards
 * @property {[ModelFile, ...ModelFile[]]} files in the order of their names
 * @property {number | null} bytes of all tensors, where it is told
 */

import { errorFor } from './errors.js';
import { addressBeside } from './model-files.js';

/** More files than any model is published in. */
const MOST = 1000;
/** Beside the index, and nowhere else. */
const NAME = /^\w[\w.-]*$/;

/** Whether a file tells in which files the weights are. @param {Pick<ModelFile, 'name'>} file */
export function isIndex({ name }) {
  return name.endsWith('.index.json');
}

/**
 * @param {Uint8Array} bytes of the index
 * @param {ModelFile} index
 * @returns {Shards}
 * @throws {import('./errors.js').ModelError} `weights-invalid`
 */
export function readIndex(bytes, index) {
  const read = parsed(bytes);
  const map = read?.weight_map;
  if (typeof map !== 'object' || map === null) throw invalid(index, 'it has no weight_map');
  const names = [...new Set(Object.values(map))].sort();
  const wrong = names.find((name) => typeof name !== 'string' || !NAME.test(name));
  if (wrong !== undefined) {
    throw invalid(index, `${JSON.stringify(wrong).slice(0, 100)} is no name of a file`);
  }
  const { access, url } = index;
  const [first, ...others] = names.map((name) => ({
    name,
    url: addressBeside(name, new URL(url)).href,
    ...(access && { access }),
  }));
  if (!first) throw invalid(index, 'it names no file');
  if (others.length >= MOST) throw invalid(index, `it names more than ${MOST} files`);
  const size = read?.metadata?.total_size;
  return { files: [first, ...others], bytes: Number.isSafeInteger(size) && size > 0 ? size : null };
}

/** @param {Uint8Array} bytes @returns {any} */
function parsed(bytes) {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** @param {ModelFile} index @param {string} why */
function invalid({ name }, why) {
  return errorFor('weights-invalid', `${name} does not tell in which files the weights are: ${why}.`);
}
