import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bytes } from './server.js';

/**
 * Folders of seeded models from the golden tests, completed with tokenizers of single letters: enough to run
 * the whole chain without knowing anything about pictures.
 */

const golden = (name, file) => fileURLToPath(new URL(`../../golden/models/${name}/${file}`, import.meta.url));
const letters = [...'abcdefghijklmnopqrstuvwxyz'];

export const CLIP = 'clip-gelu-eos-7';
export const BLIP = 'blip-tied';
export const ITM = 'blip-itm-gelu';
export const VQA = 'blip-vqa-tied';

/** Whether the golden models are there. */
export const haveTinyModels = [CLIP, BLIP, ITM, VQA].every((name) =>
  existsSync(golden(name, 'model.safetensors')),
);

function clipTokenizer() {
  const vocab = { '<|startoftext|>': 6, '<|endoftext|>': 7 };
  letters.forEach((letter, i) => Object.assign(vocab, { [letter]: 8 + 2 * i, [`${letter}</w>`]: 9 + 2 * i }));
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: { type: 'Lowercase' },
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<|endoftext|>',
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      fuse_unk: false,
      vocab,
      merges: [],
    },
  };
}

function blipTokenizer() {
  const vocab = { '[PAD]': 0, '[UNK]': 1, '[CLS]': 4, '[SEP]': 5, '[DEC]': 98 };
  const special = Object.entries(vocab);
  for (let id = 0; id < 98; id += 1) {
    if (!Object.values(vocab).includes(id)) vocab[`${letters[id % 26]}${letters[Math.floor(id / 26)]}`] = id;
  }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

/** Routes of a tiny model's folder; `changed` replaces files by name, or takes them away. */
export function tinyRoutes(name, changed = {}) {
  const clip = name === CLIP;
  const files = {
    'config.json': readFileSync(golden(name, 'config.json')),
    'preprocessor_config.json': JSON.stringify(
      clip ? { size: 48, crop_size: 48 } : { size: { height: 32, width: 32 } },
    ),
    'tokenizer.json': JSON.stringify(clip ? clipTokenizer() : blipTokenizer()),
    'model.safetensors': readFileSync(golden(name, 'model.safetensors')),
    ...changed,
  };
  const there = Object.entries(files).filter(([, body]) => body !== undefined);
  return Object.fromEntries(there.map(([file, body]) => [`/${name}/${file}`, bytes(body)]));
}

/** The same picture as pixels and as the bytes of a BMP file. */
export function picture(width = 40, height = 30) {
  const data = new Uint8ClampedArray(width * height * 4);
  const stride = (width * 3 + 3) & ~3;
  const bmp = Buffer.alloc(54 + stride * height);
  bmp.write('BM');
  bmp.writeUInt32LE(bmp.length, 2);
  bmp.writeUInt32LE(54, 10);
  bmp.writeUInt32LE(40, 14);
  bmp.writeInt32LE(width, 18);
  bmp.writeInt32LE(height, 22);
  bmp.writeUInt16LE(1, 26);
  bmp.writeUInt16LE(24, 28);
  bmp.writeUInt32LE(stride * height, 34);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const rgb = [(x * 6) & 255, (y * 8) & 255, (x * y) & 255];
      data.set([...rgb, 255], (y * width + x) * 4);
      bmp.set(rgb.reverse(), 54 + (height - 1 - y) * stride + x * 3);
    }
  }
  return { pixels: { data, width, height }, bmp };
}
