/** `ocelli caption`. */

import { Captioner } from '../../page/captioner.js';
import { modelOf, openModel } from '../model.js';
import { countOf } from '../options.js';
import { overPictures } from '../over-pictures.js';

/** @type {import('../results.js').Shape} */
const SHAPE = {
  text: ({ caption }) => caption,
  columns: ['caption'],
  rows: ({ caption }) => [[caption]],
};

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function caption(values, names) {
  const { prompt } = values;
  const { model, load } = modelOf(values, 'caption');
  const writing = {
    numBeams: countOf(values, 'beams', 1),
    ...(values['max-tokens'] !== undefined && { maxTokens: countOf(values, 'max-tokens', 30) }),
    ...(prompt !== undefined && { prompt: String(prompt) }),
  };
  return overPictures(values, names, {
    shape: SHAPE,
    settings: ['caption', model, load, writing],
    open: (onProgress) => openModel(model, () => Captioner.load(model, { ...load, onProgress })),
    ask: async (captioner, bytes, signal) => ({
      caption: await captioner.caption(bytes, { ...writing, signal }),
    }),
    sidecar: values.xmp ? ({ caption }) => ({ description: caption }) : null,
  });
}
