/** How much of a download has come, over all its files. */

/**
 * @typedef {import('../../shared/loader.js').OpenFile} OpenFile
 * @typedef {import('../../shared/protocol.js').Progress} Progress
 */

/**
 * @param {Progress['phase']} phase
 * @param {string | null} file
 * @param {number} loaded
 * @param {number | null} total
 * @returns {{ progress: Progress }}
 */
export function progress(phase, file, loaded, total) {
  return { progress: { phase, file, loaded, total } };
}

/** Counts the bytes of all files together. */
export class Meter {
  loaded = 0;
  /** @type {Map<OpenFile, number | null>} */
  #sizes;
  /** Of files that are still to be asked for, as far as they are announced. @type {number | null} */
  #announced = 0;

  /** @param {OpenFile[]} files */
  constructor(files) {
    this.#sizes = new Map(files.map((open) => [open, open.total]));
  }

  /** @param {number} bytes */
  add(bytes) {
    this.loaded += bytes;
  }

  /**
   * What a file really has: servers compress JSON files, and then announce no length, or that of what they send.
   *
   * @param {OpenFile} open
   * @param {number | null} size
   */
  learn(open, size) {
    this.#sizes.set(open, size);
  }

  /** Files are to come. @param {number | null} bytes how many they have together, if that is known */
  announce(bytes) {
    this.#announced = bytes;
  }

  /** One of the announced files is here. @param {OpenFile} open @param {boolean} last whether none follows */
  arrive(open, last) {
    this.#sizes.set(open, open.total);
    if (last) this.#announced = 0;
    else if (this.#announced !== null) this.#announced = Math.max(0, this.#announced - (open.total ?? 0));
  }

  /** @returns {number | null} */
  get #total() {
    if (this.#announced === null) return null;
    let total = this.#announced;
    for (const size of this.#sizes.values()) {
      if (size === null) return null;
      total += size;
    }
    // More than was announced: the length was that of a compressed body, and nothing is known.
    return this.loaded > total ? null : total;
  }

  /** @param {OpenFile} open */
  event({ file }) {
    return progress('download', file.name, this.loaded, this.#total);
  }
}
