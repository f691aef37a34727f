/**
 * From ocelli's progress to the messages of transformers.js.
 *
 * @typedef {import('../../shared/protocol.js').Progress} Progress
 *
 * @typedef {object} FileBytes
 * @property {number} loaded
 * @property {number} total
 *
 * @typedef {{ status: 'initiate' | 'download' | 'done', name: string, file: string }} FileStatus A file is about to be
 *   fetched, begins to come, is there.
 * @typedef {{ status: 'progress', name: string, file: string, progress: number } & FileBytes} FileProgress `progress` in percent,
 *   `loaded` and `total` in bytes
 * @typedef {{ status: 'progress_total', name: string, progress: number, files: Record<string, FileBytes> } & FileBytes} TotalProgress
 *   of all files together
 * @typedef {{ status: 'ready', task: string, model: string }} ReadyStatus The pipeline can be called.
 * @typedef {FileStatus | FileProgress | TotalProgress | ReadyStatus} ProgressInfo What `progress_callback` is told.
 */

/** What is read in place of files where a model was kept on an earlier visit. */
const KEPT = 'model';

/** Tells of the files of one load, which come one after the other. */
export class LoadProgress {
  #name;
  #tell;
  /** @type {{ name: string, begin: number } | null} the file in flight, and how much of all was there when it began */
  #file = null;
  /** @type {Record<string, FileBytes>} */
  #files = {};

  /** @param {string} name of the model @param {(info: ProgressInfo) => void} tell */
  constructor(name, tell) {
    this.#name = name;
    this.#tell = tell;
  }

  /** @param {Progress} progress */
  report = ({ phase, file, loaded, total }) => {
    if (phase === 'download' || phase === 'cache') this.#come(file ?? KEPT, loaded, total);
    else this.#finish(loaded);
  };

  /**
   * @param {string} file in flight
   * @param {number} loaded bytes of all files
   * @param {number | null} total
   */
  #come(file, loaded, total) {
    if (this.#file?.name !== file) {
      this.#finish(loaded);
      this.#file = { name: file, begin: loaded };
      for (const status of /** @type {const} */ (['initiate', 'download'])) {
        this.#tell({ status, name: this.#name, file });
      }
    }
    const { begin } = this.#file;
    // Of the last file, which is nearly all of a model, that is its size.
    if (loaded > begin) {
      this.#progress(file, loaded - begin, (total ?? loaded) - begin, loaded, total ?? loaded);
    }
  }

  /** The file in flight is there. @param {number} loaded bytes of all files */
  #finish(loaded) {
    if (!this.#file) return;
    const { name: file, begin } = this.#file;
    this.#file = null;
    const size = loaded - begin;
    const known = this.#files[file];
    if (known?.loaded !== size || known.total !== size) this.#progress(file, size, size, loaded, null);
    this.#tell({ status: 'done', name: this.#name, file });
  }

  /**
   * @param {string} file
   * @param {number} loaded bytes of it
   * @param {number} total
   * @param {number} allLoaded bytes of all files
   * @param {number | null} allTotal null where it is what was told last
   */
  #progress(file, loaded, total, allLoaded, allTotal) {
    const name = this.#name;
    this.#files[file] = { loaded, total };
    if (allTotal !== null) this.#total = allTotal;
    const whole = Math.max(this.#total, allLoaded);
    const files = structuredClone(this.#files);
    this.#tell({ status: 'progress_total', name, ...share(allLoaded, whole), files });
    this.#tell({ status: 'progress', name, file, ...share(loaded, total) });
  }

  #total = 0;
}

/** @param {number} loaded @param {number} total */
function share(loaded, total) {
  return { progress: total > 0 ? (100 * loaded) / total : 0, loaded, total };
}
