/**
 * The text tower that a configuration of `open_clip` names and does not describe: `hf_model_name` is a model of the hub with a
 * `config.json` of its own, `hf_tokenizer_name` one with a tokenizer. `open_clip` asks the hub for them, and so does this, where
 * the model itself comes from a hub, or a folder in the hub's layout.
 *
 * @typedef {import('../../shared/types.js').ModelFile} ModelFile
 *
 * @typedef {object} Named null where there is nothing to ask for, or nowhere
 * @property {ModelFile | null} config
 * @property {ModelFile | null} tokenizer
 */

import { errorFor } from '../../shared/errors.js';
import { parsed } from './small-files.js';

/** What `src/models/dual/open_clip.rs` knows by its name. */
const KNOWN = /^([\w-]+\/)?(xlm-)?roberta-(base|large)$/;
const HUB_ID = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;
/** The folder of a model's revision, behind the hub's address. */
const HUB_FOLDER = /\/[^/]+\/[^/]+\/resolve\/[^/]+\/$/;

/**
 * @param {Uint8Array} config a model's configuration
 * @param {ModelFile} file where it lies
 * @returns {Named}
 */
export function namedTextModel(config, file) {
  const text = textOf(parsed(config));
  const model = text?.hf_model_name;
  return {
    config:
      text?.hf_config === undefined && !KNOWN.test(String(model)) ? fileOf(model, 'config.json', file) : null,
    tokenizer: fileOf(text?.hf_tokenizer_name ?? model, 'tokenizer.json', file),
  };
}

/**
 * The configuration with that of its text tower.
 *
 * @param {Uint8Array} config
 * @param {Uint8Array} textConfig
 * @param {ModelFile} file where the latter lies
 * @returns {Uint8Array}
 */
export function withTextConfig(config, textConfig, file) {
  const [whole, own] = [parsed(config), parsed(textConfig)];
  if (typeof own !== 'object' || own === null || Array.isArray(own)) {
    throw errorFor('config-invalid', `The text model's configuration is no object in JSON (${file.url}).`);
  }
  textOf(whole).hf_config = own;
  return new TextEncoder().encode(JSON.stringify(whole));
}

/**
 * @param {unknown} id
 * @param {string} name
 * @param {ModelFile} beside
 * @returns {ModelFile | null}
 */
function fileOf(id, name, { url, access }) {
  if (typeof id !== 'string' || !HUB_ID.test(id)) return null;
  // Nothing lies beside what a bundler has put into its address.
  if (/^(data|blob):/.test(url)) return null;
  const folder = new URL('.', url);
  if (!HUB_FOLDER.test(folder.pathname)) return null;
  const hub = folder.pathname.replace(HUB_FOLDER, '/');
  const address = new URL(`${hub}${id}/resolve/main/${name}`, folder);
  // Digests are told by name, and this is no file of that model.
  const full = `${id}/${name}`;
  return { name: full, url: address.href, ...(access && { access }) };
}

/** @param {any} config */
function textOf(config) {
  const text = config?.model_cfg?.text_cfg;
  return typeof text === 'object' && text !== null && typeof text.hf_model_name === 'string'
    ? text
    : undefined;
}
