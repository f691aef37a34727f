/**
 * Tokenizers that were published before `tokenizer.json`: CLIP's as `vocab.json` and `merges.txt`, BERT's as `vocab.txt`. What
 * they lack, how a text becomes words, is the same for all of a kind: `CLIPTokenizer` and `BertTokenizer` of `transformers`
 * have it.
 *
 * @typedef {import('../../shared/types.js').ModelFile} ModelFile
 * @typedef {import('../../shared/loader.js').FetchOptions} FetchOptions
 * @typedef {import('../../shared/loader.js').OpenFile} OpenFile
 *
 * @typedef {object} Parts
 * @property {OpenFile[]} open
 * @property {(texts: string[]) => object} join makes a `tokenizer.json` of what they hold
 */

import { codeOf, errorFor } from '../../shared/errors.js';
import { openFile } from '../../shared/loader.js';
import { addressBeside } from '../../shared/model-files.js';

/** @type {{ names: string[], join: Parts['join'] }[]} */
const KINDS = [
  { names: ['vocab.json', 'merges.txt'], join: ([vocab = '', merges = '']) => bytePairs(vocab, merges) },
  { names: ['vocab.txt'], join: ([vocab = '']) => wordPieces(vocab) },
];

/**
 * The files that a tokenizer can be made of, or null where there are none.
 *
 * @param {ModelFile} file the `tokenizer.json` that is not there
 * @param {FetchOptions} options
 * @returns {Promise<Parts | null>}
 */
export async function openParts({ url, access }, options) {
  for (const { names, join } of KINDS) {
    const files = names.map((name) => ({
      name,
      url: addressBeside(name, new URL(url)).href,
      ...(access && { access }),
    }));
    try {
      return { open: await Promise.all(files.map((file) => openFile(file, options))), join };
    } catch (error) {
      if (!['not-found', 'not-a-model', 'http-status'].includes(codeOf(error) ?? '')) throw error;
    }
  }
  return null;
}

/** @param {string} vocab @param {string} merges */
function bytePairs(vocab, merges) {
  const ids = parsed(vocab);
  const pairs = merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version'));
  return {
    added_tokens: special(ids, ['<|startoftext|>', '<|endoftext|>']),
    model: {
      type: 'BPE',
      unk_token: '<|endoftext|>',
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      vocab: ids,
      merges: pairs,
    },
  };
}

/** @param {string} vocab a token a line, in the order of their ids */
function wordPieces(vocab) {
  const ids = Object.fromEntries(
    vocab
      .replace(/\r?\n$/, '')
      .split(/\r?\n/)
      .map((token, id) => [token, id]),
  );
  return {
    added_tokens: special(ids, ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '[DEC]', '[ENC]']),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: ids,
    },
  };
}

/** @param {Record<string, number>} ids @param {string[]} names of tokens that are no words */
function special(ids, names) {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return names
    .filter((content) => Object.hasOwn(ids, content))
    .map((content) => ({ id: ids[content], content, ...flags }));
}

/** @param {string} vocab @returns {Record<string, number>} */
function parsed(vocab) {
  try {
    const ids = JSON.parse(vocab);
    if (typeof ids === 'object' && ids !== null && !Array.isArray(ids)) return ids;
  } catch {
    // Said below.
  }
  throw errorFor('tokenizer-invalid', 'vocab.json is no table of tokens in JSON.');
}
