/**
 * From a model's name to the addresses of its files. All addresses are made absolute here, on the page's
 * side: the worker would resolve them against its own script.
 */

import { packageFile } from '../files.js';
import { OcelliError } from '../shared/errors.js';
import { addressBeside, WEIGHTS } from '../shared/model-files.js';
import { nearest } from '../shared/nearest.js';
import { platform } from '../shared/platform.js';
import { TASKS } from '../shared/tasks.js';
import { filesOf, find, list, revisionOf, weightsOf } from './catalogue.js';

/**
 * @typedef {import('../shared/protocol.js').Task} Task
 * @typedef {import('../shared/types.js').ModelFile} ModelFile
 * @typedef {import('../shared/types.js').ModelFiles} ModelFiles
 *
 * @typedef {object} ModelAddresses A model as the address of each of its files, wherever they lie.
 * @property {string | URL} config `config.json`
 * @property {string | URL} preprocessor `preprocessor_config.json`
 * @property {string | URL} [tokenizer] `tokenizer.json`, of models that read texts
 * @property {string | URL} weights safetensors, GGUF or a PyTorch file
 * @property {string | URL} [decoderTokenizer] of a model of the built-in one's kind: `decoder_tokenizer.json`
 * @property {string | URL} [words] the same: `words.json`
 * @property {string | URL} [labels] the same: `labels.json`
 */

/** The public hub. */
export const HUB = 'https://huggingface.co';

const FILE_NAMES = /** @type {const} */ ({
  config: 'config.json',
  preprocessor: 'preprocessor_config.json',
  tokenizer: 'tokenizer.json',
  weights: 'model.safetensors',
});

/**
 * Names that files may have instead: what older models are published as, what `ocelli-convert` writes, what `open_clip`
 * publishes, what `transformers` saves since version 5, and what there is for `transformers.js`.
 */
const OTHERS = {
  config: ['open_clip_config.json'],
  preprocessor: ['processor_config.json'],
  weights: WEIGHTS.slice(1),
};

/** What the addresses of files are called instead: the files' own names, and those of other libraries. @type {Readonly<Record<string, string>>} */
const MEANT = {
  preprocessor_config: 'preprocessor',
  processor: 'preprocessor',
  image_processor: 'preprocessor',
  model: 'weights',
  vocab: 'tokenizer',
};

/** Files of some models besides, by what `ModelAddresses` calls them. */
const BESIDE = /** @type {const} */ ({
  decoderTokenizer: 'decoder_tokenizer.json',
  words: 'words.json',
  labels: 'labels.json',
});

/** How files of models end, of which somebody may give one in place of their folder. */
const ENDS_AS_FILE = /\.(safetensors|gguf|bin|onnx|pth?|json)$/i;

/** Of the weights, which may lie in a folder of their own. */
const FILE_NAME = /^\w[\w.-]*(\/\w[\w.-]*)*$/;
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;
const FOLDER = /^([a-z][a-z0-9+.-]*:\/\/|file:|[a-z]:[\\/]|\/|\.\.?[\\/])/i;

/**
 * An address as an absolute one: a relative one is the page's.
 *
 * @param {string} address
 * @param {string} what lies there, for people
 * @returns {URL}
 */
