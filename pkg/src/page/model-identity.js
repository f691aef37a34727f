/**
 * Which model made a vector: vectors of two models cannot be compared.
 *
 * @typedef {import('../shared/protocol.js').IndexModel} ModelIdentity
 */

import { find } from './catalogue.js';
import { isHubId } from './hub.js';

/** What changes with the weights of the built-in model: the beginning of the SHA-256 of its `model.safetensors`. */
export const BUILT_IN_REVISION = '34a1b31b26cd';

/**
 * A model of the hub is known by its name and revision, the built-in one by its name and weights. Of an address the name of the
 * folder is taken: the same model lies elsewhere on another machine.
 *
 * @param {import('./saved-teacher.js').ModelIdentity} loaded as it was loaded
 * @returns {ModelIdentity}
 */
export function identityOf({ model, revision, dtype }) {
  const known = find(model);
  if (known?.builtIn) return { id: known.id, revision: BUILT_IN_REVISION, dtype };
  if (isHubId(model)) return { id: model, revision: revision ?? '', dtype };
  const [path = ''] = model.split(/[?#]/);
  const parts = path.replace(/[\\/][^\\/]+\.json$/i, '').split(/[\\/]/);
  return { id: (parts.filter(Boolean).at(-1) ?? model).slice(0, 200), revision: revision ?? '', dtype };
}

/** Whether vectors of two models can be compared, as far as is known. @param {ModelIdentity} a @param {ModelIdentity} b */
export function isSameModel(a, b) {
  return a.id === '' || b.id === '' || (a.id === b.id && a.revision === b.revision);
}

/** A model in a sentence. @param {ModelIdentity} identity */
export function nameOf({ id, revision }) {
  return revision === '' ? id : `${id} (${revision})`;
}
