/** `ocelli tag`. */

import { readFile } from 'node:fs/promises';
import { Tagger } from '../../page/tagger.js';
import { everydayTags } from '../everyday.js';
import { usage } from '../failure.js';
import { linesOf } from '../inputs.js';
import { countOf, loadOptions, modelOf, shareOf } from '../options.js';
import { overPictures } from '../over-pictures.js';
import { listOfScores, roundedScore } from '../results.js';

/** @typedef {import('../../page/tagger.js').Label} Label */

/** @param {import('../options.js').Values} values @param {string[]} names */
export async function tag(values, names) {
  const { template } = values;
  const model = modelOf(values, 'ocelli');
  const labels = values.labels === undefined ? null : await readLabels(String(values.labels));
  const top = countOf(values, 'top', 5);
  const threshold = shareOf(values, 'threshold');
  const load = loadOptions(values);
  return overPictures(values, names, {
    shape: listOfScores('tags'),
    settings: ['tag', model, load, labels, template, top, threshold],
    async open(onProgress) {
      const tagger = await Tagger.load(model, { ...load, onProgress });
      const everyday = labels ? null : await everydayTags(tagger);
      return { tagger, everyday, dispose: () => tagger.dispose() };
    },
    async ask({ tagger, everyday }, bytes, signal) {
      const options = {
        topK: top,
        signal,
        ...(threshold !== undefined && { threshold }),
        ...(template !== undefined && { template: String(template) }),
      };
      const tags = await (everyday ? everyday.tag(bytes, options) : tagger.tag(bytes, labels ?? [], options));
      return { tags: tags.map(roundedScore) };
    },
    sidecar: values.xmp
      ? ({ tags }) => ({ subjects: tags.map((/** @type {{ label: string }} */ { label }) => label) })
      : null,
  });
}

/**
 * Labels of a file, one a line (with a hint behind a tab) or a JSON array; or those of the command line, with commas.
 *
 * @param {string} given
 * @returns {Promise<Label[]>}
 */
export async function readLabels(given) {
  /** @type {string} */
  let text;
  try {
    text = await readFile(given, 'utf8');
  } catch {
    // One label alone would have all of the probability.
    if (!given.includes(',')) {
      throw usage(
        `There is no file ${given} with labels; on the command line there are two or more: cat,dog.`,
      );
    }
    return given.split(',').map((label) => label.trim());
  }
  if (text.trimStart().startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      throw usage(`${given} is no JSON array.`);
    }
  }
  const lines = linesOf(text).filter((line) => !line.startsWith('#'));
  return lines.map((line) => {
    const [label = '', hint] = line.split('\t').map((cell) => cell.trim());
    return hint ? { label, hint } : label;
  });
}
