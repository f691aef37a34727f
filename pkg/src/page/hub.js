/**
 * From a model's name to the addresses of its files. All addresses are made absolute here, on the page's
 * side: the worker would resolve them against its own script.
 */

import { OcelliError } from '../shared/errors.js';
import { nearest } from '../shared/nearest.js';
import { find, list, revisionOf, weightsOf } from './catalogue.js';

/**
 * @typedef {import('../shared/protocol.js').Task} Task
 * @typedef {import('../shared/types.js').FileRole} FileRole
 * @typedef {import('../shared/types.js').ModelFile} ModelFile
 * @typedef {import('../shared/types.js').ModelFiles} ModelFiles
 */

/** The public hub. */
const HUB = 'https://huggingface.co';

/** @type {Readonly<Record<FileRole, string>>} */
const FILE_NAMES = {
  config: 'config.json',
  preprocessor: 'preprocessor_config.json',
  tokenizer: 'tokenizer.json',
  weights: 'model.safetensors',
};

/** Names that the weights may have instead: what older models are published as, and what `ocelli-convert` writes. */
const OTHER_WEIGHTS = ['pytorch_model.bin', 'model.gguf'];

/** Tasks whose models read no texts, and so have no tokenizer. @type {readonly Task[]} */
const WITHOUT_TEXTS = ['classify'];

const FILE_NAME = /^\w[\w.-]*$/;
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;
const FOLDER = /^([a-z][a-z0-9+.-]*:\/\/|\/|\.\.?\/)/i;

/**
 * An address as an absolute one: a relative one is the page's.
 *
 * @param {string} address
 * @param {string} what lies there, for people
 * @returns {URL}
 */
export function absolute(address, what) {
  try {
    return new URL(address, globalThis.document?.baseURI ?? globalThis.location?.href);
  } catch (cause) {
    throw new OcelliError('argument-invalid', `The ${what} "${address}" is not an address.`, { cause });
  }
}

/**
 * @param {string} address of a folder, with or without its last slash
 * @param {string} what
 * @returns {URL}
 */
function folder(address, what) {
  const url = absolute(address, what);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/**
 * Whether a model is one of the hub, by its id.
 *
 * @param {string | URL} model
 */
export function isHubId(model) {
  return typeof model === 'string' && !FOLDER.test(model) && HUB_ID.test(model);
}

/**
 * @param {string | URL} model `org/name`, the name of a built-in model, or the address of a folder
 * @param {{ base?: string | URL, revision?: string, weights?: string, task?: Task }} [options] where the hub is, which
 *   revision to take, what the file of weights is called, and what the model is for
 * @returns {ModelFiles}
 */
export function locate(model, { base = HUB, revision, weights, task } = {}) {
  if (weights !== undefined && !FILE_NAME.test(weights)) {
    throw new OcelliError(
      'argument-invalid',
      `The option weights is "${weights}", which is no name of a file.`,
    );
  }
  /** @type {(name: string) => URL} */
  let address;
  const id = String(model);
  const known = find(id);
  if (model instanceof URL || FOLDER.test(id)) {
    const root = folder(id, 'model');
    address = (name) => new URL(name, root);
  } else if (known?.builtIn) {
    const root = folder(`${known.base}${known.id}/`, 'model');
    address = (name) => new URL(name, root);
  } else if (id.startsWith('models/') && base === HUB) {
    // No organisation there has this name; it is a folder beside the page.
    throw new OcelliError('argument-invalid', `"${id}" is no model of the hub; did you mean "./${id}"?`);
  } else if (HUB_ID.test(id)) {
    const root = folder(String(base), 'hub base');
    // A revision may hold slashes (refs/pr/15); the hub wants them escaped.
    address = (name) =>
      new URL(`${id}/resolve/${encodeURIComponent(revision ?? revisionOf(id, name))}/${name}`, root);
  } else {
    const ways = 'give "organisation/name", a built-in model\'s name, or the address of a folder';
    const ids = list().map((info) => info.id);
    const meant = nearest(id, ids);
    const hint = meant ? `did you mean "${meant}"?` : `${ways}.`;
    throw new OcelliError('argument-invalid', `"${id}" is no model${meant ? '; ' : ': '}${hint}`);
  }
  /** @type {(name: string) => ModelFile} */
  const file = (name) => ({ name, url: address(name).href });
  const named = weights ?? weightsOf(id);
  return {
    config: file(FILE_NAMES.config),
    preprocessor: file(FILE_NAMES.preprocessor),
    ...(!(task && WITHOUT_TEXTS.includes(task)) && { tokenizer: file(FILE_NAMES.tokenizer) }),
    weights: named
      ? file(named)
      : { ...file(FILE_NAMES.weights), ...(!known?.builtIn && { others: OTHER_WEIGHTS.map(file) }) },
  };
}
