/** `ocelli caption`. */

import { Captioner } from '../../page/captioner.js';
import { findPictures } from '../inputs.js';
import { countOf, loadOptions, settingsOf } from '../options.js';
import { Results } from '../results.js';
import { work } from '../work.js';

/** @type {import('../results.js').Shape} */
const SHAPE = {
  text: ({ caption }) => caption,
  columns: ['caption'],
  rows: ({ caption }) => [[caption]],
};

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function caption(values, names) {
  const { model = 'ocelli', prompt } = values;
  const [numBeams, maxTokens, jobs] = [
    countOf(values, 'beams', 1),
    countOf(values, 'max-tokens', 30),
    countOf(values, 'jobs', 1),
  ];
  const writing = { numBeams, maxTokens, ...(prompt !== undefined && { prompt: String(prompt) }) };
  const pictures = await findPictures(names, process.stdin);
  const load = loadOptions(values);
  const settings = await settingsOf(['caption', model, load, writing]);
  const results = await Results.open(values, SHAPE, settings);
  try {
    return await work({
      pictures,
      jobs,
      quiet: values.quiet === true,
      results,
      open: (onProgress) => Captioner.load(String(model), { ...load, onProgress }),
      ask: async (captioner, bytes, signal) => ({
        caption: await captioner.caption(bytes, { ...writing, signal }),
      }),
      sidecar: values.xmp ? ({ caption }) => ({ description: caption }) : null,
    });
  } finally {
    await results.close();
  }
}
