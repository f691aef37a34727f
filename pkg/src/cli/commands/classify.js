/** `ocelli classify`. */

import { Classifier } from '../../page/classifier.js';
import { modelOf, openModel } from '../model.js';
import { countOf, shareOf } from '../options.js';
import { overPictures } from '../over-pictures.js';
import { listOfScores, roundedScore } from '../results.js';

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function classify(values, names) {
  const { model, load } = modelOf(values, 'classify', 'google/vit-base-patch16-224');
  const topK = countOf(values, 'top', 5);
  const threshold = shareOf(values, 'threshold') ?? 0;
  return overPictures(values, names, {
    shape: listOfScores('classes'),
    settings: ['classify', model, load, topK, threshold],
    open: (onProgress) => openModel(model, () => Classifier.load(model, { ...load, onProgress })),
    async ask(classifier, bytes, signal) {
      const classes = await classifier.classify(bytes, { topK, threshold, signal });
      return { classes: classes.map(roundedScore) };
    },
    sidecar: null,
  });
}
