/** The files of a model, as a folder of the hub has them. */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { usage } from './failure.js';

/** Names that weights have, in the order in which a load looks for them. */
const WEIGHTS = [
  ...[
    'model.safetensors',
    'model.safetensors.index.json',
    'pytorch_model.bin',
    'pytorch_model.bin.index.json',
  ],
  ...['model.gguf', 'open_clip_model.safetensors', 'open_clip_pytorch_model.bin'],
  ...['onnx/model_quantized.onnx', 'onnx/model.onnx'],
];
const CONFIGS = ['config.json', 'open_clip_config.json'];
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
  const names = name.endsWith('.index.json') ? await shardsOf(path.join(folder, name)) : [name];
  const within = (/** @type {string} */ one) => path.join(folder, one);
  return { weights: names.map(within), beside: beside.map(within) };
}

/** @param {string} index */
async function shardsOf(index) {
  /** @type {unknown[]} */
  let names;
  try {
    names = [...new Set(Object.values(JSON.parse(await readFile(index, 'utf8')).weight_map))].sort();
  } catch {
    throw usage(`${index} does not tell in which files the weights are.`);
  }
  const wrong = names.find((name) => typeof name !== 'string' || path.basename(name) !== name);
  if (names.length === 0 || wrong !== undefined) throw usage(`${index} names no files beside it.`);
  return /** @type {string[]} */ (names);
}
