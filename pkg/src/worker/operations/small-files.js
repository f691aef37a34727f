/**
 * What is wrong with the small files of a model, and where they lie: the wasm knows only what they hold.
 *
 * @typedef {import('../../shared/types.js').ModelFile} ModelFile
 *
 * @typedef {object} SmallFiles those that were read
 * @property {ModelFile} config
 * @property {readonly ModelFile[]} preprocessor
 * @property {readonly ModelFile[]} tokenizer
 * @property {readonly ModelFile[]} extra
 */

import { codeOf, errorFor } from '../../shared/errors.js';

/**
 * An error of the wasm, with the address of the file that it is about, if it is about one of these.
 *
 * @param {unknown} error
 * @param {SmallFiles} files
 * @returns {unknown}
 */
export function withAddress(error, files) {
  const code = codeOf(error);
  if (!(error instanceof Error) || code === null) return error;
  const found = filesOf(code, error.message, files);
  if (found.length === 0) return error;
  const addresses = found.map(({ url }) => url).join(' or ');
  const { detail, cause = detail } = /** @type {Error & { detail?: unknown }} */ (error);
  return errorFor(code, `${error.message.replace(/\.$/, '')} (${addresses}).`, { cause });
}

/**
 * @param {string} code
 * @param {string} message which calls some files by their names
 * @param {SmallFiles} files
 * @returns {readonly ModelFile[]} more than one where it may be any of them
 */
function filesOf(code, message, { config, preprocessor, tokenizer, extra }) {
  switch (code) {
    case 'config-invalid':
      return [extra.find(({ name }) => message.includes(name)) ?? config];
    case 'preprocessor-invalid':
      return preprocessor;
    case 'tokenizer-invalid':
      return [...tokenizer, ...extra.filter(({ name }) => name.includes('tokenizer'))];
    default:
      return [];
  }
}

/** @param {Uint8Array} json @returns {any} nothing where it is damaged, which the wasm tells in its own words */
export function parsed(json) {
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}
