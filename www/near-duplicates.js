/**
 * What tells pictures apart that are nearly the same: their files.
 *
 * @typedef {import('./session.js').Picture} Picture
 * @typedef {{ width: number, height: number }} Pixels
 */

import { folderOf } from './files/paths.js';
import { digits, fileSize } from './words.js';

/**
 * A picture's file in a few words a line, and all of it in one.
 * @param {Picture} picture
 * @param {ReadonlyMap<Picture, unknown>} groups the group of each picture
 * @param {{ pixelsOf(picture: Picture): Pixels | null }} thumbnails
 * @param {boolean} stays whether it is about to stay while others of its group go
 * @returns {{ lines: string[], said: string }}
 */
export function fileLines(picture, groups, thumbnails, stays) {
  const group = groups.get(picture);
  const others = [...groups].flatMap(([one, its]) => (its === group && one !== picture ? [one] : []));
  const isLargest = others.every(({ size }) => size < picture.size);
  const rank = [stays && 'Stays', isLargest && (stays ? 'largest' : 'Largest')].filter(Boolean).join(': ');
  const pixels = thumbnails.pixelsOf(picture);
  const facts = [
    fileSize(picture.size),
    pixels ? `${digits(pixels.width)} × ${digits(pixels.height)}` : '',
    others.some(({ name }) => name === picture.name) ? folderOf(picture.path) : '',
  ].filter(Boolean);
  return {
    lines: [rank, picture.name, ...facts].filter(Boolean),
    said: [rank, ...facts].filter(Boolean).join(', '),
  };
}