export function absolute(address, what) {
  try {
    return platform.resolve(address);
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
 * @param {string | URL | ModelAddresses} model
 */
export function isHubId(model) {
  return typeof model === 'string' && !FOLDER.test(model) && HUB_ID.test(model);
}

/**
 * What a model is called: its name, the address of its folder, or that of its configuration.
 *
 * @param {string | URL | ModelAddresses} model
 */
export function idOf(model) {
  return String(typeof model === 'string' || model instanceof URL ? model : model.config);
}

/**
 * @param {string | URL | ModelAddresses} model `org/name`, the name of a built-in model, the address of a folder, or those of
 *   its files
 * @param {{ hubUrl?: string | URL | undefined, revision?: string | undefined, weights?: string | undefined, task?: Task }} [options]
 *   where the hub is, which revision to take, what the file of weights is called, and what the model is for
 * @returns {ModelFiles}
 * @throws {OcelliError} `argument-invalid`
 */
export function locate(model, { hubUrl = HUB, revision, weights, task } = {}) {
  if (weights !== undefined && !FILE_NAME.test(weights)) {
    throw invalid(`The option weights is "${weights}", which is no name of a file.`);
  }
  const readsTexts = task === undefined || TASKS[task].readsTexts;
  if (typeof model === 'object' && !(model instanceof URL)) return fromAddresses(model, readsTexts);
  const id = String(model);
  const known = find(id);
  const isFolder = model instanceof URL || FOLDER.test(id);
  if (known?.builtIn && !isFolder) return builtIn();
  if (isFolder) refuseFile(id);
  const address = isFolder ? inFolder(folder(id, 'model')) : onHub(id, hubUrl, revision);
  const file = (/** @type {string} */ name) => ({ name, url: address(name).href });
  const named = weights ?? weightsOf(id);
  const any = (/** @type {keyof typeof OTHERS} */ role) => ({
    ...file(FILE_NAMES[role]),
    others: OTHERS[role].map(file),
  });
  return {
    config: any('config'),
    preprocessor: any('preprocessor'),
    ...(readsTexts && { tokenizer: file(FILE_NAMES.tokenizer) }),
    weights: named ? file(named) : any('weights'),
  };
}

/** @param {URL} root @returns {(name: string) => URL} */
function inFolder(root) {
  return (name) => addressBeside(name, root);
}

/**
 * @param {string} id
 * @param {string | URL} hubUrl
 * @param {string | undefined} revision
 * @returns {(name: string) => URL}
 */
function onHub(id, hubUrl, revision) {
  if (id.startsWith('models/') && hubUrl === HUB) {
    // No organisation there has this name; it is a folder beside the page.
    throw invalid(`"${id}" is no model of the hub; did you mean "./${id}"?`);
  }
  if (HUB_ID.test(id)) {
    const root = folder(String(hubUrl), 'hub');
    // A revision may hold slashes (refs/pr/15); the hub wants them escaped.
    return (name) => {
      // Some weights are published without what is read beside them.
      const owner = name === weightsOf(id) ? id : filesOf(id);
      return new URL(
        `${owner}/resolve/${encodeURIComponent(revision ?? revisionOf(owner, name))}/${name}`,
        root,
      );
    };
  }
  const meant = nearest(
    id,
    list().map((info) => info.id),
  );
  if (meant) throw invalid(`"${id}" is no model; did you mean "${meant}"?`);
  if (/[\\/]/.test(id)) throw invalid(`"${id}" is no model of the hub; did you mean the folder "./${id}"?`);
  throw invalid(
    `"${id}" is no model: give "organisation/name", a built-in model's name, or the address of a folder.`,
  );
}

/** @returns {ModelFiles} */
function builtIn() {
  const file = (/** @type {'config' | 'preprocessor' | 'tokenizer' | 'weights'} */ role) => {
    const name = FILE_NAMES[role];
    return { name, url: packageFile(/** @type {const} */ (`models/ocelli/${name}`)).href };
  };
  const beside = Object.values(BESIDE).map((name) => [
    name,
    packageFile(/** @type {const} */ (`models/ocelli/${name}`)).href,
  ]);
  return {
    config: file('config'),
    preprocessor: file('preprocessor'),
    tokenizer: file('tokenizer'),
    weights: file('weights'),
    beside: Object.fromEntries(beside),
  };
}

/** @param {ModelAddresses} model @param {boolean} readsTexts @returns {ModelFiles} */
function fromAddresses(model, readsTexts) {
  refuseNameInObject(model);
  const { config, preprocessor, tokenizer, weights, ...others } = model;
  const file = (/** @type {keyof typeof FILE_NAMES} */ role, /** @type {unknown} */ address) => {
    if (typeof address !== 'string' && !(address instanceof URL)) {
      throw invalid(`The model's ${role} must be an address.`);
    }
    const url = absolute(String(address), role);
    return { name: url.pathname.split('/').at(-1) || FILE_NAMES[role], url: url.href };
  };
  /** @type {Record<string, string>} */
  const beside = {};
  for (const [key, address] of Object.entries(others)) {
    const name = Object.hasOwn(BESIDE, key) ? BESIDE[/** @type {keyof typeof BESIDE} */ (key)] : undefined;
    if (name === undefined) throw invalid(noFile(key));
    if (address !== undefined) beside[name] = absolute(String(address), key).href;
  }
  return {
    config: file('config', config),
    preprocessor: file('preprocessor', preprocessor),
    ...(readsTexts && { tokenizer: file('tokenizer', tokenizer) }),
    weights: file('weights', weights),
    beside,
  };
}

/** One file in place of the folder that it lies in. @param {string} address */
function refuseFile(address) {
  const [path = ''] = address.split(/[?#]/);
  if (!ENDS_AS_FILE.test(path)) return;
  const beginning = path.slice(0, 1 + Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')));
  throw invalid(`"${address}" is a file of a model: give its folder, "${beginning}".`);
}

/** A model's name stands for itself, and not in an object, as elsewhere. @param {object} model */
function refuseNameInObject(model) {
  if (Object.keys(FILE_NAMES).some((role) => role in model)) return;
  const { model: other, id = other, name = id } = /** @type {Record<string, unknown>} */ (model);
  if (typeof name !== 'string') return;
  throw invalid(
    `The name of a model, or its folder, is given as a plain string: load(${JSON.stringify(name)}).`,
  );
}

/** @param {string} key that is none of them */
function noFile(key) {
  const keys = [...Object.keys(FILE_NAMES), ...Object.keys(BESIDE)];
  const other = nearest(key, Object.keys(MEANT));
  const meant = nearest(key, keys) ?? (other && MEANT[other]);
  const known = `only ${keys.slice(0, -1).join(', ')} and ${keys.at(-1)}`;
  return `A model has no file "${key}", ${known}${meant ? `; did you mean ${meant}?` : '.'}`;
}

/** @param {string} sentence */
function invalid(sentence) {
  return new OcelliError('argument-invalid', sentence);
}
