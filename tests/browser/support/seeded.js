// Models with seeded weights, for tasks that no built-in model does: what they say means nothing, but they say it.
// The weights are those of the golden data; what a page asks for besides is written here.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const GOLDEN = fileURLToPath(new URL('../../golden/models', import.meta.url));

/** The pieces of a vocabulary of a hundred, in the places where the model's configuration has those with a meaning. */
function pieces() {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const special = { 0: '[PAD]', 1: '[UNK]', 2: '[CLS]', 3: '[MASK]', 5: '[SEP]', 98: '[DEC]', 99: '[ENC]' };
  const rest = [...letters, ...letters.map((letter) => `##${letter}`), '?'];
  /** @type {string[]} */
  const all = [];
  for (let id = 0; id < 100; id++) {
    all.push(special[/** @type {keyof typeof special} */ (id)] ?? rest.shift() ?? `word${id}`);
  }
  return { all, special: Object.entries(special).map(([id, content]) => ({ id: Number(id), content })) };
}

/** A BERT tokenizer of those pieces, as `tokenizers` writes it. */
function tokenizer() {
  const { all, special } = pieces();
  const plain = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: '1.0',
    added_tokens: special.map((token) => ({ ...token, ...plain })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: '[CLS]', type_id: 0 } },
        { Sequence: { id: 'A', type_id: 0 } },
        { SpecialToken: { id: '[SEP]', type_id: 0 } },
      ],
      pair: [],
      special_tokens: {
        '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
        '[SEP]': { id: '[SEP]', ids: [5], tokens: ['[SEP]'] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(all.map((piece, id) => [piece, id])),
    },
  };
}

/** @param {string} type of the processor @returns {object} one that makes pictures 32 pixels wide and high */
function preprocessor(type) {
  return {
    image_processor_type: type,
    do_resize: true,
    size: { height: 32, width: 32 },
    resample: 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.5, 0.5, 0.5],
    image_std: [0.5, 0.5, 0.5],
  };
}

/**
 * Folders of models, to be mounted: `answering/` for questions, `classifying/` for classes.
 * @returns {{ mount: (rest: string) => string | null, remove: () => void }}
 */
export function seededModels() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'ocelli-seeded-'));
  /** @param {string} name @param {object} content @returns {string} where it was written */
  const write = (name, content) => {
    const file = path.join(scratch, name);
    writeFileSync(file, JSON.stringify(content));
    return file;
  };
  /** @type {Record<string, string>} */
  const files = {
    'answering/config.json': path.join(GOLDEN, 'blip-vqa-tied/config.json'),
    'answering/model.safetensors': path.join(GOLDEN, 'blip-vqa-tied/model.safetensors'),
    'answering/preprocessor_config.json': write('blip.json', preprocessor('BlipImageProcessor')),
    'answering/tokenizer.json': write('tokenizer.json', tokenizer()),
    'classifying/config.json': path.join(GOLDEN, 'vit-labels/config.json'),
    'classifying/model.safetensors': path.join(GOLDEN, 'vit-labels/model.safetensors'),
    'classifying/preprocessor_config.json': write('vit.json', preprocessor('ViTImageProcessor')),
  };
  return {
    mount: (rest) => files[rest] ?? null,
    remove: () => rmSync(scratch, { recursive: true }),
  };
}
