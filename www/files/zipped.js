/** The pictures of a zip archive, as files of their own that lie where they lay in it. */

import { placeAt } from '../gather.js';
import { isOfSystem, isPicturePath, partsOf } from './paths.js';
import { unzipped } from './unzip.js';

/** Bytes of a picture, and of all of an archive: about what its form can count. */
const MOST_OF_ONE = 500_000_000;
const MOST = 4_200_000_000;
/** Bytes that any archive may hold, and how many times its own length beyond: pictures are packed already. */
const ANY = 200_000_000;
const TIMES = 10;

/**
 * @param {Blob} archive
 * @returns {AsyncGenerator<File>}
 * @throws {import('./trouble.js').Trouble} `answers-damaged`, `answers-too-large`
 */
export async function* picturesIn(archive) {
  const isWanted = (/** @type {string} */ path) => isPicturePath(path) && !isOfSystem(path);
  const most = Math.min(MOST, ANY + TIMES * archive.size);
  for await (const { name, bytes } of unzipped(archive, isWanted, { most, mostOfOne: MOST_OF_ONE })) {
    const parts = partsOf(name);
    // Browsers tell the others from what is in them.
    const type = /\.svg$/i.test(name) ? 'image/svg+xml' : '';
    // When it was taken, nobody knows.
    const file = new File([bytes], parts.at(-1) ?? '', { type, lastModified: 0 });
    placeAt(file, parts.join('/'));
    yield file;
  }
}
