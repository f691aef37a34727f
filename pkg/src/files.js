/**
 * The package's own files: its worker, the built-in model, the vocabulary, lists of terms.
 *
 * Bundlers find them through the very expressions below, and give them names of their own. Where no bundler does, they lie
 * where the package has them; and where neither is so, `setBase` tells. This file lies as deep in the package as the
 * bundles that are made of it, so that the same expressions hold in both.
 */

import { OcelliError } from './shared/errors.js';
import { absoluteUrl, platform } from './shared/platform.js';

/** Each file of the package that is asked for by address. */
const FILES = {
  'models/ocelli/config.json': () => new URL('../models/ocelli/config.json', import.meta.url),
  'models/ocelli/preprocessor_config.json': () =>
    new URL('../models/ocelli/preprocessor_config.json', import.meta.url),
  'models/ocelli/tokenizer.json': () => new URL('../models/ocelli/tokenizer.json', import.meta.url),
  'models/ocelli/decoder_tokenizer.json': () =>
    new URL('../models/ocelli/decoder_tokenizer.json', import.meta.url),
  'models/ocelli/words.json': () => new URL('../models/ocelli/words.json', import.meta.url),
  'models/ocelli/labels.json': () => new URL('../models/ocelli/labels.json', import.meta.url),
  'models/ocelli/model.safetensors': () => new URL('../models/ocelli/model.safetensors', import.meta.url),
  'lists/artists.txt': () => new URL('../lists/artists.txt', import.meta.url),
  'lists/drawings.txt': () => new URL('../lists/drawings.txt', import.meta.url),
  'lists/flavors.txt': () => new URL('../lists/flavors.txt', import.meta.url),
  'lists/mediums.txt': () => new URL('../lists/mediums.txt', import.meta.url),
  'lists/movements.txt': () => new URL('../lists/movements.txt', import.meta.url),
  'lists/negative.txt': () => new URL('../lists/negative.txt', import.meta.url),
  'lists/sites.txt': () => new URL('../lists/sites.txt', import.meta.url),
  'vocabulary/everyday.tsv': () => new URL('../vocabulary/everyday.tsv', import.meta.url),
};

/** @typedef {keyof typeof FILES} PackageFile */

const WORKER = 'dist/worker.js';
/** The file by which it is seen where the package lies. */
const LANDMARK = 'models/ocelli/config.json';

/** @type {URL | null} */
let base = null;

/**
 * Tells where a copy of the package's folder lies: for bundlers that do not follow `new URL(…, import.meta.url)`. Its
 * worker, its WebAssembly files, the built-in model, the vocabulary and the lists of terms are taken from there by all that
 * is loaded after.
 *
 * @param {string | URL} address of the folder that holds `dist/`, `wasm/`, `models/`, `vocabulary/` and `lists/`
 * @throws {OcelliError} `argument-invalid`
 */
export function setBase(address) {
  if (typeof address !== 'string' && !(address instanceof URL)) {
    throw new OcelliError('argument-invalid', 'The base must be an address.');
  }
  const text = String(address);
  try {
    base = platform.resolve(text.endsWith('/') ? text : `${text}/`);
  } catch (cause) {
    throw new OcelliError('argument-invalid', `The base "${text}" is not an address.`, { cause });
  }
}

/**
 * The address of a file of the package.
 *
 * @param {PackageFile} path
 * @returns {URL}
 * @throws {OcelliError} `unsupported-browser` on the server of a framework
 */
export function packageFile(path) {
  platform.refuseServer();
  const root = toldRoot();
  return root ? new URL(path, root) : absoluteUrl(FILES[path]());
}

/**
 * Starts the package's worker.
 *
 * @param {(address: URL) => Worker} startAt starts it from an address
 * @returns {Worker}
 */
export function startPackageWorker(startAt) {
  const root = toldRoot();
  if (root) return startAt(new URL(WORKER, root));
  return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
}

/**
 * Where the worker's script lies, if that can be told: a bundler moves it to where it likes.
 *
 * @returns {URL | null}
 */
export function workerAddress() {
  const root = toldRoot() ?? plainRoot();
  return root && new URL(WORKER, root);
}

/** The package's folder, where it is not found by the expressions above. @returns {URL | null} */
function toldRoot() {
  return base ?? movedRoot();
}

/**
 * The package's folder, where a development server has moved its scripts alone: that of Vite up to version 7 bundles them
 * into `node_modules/.vite/deps/`, and leaves what lies beside them behind.
 *
 * @returns {URL | null}
 */
function movedRoot() {
  const seen = absoluteUrl(FILES[LANDMARK]());
  const moved = /^(.*\/node_modules)\/\.[^/]+\/((?!node_modules\/)[^/]+\/)*models\/ocelli\/config\.json$/;
  const match = moved.exec(seen.pathname);
  return match && new URL(`${match[1]}/ocelli/`, seen);
}

/** The package's folder, where all lies as it was packed. @returns {URL | null} */
function plainRoot() {
  const seen = absoluteUrl(FILES[LANDMARK]());
  return seen.pathname.endsWith(`/${LANDMARK}`) ? new URL('../../', seen) : null;
}
