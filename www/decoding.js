/**
 * Pictures that the browser does not show, as most no TIFF: decoded as they are for the model that tags them.
 *
 * @typedef {import('ocelli').DecodedImage} DecodedImage
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('./model-queue.js').ModelQueue<Tagger, any>} TagQueue
 *
 * @typedef {(file: Blob, longestEdge: number) => Promise<DecodedImage | null>} Decode null where nobody can read it
 */

import { concernsPicture } from './queues.js';

/** @param {TagQueue} queue @returns {Decode} which waits until a tagger is there, and for the next where that goes meanwhile */
export function decodeWith(queue) {
  return async (file, longestEdge) => {
    for (;;) {
      const tagger = await loaded(queue);
      try {
        return await tagger.decodeImage(file, { longestEdge });
      } catch (error) {
        if (concernsPicture(error) || queue.engine === tagger) return null;
      }
    }
  };
}

/** @param {TagQueue} queue @returns {Promise<Tagger>} */
function loaded(queue) {
  return new Promise((resolve) => {
    const look = () => {
      if (!queue.engine) return;
      queue.removeEventListener('change', look);
      resolve(queue.engine);
    };
    queue.addEventListener('change', look);
    look();
  });
}
