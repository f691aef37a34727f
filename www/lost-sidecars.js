/**
 * Sidecars that lay beside pictures in a folder, and are there no more when that is looked through again.
 *
 * @typedef {import('./pictures.js').Picture} Picture
 */

import { folderOf } from './files/paths.js';
import { pathOf } from './gather.js';

/**
 * @param {import('./session.js').Session} session
 * @param {Pick<import('./gather.js').Gathered, 'pictures' | 'answers'>} found
 * @returns {Picture[]} pictures that still lie beside where theirs lay; of those that were moved alone it may be elsewhere
 */
export function withLostSidecar({ pictures, fileWords }, found) {
  const [seen, beside] = [found.pictures, found.answers].map((files) => new Set(files.map(pathOf)));
  return pictures.filter((picture) => {
    const lay = fileWords.placeOfSidecar(picture);
    if (lay === undefined || folderOf(lay) !== folderOf(picture.path)) return false;
    return seen?.has(picture.path) && !beside?.has(lay);
  });
}
