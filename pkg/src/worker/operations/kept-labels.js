/**
 * The labels that were asked about last, as the wasm holds them: whoever tags many pictures asks the same of each, and the wasm takes
 * longer to take over a thousand labels than to compare a picture with them.
 *
 * @typedef {import('../handles.js').LabelSetHandle} LabelSetHandle
 *
 * @typedef {object} OpenLabels
 * @property {string} key what they are known again by
 * @property {LabelSetHandle} set
 */

import { release } from './release.js';

export class KeptLabels {
  #handle;
  /** @type {OpenLabels | null} */
  #kept = null;

  /** @param {Pick<import('../handles.js').TaggerHandle, 'labels'>} handle */
  constructor(handle) {
    this.#handle = handle;
  }

  /**
   * @param {string} labels as JSON
   * @param {string[]} templates
   * @returns {OpenLabels} which nobody else has until it is kept or released
   */
  open(labels, templates) {
    const key = JSON.stringify(templates) + labels;
    const kept = this.#kept;
    if (kept?.key !== key) return { key, set: this.#handle.labels(JSON.parse(labels), templates) };
    this.#kept = null;
    return kept;
  }

  /** Takes back labels that are encoded. @param {OpenLabels} open */
  keep(open) {
    if (this.#kept) release(this.#kept.set);
    this.#kept = open;
  }
}
