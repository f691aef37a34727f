/** The files of a model, as a folder of the hub has them. */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { WEIGHTS } from '../shared/model-files.js';
import { isIndex, readIndex } from '../shared/shards.js';
import { usage } from './failure.js';

export const CONFIGS = ['config.json', 'open_clip_config.json'];
/** The files beside the weights that a model is read by, and what tells whose it is. */
const BESIDE = [
  ...CONFIGS,
  ...['preprocessor_config.json', 'processor_config.json', 'tokenizer.json', 'tokenizer_config.json'],
  ...['vocab.json', 'merges.txt', 'vocab.txt', 'decoder_tokenizer.json', 'words.json', 'labels.json'],
  ...['README.md', 'LICENSE', 'LICENSE.txt'],
];

/**
 * @param {string} folder
 * @returns {Promise<{ weights: string[], beside: string[] }>} paths: of the weights' file or files, and of those beside
 */
export async function findModel(folder) {
  const there = async (/** @type {string} */ name) =>
    (await stat(path.join(folder, name)).catch(() => null))?.isFile() ? [name] : [];
  const [name] = (await Promise.all(WEIGHTS.map(there))).flat();
  if (name === undefined) throw usage(`${folder} has no weights: none of ${WEIGHTS.join(', ')}.`);
  const beside = (await Promise.all(BESIDE.map(there))).flat();
  if (!beside.some((one) => CONFIGS.includes(one))) throw usage(`${folder} has no config.json.`);
  const names = isIndex({ name }) ? await shardsOf(path.join(folder, name)) : [name];
  const within = (/** @type {string} */ one) => path.join(folder, one);
  return { weights: names.map(within), beside: beside.map(within) };
}

/** @param {string} index */
async function shardsOf(index) {
  const { href } = pathToFileURL(index);
  try {
    return readIndex(await readFile(index), { name: index, url: href }).files.map(({ name }) => name);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw usage(`${index} names no files beside it: ${message}`);
  }
}
