/** Tags where no labels are given: out of the words for everyday things. */

import { loadVocabulary } from '../extras/vocabulary.js';

/** @import { ImageInput } from '../page/image-input.js' */
/** @import { Tagger, TagOptions } from '../page/tagger.js' */

/** Among everyday things all but a few have no share worth a word. */
const THRESHOLD = 0.01;

/** @param {Tagger} tagger */
export async function everydayTags(tagger) {
  const vocabulary = await loadVocabulary();
  const labels = await vocabulary.labelsFor(tagger);
  return {
    /** Reads the words once, before the first picture. */
    prepare: () => tagger.prepare(labels),
    /**
     * The best tags of a picture, without what a better one implies.
     *
     * @param {ImageInput} picture
     * @param {TagOptions & { topK: number }} options
     */
    async tag(picture, { topK, threshold = THRESHOLD, ...options }) {
      const all = await tagger.tag(picture, labels, { ...options, threshold });
      return vocabulary.withoutImplied(all).slice(0, topK);
    },
  };
}
