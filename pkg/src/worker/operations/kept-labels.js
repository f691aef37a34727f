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

/** Lists that are kept: some ask of each picture which of their labels fits, and whether any of a thousand others does. */
const MOST = 2;

export class KeptLabels {
  #handle;
  /** The latest last. @type {OpenLabels[]} */
  #kept = [];

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
    const kept = this.#kept.find((one) => one.key === key);
    if (!kept) return { key, set: this.#handle.labels(JSON.parse(labels), templates) };
    this.#kept = this.#kept.filter((one) => one !== kept);
    return kept;
  }

  /** Takes back labels that are encoded. @param {OpenLabels} open */
  keep(open) {
    this.#kept.push(open);
    if (this.#kept.length <= MOST) return;
    const [oldest] = this.#kept.splice(0, 1);
    if (oldest) release(oldest.set);
  }
}
