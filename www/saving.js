/**
 * Saves when somebody asks for it, once the pictures that are meant have their answers: whoever has just come back, or dropped them, wants
 * all of them in the files.
 *
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./pictures.js').Picture} Picture
 */

import { answered } from './answered.js';
import { on } from './elements/dom.js';
import { rowsOf, save } from './save.js';
import { count, explain } from './words.js';

/**
 * @param {object} page
 * @param {any} page.saving the `<save-answers>`
 * @param {Session} page.session
 * @param {import('./library/folders.js').Folders} page.folders
 * @param {Promise<unknown>} page.begun when models are being loaded
 * @param {() => readonly Picture[]} page.selected
 * @param {() => Pick<Parameters<typeof rowsOf>[2], 'naming' | 'vocabulary'>} page.how tags are called
 */
export function saveFrom({ saving, session, folders, begun, selected, how }) {
  /** @param {{ format: import('./export.js').Format, which: 'selected' | 'shown' | null, where: string, options: import('./export.js').Options, signal: AbortSignal }} order */
  const carryOut = async ({ format, which, where, options, signal }) => {
    const pictures = which === null ? session.pictures : which === 'selected' ? selected() : session.shown;
    // Browsers ask for a folder upon a click alone.
    const folder = where === 'folder' ? await chosenFolder() : null;
    if (where === 'folder' && !folder) return '';
    const told = (/** @type {string} */ line) => saving.progress(line);
    const waiting = (/** @type {number} */ open) =>
      told(
        `Saved once ${count(open, 'more picture has its', 'more pictures have their')} answers, or the work is stopped.`,
      );
    try {
      await begun;
      await answered(session, pictures, { signal, told: waiting });
      await session.readFiles();
      await session.fileWords.settled;
    } catch (error) {
      if (signal.aborted) return 'Stopped.';
      throw error;
    }
    // Some may have been removed meanwhile.
    const there = new Set(session.pictures);
    const left = pictures.filter((picture) => there.has(picture));
    const rows = rowsOf(session, left, { ...how(), all: format === 'pictures' });
    const byPath = new Map(left.map((picture) => [picture.path, picture]));
    /** @param {string} path @param {import('./file-words.js').Sidecar} sidecar */
    const onSidecar = (path, sidecar) => {
      const picture = byPath.get(path);
      if (picture) session.fileWords.putSidecar(picture, sidecar);
    };
    const order = { format, folder, options, signal, others: left.length - rows.length, onSidecar };
    try {
      return await save(rows, order, told, folders);
    } finally {
      if (folder) session.fileWords.heard();
    }
  };
  on(saving, 'save', async (order) => {
    saving.say(await carryOut(order).catch((error) => explain(error).sentence));
  });
}

/** @returns {Promise<FileSystemDirectoryHandle | null>} null where somebody has changed their mind */
async function chosenFolder() {
  try {
    const { showDirectoryPicker } = /** @type {any} */ (globalThis);
    return await showDirectoryPicker({ id: 'ocelli', mode: 'readwrite' });
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return null;
    throw error;
  }
}
