/** `ocelli classify`. */

import { Classifier } from '../../page/classifier.js';
import { findPictures } from '../inputs.js';
import { countOf, loadOptions, settingsOf } from '../options.js';
import { Results } from '../results.js';
import { work } from '../work.js';

/** @type {import('../results.js').Shape} */
const SHAPE = {
  text: ({ classes }) =>
    classes.map((/** @type {any} */ { label, score }) => `${label} ${Math.round(100 * score)} %`).join(', '),
  columns: ['label', 'score'],
  rows: ({ classes }) => classes.map((/** @type {any} */ { label, score }) => [label, score]),
};

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function classify(values, names) {
  const { model = 'google/vit-base-patch16-224' } = values;
  const [top, jobs] = [countOf(values, 'top', 5), countOf(values, 'jobs', 1)];
  const pictures = await findPictures(names, process.stdin);
  const load = loadOptions(values);
  const settings = await settingsOf(['classify', model, load, top]);
  const results = await Results.open(values, SHAPE, settings);
  try {
    return await work({
      pictures,
      jobs,
      quiet: values.quiet === true,
      results,
      open: (onProgress) => Classifier.load(String(model), { ...load, onProgress }),
      async ask(classifier, bytes, signal) {
        const classes = await classifier.classify(bytes, { topK: top, signal });
        return {
          classes: classes.map(({ label, score }) => ({ label, score: Number(score.toPrecision(6)) })),
        };
      },
      sidecar: null,
    });
  } finally {
    await results.close();
  }
}
