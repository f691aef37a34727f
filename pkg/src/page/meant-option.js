/** The option that somebody meant: by its letters, or by what other libraries call it. */

import { nearest } from '../shared/nearest.js';

/**
 * What others call some options: each word with the options that it can mean, of which the first that is taken is meant, and
 * what is to be said of an option that does not speak for itself. Words are lower case, without underscores.
 *
 * @type {readonly { words: readonly string[], options: readonly string[], say?: string }[]}
 */
const MEANT = [
  { words: ['limit', 'top', 'k', 'n', 'count', 'maxresults'], options: ['topK', 'numCaptions'] },
  { words: ['maxlength', 'maxlen'], options: ['maxTokens'] },
  { words: ['minlength', 'minlen'], options: ['minTokens'] },
  { words: ['multilabel', 'multiclass'], options: ['scores'], say: "scores: 'independent'" },
  { words: ['minscore', 'confidence', 'minconfidence', 'cutoff'], options: ['threshold'] },
  { words: ['hypothesistemplate', 'hypothesis'], options: ['template'] },
  { words: ['progresscallback', 'progress', 'onupdate'], options: ['onProgress'] },
  { words: ['quantized', 'quantization', 'precision'], options: ['dtype'] },
  { words: ['modelfilename', 'modelfile'], options: ['weights'] },
  { words: ['numthreads'], options: ['threads'] },
  { words: ['wasmpaths', 'wasmpath'], options: ['wasmUrl'] },
  { words: ['token', 'accesstoken', 'apikey'], options: ['headers'] },
  { words: ['endpoint', 'host', 'remotehost', 'baseurl'], options: ['hubUrl'] },
  { words: ['negative', 'uncond', 'negativetext'], options: ['negativePrompt'] },
  {
    words: ['clipskip', 'layeridx', 'cliplayer'],
    options: ['skip'],
    say: 'skip (1 is the second last layer)',
  },
  { words: ['abortsignal', 'abort', 'controller'], options: ['signal'] },
  {
    words: ['ontoken', 'streamer', 'stream', 'callback', 'callbackfunction'],
    options: ['onPiece'],
    say: 'onPiece, or the call stream',
  },
];

/** What has no other name here, and why. @type {Readonly<Record<string, string>>} */
const NONE = { device: 'it is one of the load' };

/**
 * The rest of the sentence "There is no option … here".
 *
 * @param {string} given
 * @param {readonly string[]} taken the options that are taken
 * @param {readonly string[]} aliases other names that are taken
 * @returns {string}
 */
export function meantInstead(given, taken, aliases) {
  const near = nearest(given, [...taken, ...aliases]);
  if (near) return `; did you mean ${near}?`;
  const word = given.toLowerCase().replace(/[^a-z]/g, '');
  const entry = MEANT.find(({ words, options }) => words.includes(word) && options.some(isTaken));
  if (entry) return `; did you mean ${entry.say ?? entry.options.find(isTaken)}?`;
  if (Object.hasOwn(NONE, word)) return `: ${NONE[word]}.`;
  return taken.length === 0 ? '.' : `; there are ${taken.join(', ')}.`;

  /** @param {string} option */
  function isTaken(option) {
    return taken.includes(option);
  }
}
