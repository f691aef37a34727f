/** The commands that take texts, weights or requests. */

import { ALWAYS, MODEL } from './options.js';

/** @satisfies {Record<string, import('./options.js').Command>} */
export const OTHERS = {
  'encode-text': {
    summary: 'turn a prompt into what image generators are conditioned on',
    usage: 'ocelli encode-text [options] PROMPT --out FILE',
    about: `Writes the states of CLIP's text tower for a prompt, 77 rows for each chunk of 75 tokens, as safetensors (hidden_states,
pooled, projected, tokens and weights; with --negative also those of a negative prompt) or as a NumPy array of the
states alone. (word:1.2), (word), [word] and BREAK are read as in the usual programs. PROMPT may be -: standard input.
--model is openai/clip-vit-large-patch14 by default, the text encoder of Stable Diffusion 1 (a download of 1.7 GB, kept
for the next time).`,
    options: {
      out: {
        type: 'string',
        short: 'o',
        value: 'FILE',
        help: 'write there (.safetensors or .npy); - is standard output, in safetensors',
      },
      force: { type: 'boolean', help: 'replace a file that is there' },
      negative: { type: 'string', value: 'TEXT', help: 'the negative prompt' },
      skip: {
        type: 'string',
        value: 'N',
        help: 'layers from the end that are left out; 0 by default, 1 of SDXL',
      },
      'no-final-norm': { type: 'boolean', help: 'leave out the final layer norm, as of SDXL' },
      'attention-mask': { type: 'boolean', help: 'hide tokens that only fill up from attention' },
      padding: {
        type: 'string',
        value: 'TOKEN',
        help: 'what texts are filled up with: trained (the default), end, or the id of a token',
      },
      emphasis: {
        type: 'string',
        value: 'MODE',
        help: 'what weights do: original (the default), no-norm, or none',
      },
      'comma-backtrack': {
        type: 'string',
        value: 'N',
        help: 'tokens behind a comma that may move to the next chunk; 20 by default',
      },
      truncate: { type: 'boolean', help: 'cut off what does not fit into one chunk' },
      ...MODEL,
      dtype: { ...MODEL.dtype, help: `${MODEL.dtype.help}; f32 is exact` },
      model: {
        ...MODEL.model,
        help: 'openai/clip-vit-large-patch14 (the default), ORG/NAME on the hub, or a model’s folder',
      },
      ...ALWAYS,
    },
    examples: [
      'ocelli encode-text "a (red:1.2) bus" --negative blurry --out prompt.safetensors',
      'ocelli encode-text - --model sdxl/text_encoder_2 --skip 1 --no-final-norm --out prompt.npy < prompt.txt',
    ],
  },
  convert: {
    summary: 'write a model’s weights in a smaller form',
    usage: 'ocelli convert [options] WEIGHTS|FOLDER --dtype TYPE --out PATH',
    about: `Reads model.safetensors, pytorch_model.bin, a GGUF or an ONNX file, and writes GGUF, or safetensors for int8.
Of a model's folder, whose weights may be in several files, it writes another, with what is read beside the weights;
ocelli is the folder of the built-in model.
TYPE is int8 (8 bits a number and a scale for each row), q8 (8.5 bits), q4 (4.5 bits), f16 or f32.`,
    options: {
      dtype: { type: 'string', value: 'TYPE', help: 'int8, q8, q4, f16 or f32' },
      out: { type: 'string', short: 'o', value: 'PATH', help: 'the file or folder to be written' },
      force: { type: 'boolean', help: 'replace files that are there' },
      ...ALWAYS,
    },
    examples: [
      'ocelli convert model.safetensors --dtype q8 --out model.gguf',
      'ocelli convert clip-vit-base-patch32 --dtype int8 --out public/models/clip',
    ],
  },
  serve: {
    summary: 'answer over HTTP, on this machine',
    usage: 'ocelli serve [options]',
    about: `Takes pictures as the bodies of requests, and answers in JSON. It listens on this machine alone.

    POST /tag?labels=cat,dog&top=2&threshold=0.1      POST /caption      POST /embed      GET /embed?text=a+cat`,
    options: {
      port: {
        type: 'string',
        short: 'p',
        value: 'N',
        help: 'where to listen; 8080 by default, 0 for any that is free',
      },
      ...MODEL,
      ...ALWAYS,
    },
    examples: ['ocelli serve --port 8080', 'curl --data-binary @cat.jpg "localhost:8080/tag?top=3"'],
  },
};
