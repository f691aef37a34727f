/** Several pictures, one after the other: no more than one has to be in memory. */

import { ImageError } from '../shared/errors.js';

/** @typedef {import('../shared/protocol.js').Progress} Progress */
/** @typedef {import('./image-input.js').ImageInput} ImageInput */

/**
 * @template A
 * @param {readonly ImageInput[]} images
 * @param {((progress: Progress) => void) | undefined} onProgress told how far all of them are
 * @param {(image: ImageInput, onProgress: (progress: Progress) => void) => Promise<A>} ask about one
 * @returns {Promise<A[]>} in the order of the pictures
 * @throws {ImageError} of the first picture that cannot be read, which it names by its place
 */
export async function inTurn(images, onProgress, ask) {
  const count = images.length;
  const answers = [];
  for (const [index, image] of images.entries()) {
    try {
      answers.push(await ask(image, (progress) => onProgress?.(ofAll(progress, index, count))));
    } catch (error) {
      if (!(error instanceof ImageError) || count === 1) throw error;
      const message = `Picture ${index + 1} of ${count}: ${error.message}`;
      throw new ImageError(error.code, message, { cause: error, index });
    }
  }
  return answers;
}

/**
 * How far all of several pictures are, where one of them is so far.
 *
 * @param {Progress} progress
 * @param {number} index
 * @param {number} count
 * @returns {Progress}
 */
function ofAll(progress, index, count) {
  const { phase, loaded, total } = progress;
  if (phase !== 'image' || total === null) return progress;
  return { ...progress, loaded: index * total + loaded, total: count * total };
}
