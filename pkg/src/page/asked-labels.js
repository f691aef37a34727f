/**
 * Labels as a tagger was asked about them last: most are asked about picture after picture, and a thousand of them are not copied and
 * written down for each.
 *
 * @typedef {import('../shared/types.js').Label} Label
 *
 * @typedef {object} ReadLabels
 * @property {readonly Label[]} labels a copy
 * @property {string} text the same as JSON, as the worker takes them
 */

import { checkLabels } from './arguments.js';

/** Lists that are kept: as many as in the worker. */
const MOST = 2;

export class AskedLabels {
  /** The latest last. @type {ReadLabels[]} */
  #known = [];

  /**
   * @param {unknown} given
   * @returns {ReadLabels} the same as before where they are the same labels
   * @throws {import('../shared/errors.js').OcelliError} `argument-invalid`
   */
  read(given) {
    const known = this.#known.find(({ labels }) => isAs(given, labels));
    const read = known ?? readAnew(given);
    this.#known = [...this.#known.filter((one) => one !== read), read].slice(-MOST);
    return read;
  }
}

/** @param {unknown} given @returns {ReadLabels} */
function readAnew(given) {
  const labels = checkLabels(given);
  return { labels, text: JSON.stringify(labels) };
}

/** @param {unknown} given @param {readonly Label[]} labels */
function isAs(given, labels) {
  if (!Array.isArray(given) || given.length !== labels.length) return false;
  return labels.every((label, place) => {
    const other = given[place];
    return typeof label === 'string'
      ? other === label
      : other?.label === label.label && other.hint === label.hint;
  });
}
