/** `ocelli interrogate`. */

import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { Captioner } from '../../page/captioner.js';
import { Interrogator } from '../../page/interrogator.js';
import { Tagger } from '../../page/tagger.js';
import { usage } from '../failure.js';
import { linesOf } from '../inputs.js';
import { modelOf, openModel } from '../model.js';
import { countOf } from '../options.js';
import { overPictures } from '../over-pictures.js';
import { readText } from '../text-files.js';

/** Files of lists, as the published program has them in a folder, and one of ours. */
const FILES = /** @type {const} */ (['mediums', 'artists', 'movements', 'sites', 'flavors', 'negative']);

const MODES = /** @type {const} */ (['best', 'fast', 'classic', 'negative']);

/** @type {import('../results.js').Shape} */
const SHAPE = {
  text: ({ prompt }) => prompt,
  columns: ['prompt', 'similarity', 'caption'],
  rows: ({ prompt, similarity, caption }) => [[prompt, similarity, caption]],
};

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function interrogate(values, names) {
  const mode = modeOf(values.mode);
  const tagger = modelOf(values, 'tag');
  // Which revision is meant goes with the model that compares.
  const captioner = modelOf({ ...values, model: values.captioner, revision: undefined }, 'caption');
  const lists = await listsOf(String(values.lists ?? 'general'));
  const how = {
    mode,
    shortlist: countOf(values, 'shortlist', 256),
    ...(values['max-flavors'] !== undefined && { maxFlavors: countOf(values, 'max-flavors', 32) }),
  };
  return overPictures(values, names, {
    shape: SHAPE,
    settings: ['interrogate', tagger, captioner, lists, how],
    async open(onProgress) {
      const own = /** @type {{ dispose: () => void }[]} */ ([]);
      try {
        const compares = await openModel(tagger.model, () =>
          Tagger.load(tagger.model, { ...tagger.load, onProgress }),
        );
        own.push(compares);
        const writes =
          mode === 'negative'
            ? null
            : await openModel(captioner.model, () =>
                Captioner.load(captioner.model, { ...captioner.load, onProgress }),
              );
        if (writes) own.push(writes);
        const interrogator = await Interrogator.load({ captioner: writes, tagger: compares, lists });
        own.push(interrogator);
        await interrogator.prepare({ onProgress });
        return { interrogator, dispose: () => own.forEach((model) => model.dispose()) };
      } catch (error) {
        for (const model of own) model.dispose();
        throw error;
      }
    },
    async ask({ interrogator }, bytes, signal) {
      const { similarity, ...found } = await interrogator.interrogate(bytes, { ...how, signal });
      return { ...found, similarity: Number(similarity.toPrecision(6)) };
    },
    sidecar: null,
  });
}

/** @param {unknown} given */
function modeOf(given) {
  const mode = MODES.find((one) => one === (given ?? 'best'));
  if (mode === undefined) throw usage(`--mode must be ${MODES.slice(0, -1).join(', ')} or negative.`);
  return mode;
}

/**
 * The lists of a name, or of a folder that has some of them as files.
 *
 * @param {string} given
 * @returns {Promise<import('../../page/term-lists.js').TermLists>}
 */
async function listsOf(given) {
  if (given === 'general' || given === 'drawings') return given;
  if (!statSync(given, { throwIfNoEntry: false })?.isDirectory()) {
    throw usage(`--lists must be general, drawings or a folder with lists, and there is no folder ${given}.`);
  }
  const files = FILES.map((kind) => ({ kind, file: path.join(given, `${kind}.txt`) }));
  const there = files.filter(({ file }) => existsSync(file));
  if (there.length === 0) {
    throw usage(`${given} has no lists: ${FILES.map((kind) => `${kind}.txt`).join(', ')}.`);
  }
  const lists = there.map(async ({ kind, file }) => [kind, linesOf((await readText(file)) ?? '')]);
  return Object.fromEntries(await Promise.all(lists));
}
