/** The labels that a command line names. */

import { usage } from './failure.js';
import { linesOf } from './inputs.js';
import { tell } from './terminal.js';
import { readText } from './text-files.js';

/** @typedef {import('../page/tagger.js').Label} Label */

/**
 * Labels of a file or of standard input, one a line (with a hint behind a tab) or a JSON array; or those of the command line,
 * with commas or as a JSON array. Each once.
 *
 * @param {string} given
 * @returns {Promise<Label[]>}
 */
export async function readLabels(given) {
  const text = await readText(given);
  const name = given === '-' ? 'standard input' : given;
  const labels = text === null ? ofCommandLine(given) : ofFile(text, name);
  const once = new Map(labels.map((label) => [JSON.stringify(label), label]));
  const more = labels.length - once.size;
  if (more > 0) {
    tell(
      more === 1
        ? 'a label that is there twice counts once.'
        : `${more} labels that are there twice count once.`,
    );
  }
  return [...once.values()];
}

/** @param {string} given @returns {Label[]} */
function ofCommandLine(given) {
  if (given.trimStart().startsWith('[')) return ofArray(given, 'What --labels has');
  // One label alone would have all of the probability.
  if (!given.includes(',')) {
    throw usage(`There is no file ${given} with labels; on the command line there are two or more: cat,dog.`);
  }
  return given.split(',').map((label) => label.trim());
}

/** @param {string} text @param {string} name @returns {Label[]} */
function ofFile(text, name) {
  if (/\.csv$/i.test(name)) {
    throw usage(`${name} is a table: give a text with one label a line, and none for the header.`);
  }
  if (/\.json$/i.test(name) || text.trimStart().startsWith('[')) return ofArray(text, name);
  const lines = linesOf(text).filter((line) => !line.startsWith('#'));
  return lines.map((line) => {
    const [label = '', hint] = line.split('\t').map((cell) => cell.trim());
    return hint ? { label, hint } : label;
  });
}

/** @param {string} text @param {string} name @returns {Label[]} */
function ofArray(text, name) {
  /** @type {unknown} */
  let labels = null;
  try {
    labels = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (Array.isArray(labels) && labels.every(isLabel)) return labels;
  throw usage(`${name} is no JSON array of labels: ["a cat", "a dog"].`);
}

/** @param {any} label @returns {label is Label} */
function isLabel(label) {
  const hasHint = label?.hint === undefined || typeof label.hint === 'string';
  return typeof label === 'string' || (typeof label?.label === 'string' && hasHint);
}
