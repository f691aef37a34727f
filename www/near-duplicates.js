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
 * @param {boolean} hasWords whether somebody has said something of it, here or in its file
 * @returns {{ lines: string[], said: string }}
 */
export function fileLines(picture, groups, thumbnails, stays, hasWords) {
  const group = groups.get(picture);
  const others = [...groups].flatMap(([one, its]) => (its === group && one !== picture ? [one] : []));
  const isLargest = others.every(({ size }) => size < picture.size);
  const rank = [stays && 'Stays', isLargest && (stays ? 'largest' : 'Largest')].filter(Boolean).join(': ');
  const pixels = thumbnails.pixelsOf(picture);
  const facts = [
    fileSize(picture.size),
    pixels ? `${digits(pixels.width)} × ${digits(pixels.height)}` : '',
    hasWords ? 'has words of people' : '',
    others.some(({ name }) => name === picture.name) ? folderOf(picture.path) : '',
  ].filter(Boolean);
  return {
    lines: [rank, picture.name, ...facts].filter(Boolean),
    said: [rank, ...facts].filter(Boolean).join(', '),
  };
}

/** What programs call a file that is a copy of another one beside it. */
const COPY = /(?<!\p{Letter})(copy|copie|copia|kopie)(?!\p{Letter})|コピー|\(\d+\)\.[^.]+$/iu;

/**
 * A group with that picture in front that is best kept: one that browsers show; of most pixels, as far as all are known; then one of which
 * somebody has said something, as that is lost with it; then one that a camera took, as a copy in another format is longer and has lost that; of more than 256 colours; not called a copy; then the longest file.
 * @param {readonly Picture[]} group
 * @param {{ of(picture: Picture): string | undefined, pixelsOf(picture: Picture): Pixels | null }} thumbnails
 * @param {(picture: Picture) => boolean} isOfCamera whether the file tells when a camera took it
 * @param {(picture: Picture) => boolean} hasWords whether somebody has said something of it, here or in its file
 * @returns {Picture[]}
 */
export function bestFirst(group, thumbnails, isOfCamera, hasWords) {
  const all = group.map((picture) => {
    return { picture, pixels: thumbnails.pixelsOf(picture), isShown: thumbnails.of(picture) !== '' };
  });
  const areKnown = all.every(({ pixels, isShown }) => pixels !== null || !isShown);
  const ranked = all.map(({ picture, pixels, isShown }) => ({
    picture,
    ranks: [
      Number(isShown),
      areKnown && pixels ? pixels.width * pixels.height : 0,
      Number(hasWords(picture)),
      Number(isOfCamera(picture)),
      Number(!/\.gif$/i.test(picture.name)),
      Number(!COPY.test(picture.name)),
      picture.size,
    ],
  }));
  return ranked
    .sort((a, b) => b.ranks.map((rank, i) => rank - (a.ranks[i] ?? 0)).find((apart) => apart !== 0) ?? 0)
    .map(({ picture }) => picture);
}
