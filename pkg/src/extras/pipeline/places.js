/**
 * Where a model is looked for, by its name and by `env`.
 *
 * @typedef {import('../../page/model.js').ModelSource} ModelSource
 *
 * @typedef {object} Place
 * @property {ModelSource} model as a load takes it
 * @property {string} [hubUrl]
 */

import { wrong } from '../../page/arguments.js';
import { find } from '../../page/catalogue.js';
import { HUB, isHubId } from '../../page/hub.js';
import { codeOf } from '../../shared/errors.js';
import { env, HUB_TEMPLATE } from './env.js';

/** A name that is no address: of a model on the hub, or of a folder below `env.localModelPath`. */
const PLAIN_NAME = /^\w[\w.-]*$/;

/**
 * @param {ModelSource} model
 * @param {{ localOnly: boolean, revision: string | undefined }} options
 * @returns {Place[]} in the order in which they are tried
 * @throws {OcelliError} `argument-invalid`: `env` allows none
 */
export function placesOf(model, { localOnly, revision }) {
  const isName = typeof model === 'string' && (isHubId(model) || PLAIN_NAME.test(model));
  if (!isName || find(model)?.builtIn) return [{ model }];
  const remote = env.allowRemoteModels && !localOnly;
  const local = !remote || env.allowLocalModels;
  if (!local) return [onHub(model, revision)];
  const folder = String(env.localModelPath);
  const here = { model: `${folder.endsWith('/') ? folder : `${folder}/`}${model}/` };
  return remote ? [here, onHub(model, revision)] : [here];
}

/** @param {string} model @param {string} [revision] @returns {Place} */
function onHub(model, revision = 'main') {
  const host = String(env.remoteHost);
  const template = String(env.remotePathTemplate);
  if (template === HUB_TEMPLATE) return { model, ...(host !== `${HUB}/` && { hubUrl: host }) };
  if (!template.includes('{model}')) throw wrong('The setting env.remotePathTemplate must have a {model}.');
  const path = template.replaceAll('{model}', model).replaceAll('{revision}', encodeURIComponent(revision));
  return { model: `${host.endsWith('/') ? host : `${host}/`}${path}` };
}

/**
 * What is made of the first place that has the model.
 *
 * @template M
 * @param {readonly Place[]} places at least one
 * @param {(place: Place) => Promise<M>} load
 * @returns {Promise<M>}
 */
export async function loadFirst([place, ...others], load) {
  try {
    return await load(/** @type {Place} */ (place));
  } catch (error) {
    if (others.length === 0 || codeOf(error) !== 'not-found') throw error;
    return loadFirst(others, load);
  }
}
