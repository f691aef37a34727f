/**
 * Files into a folder that somebody has chosen, with the folders below it that they need, under their own names wherever the folder can
 * hold these. Nothing that is there is lost: a file
 * of the same name is replaced where it may be, joined with what is new where that is known how, and otherwise left alone.
 *
 * @typedef {object} Entry
 * @property {string} name with its folders
 * @property {Blob} blob
 * @property {boolean} [replace] whether a file of that name may give way
 * @property {string} [of] where the picture lies, if the file is a sidecar of one
 * @property {(there: File) => Promise<Blob>} [onto] makes one of the file that is there and this one; throws where it must stay
 *
 * @typedef {object} Written
 * @property {number} written files
 * @property {string[]} kept files that were there already, hold something else, and are as they were
 * @property {string[]} refused files that could not be written
 */

import { partsOf, safePartsOf } from './paths.js';
import { placingIn } from './places.js';
import { Trouble } from './trouble.js';

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {AsyncIterable<Entry>} entries
 * @param {object} [options]
 * @param {import('./places.js').Placing} [options.placing] where they go, if not by the folder's name alone
 * @param {(entry: Entry, written: Blob) => void} [options.onWritten] told what each file holds now, where that was written
 * @param {(done: number) => void} [options.onProgress]
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<Written>}
 * @throws {Trouble} `folder-refused`, where no file can be written there any more
 */
export async function writeInto(folder, entries, { placing, onWritten, onProgress, signal } = {}) {
  const below = new Folders(folder, placing ?? (await placingIn(folder, [])));
  /** @type {Written} */
  const result = { written: 0, kept: [], refused: [] };
  // What one run has written is no file that was there already.
  const taken = new Set();
  let done = 0;
  for await (const entry of entries) {
    signal?.throwIfAborted();
    try {
      const place = await below.placeFor(entry.name);
      const key = place.path.toLowerCase();
      const written = taken.has(key) ? undefined : await writeOne(place, entry);
      if (written === undefined) result.refused.push(entry.name);
      else if (written === null) result.kept.push(entry.name);
      else {
        result.written += 1;
        onWritten?.(entry, written);
      }
      taken.add(key);
    } catch (error) {
      if (endsAll(error)) {
        throw new Trouble('folder-refused', sentenceFor(error), { cause: error });
      }
      (error instanceof Trouble ? result.kept : result.refused).push(entry.name);
    }
    onProgress?.((done += 1));
  }
  return result;
}

/** @typedef {{ folder: FileSystemDirectoryHandle, path: string }} Open a folder, and where it is below the one that was chosen */

class Folders {
  /** Those that are open, by their own names. @type {Map<string, Promise<Open>>} */
  #open = new Map();
  #root;
  #placing;

  /** @param {FileSystemDirectoryHandle} root @param {import('./places.js').Placing} placing */
  constructor(root, placing) {
    this.#root = root;
    this.#placing = placing;
  }

  /** Where a file goes. @param {string} path @returns {Promise<Open & { name: string }>} */
  async placeFor(path) {
    const whole = partsOf(path);
    const parts = this.#placing(whole) ?? whole;
    const { folder, path: above } = await this.#folderOf(parts.slice(0, -1));
    const own = parts.at(-1) ?? '';
    const isHeld = await folder.getFileHandle(own).then(
      () => true,
      (error) => !isNameRefused(error),
    );
    const name = isHeld ? own : safeName(own);
    return { folder, name, path: `${above}${name}` };
  }

  /** @param {string[]} parts of its path @returns {Promise<Open>} */
  #folderOf(parts) {
    const own = parts.at(-1);
    if (own === undefined) return Promise.resolve({ folder: this.#root, path: '' });
    const key = parts.join('/');
    const known = this.#open.get(key);
    if (known) return known;
    const opening = this.#folderOf(parts.slice(0, -1)).then(async ({ folder, path }) => {
      const create = (/** @type {string} */ name) =>
        folder
          .getDirectoryHandle(name, { create: true })
          .then((below) => ({ folder: below, path: `${path}${name}/` }));
      return create(own).catch((error) => {
        if (isNameRefused(error)) return create(safeName(own));
        throw error;
      });
    });
    this.#open.set(key, opening);
    return opening;
  }
}

/** @param {unknown} error @returns {boolean} whether a browser or a system lets nothing be called so */
function isNameRefused(error) {
  return error instanceof TypeError;
}

/** @param {string} name @returns {string} the same as every system lets files be called */
function safeName(name) {
  return safePartsOf(name)[0] ?? '';
}

/**
 * @param {{ folder: FileSystemDirectoryHandle, name: string }} place
 * @param {Entry} entry
 * @returns {Promise<Blob | null>} what is there now; null where another file stays
 */
async function writeOne({ folder, name }, { blob, replace, onto }) {
  const there = await folder.getFileHandle(name).then(
    (handle) => handle.getFile(),
    () => null,
  );
  let fresh = blob;
  // An empty file is what an interrupted write leaves behind.
  if (there && there.size > 0) {
    if (await isSame(there, blob)) return blob;
    if (onto) fresh = await onto(there);
    else if (!replace) return null;
  }
  const handle = await folder.getFileHandle(name, { create: true });
  const writable = await handle.createWritable();
  try {
    await writable.write(fresh);
    await writable.close();
  } catch (error) {
    await writable.abort().catch(() => {});
    throw error;
  }
  return fresh;
}

/** @param {Blob} a @param {Blob} b */
async function isSame(a, b) {
  if (a.size !== b.size) return false;
  const [one, other] = await Promise.all(
    [a, b].map(async (file) => new Uint8Array(await file.arrayBuffer())),
  );
  return one?.every((byte, i) => byte === other?.[i]) ?? false;
}

/** @param {unknown} error @returns {boolean} whether the next file would fare no better */
function endsAll(error) {
  return (
    error instanceof DOMException &&
    ['NotAllowedError', 'SecurityError', 'QuotaExceededError'].includes(error.name)
  );
}

/** @param {unknown} error */
function sentenceFor(error) {
  return error instanceof DOMException && error.name === 'QuotaExceededError'
    ? 'There is no more room in that folder.'
    : 'The browser may not write into that folder.';
}
