/**
 * Text conditioning of image generators, with CLIP's text tower.
 *
 * @typedef {import('../shared/protocol.js').EncodedPrompt} EncodedPrompt
 * @typedef {import('../shared/protocol.js').Progress} Progress
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 *
 * @typedef {object} OnlyEncodeOptions
 * @property {string} [negativePrompt] what is encoded beside the prompt, into as many chunks; its states are kept, and not
 *   computed again for the next prompt with the same options
 * @property {number} [skip] layers from the end that are left out; 0 by default. 1 gives the states before the last layer:
 *   what SDXL takes, and others call a clip skip of 2
 * @property {boolean} [finalNorm] whether states go through the tower's final layer norm, whatever layer they are of; true by
 *   default, as Stable Diffusion 1 and 2 want it. SDXL wants `skip: 1` and false, as are the `hidden_states` of `transformers`
 * @property {boolean} [attentionMask] whether tokens that only fill up are hidden from attention; false by default, as in
 *   Stable Diffusion and SDXL
 * @property {'trained' | 'end' | number} [padding] what texts are filled up with: the end token, the token of that id, or
 *   `trained`, the default, what the model was trained with: the end token, or the token 0 ("!") of OpenCLIP's models, of
 *   which SDXL's second encoder is one
 * @property {'original' | 'no-norm' | 'none'} [emphasis] what weights in a prompt do: `original`, the default, multiplies the
 *   states of each token and restores the mean of its chunk, `no-norm` multiplies alone, and with `none` brackets and `BREAK`
 *   are text
 * @property {number} [commaBacktrack] where a chunk is full, how many tokens behind its last comma may move to the next one;
 *   20 by default, 0 moves none
 * @property {boolean} [truncate] whether what does not fit into one chunk is cut off, as `FrozenCLIPEmbedder` does; false by
 *   default
 *
 * @typedef {object} EncodeCallOptions
 * @property {AbortSignal | null} [signal]
 * @property {(progress: Progress) => void} [onProgress] the phase `texts`: layers of the text tower computed so far
 *
 * @typedef {OnlyEncodeOptions & EncodeCallOptions} EncodeOptions
 *
 * @typedef {object} EncodedText
 * @property {Float32Array} hiddenStates a state for each token, row by row
 * @property {[rows: number, width: number]} dims their shape: 77 rows for each chunk of CLIP's 75 tokens
 * @property {Float32Array} pooled the state of the first chunk's end token behind the last layer and the final layer norm:
 *   `width` numbers. Weights in the prompt, and the options, change nothing of it
 * @property {Float32Array | null} projected that, projected: where the model has a projection, as SDXL's second encoder
 * @property {Uint32Array} tokens the id of each row's token, those that fill up among them
 * @property {Float32Array} weights the weight of each
 *
 * @typedef {EncodedText & { negative?: EncodedText }} EncodedTexts `negative` is there where there was a negative prompt
 */

import { checkText } from './arguments.js';
import { LoadedModel } from './model.js';
import { CALL, readOptions } from './options.js';
import { writeSafetensors } from '../shared/safetensors.js';

/** The options of `encode` besides those of every call. */
const ENCODE = [
  ...['negativePrompt', 'skip', 'finalNorm', 'attentionMask'],
  ...['padding', 'emphasis', 'commaBacktrack', 'truncate'],
];

/**
 * CLIP's text tower: makes of a prompt what image generators are conditioned on. The package exports it as `TextEncoder`,
 * which hides the global of that name in a module that imports it so.
 *
 * @example
 * import { TextEncoder as ClipTextEncoder, toSafetensors } from 'ocelli';
 *
 * const encoder = await ClipTextEncoder.load('openai/clip-vit-large-patch14', { dtype: 'f32' });
 * const encoded = await encoder.encode('a (red:1.2) bus', { negativePrompt: 'blurry' });
 * const file = new Blob([toSafetensors(encoded)]); // hidden_states, pooled, negative_hidden_states …
 */
export class ClipTextEncoder extends LoadedModel {
  /**
   * Downloads a model and builds its text tower in a worker. Of a whole CLIP the image tower is passed over.
   *
   * @param {ModelSource} model `organisation/name` on the hub, the address of a folder with the model's files, or the address
   *   of each: `{ config, tokenizer, weights }`, as generators have them in several folders
   * @param {LoadOptions} [options]
   * @returns {Promise<ClipTextEncoder>}
   * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(model, options = {}) {
    return LoadedModel.open('encode-text', model, options, (opened) => new ClipTextEncoder(opened));
  }

  /**
   * The states of a prompt of up to 10,000 characters and 32 chunks.
   *
   * `(word:1.2)` multiplies the weight of what it encloses, `(word)` by 1.1, and `[word]` divides it by 1.1; brackets nest, and
   * `\(` is a bracket that is text. `BREAK` begins another chunk, as do tokens that have no room in the one before.
   *
   * @param {string} prompt
   * @param {EncodeOptions} [options]
   * @returns {Promise<EncodedTexts>}
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async encode(prompt, options = {}) {
    checkText(prompt, 'prompt');
    const { signal, onProgress, ...given } = readOptions(options, [...ENCODE, ...CALL]);
    const answer = await this.request('encodeText', { prompt, ...given }, { signal, onProgress });
    return { ...named(answer.prompt), ...(answer.negative && { negative: named(answer.negative) }) };
  }
}

/**
 * What `encode` gave as a safetensors file: `hidden_states` (rows, width), `pooled` (width,), `projected` (dim,) where there is
 * one, `tokens` (rows,) in 64 bits, `weights` (rows,), and of a negative prompt the same, with `negative_` before their names.
 *
 * @param {EncodedTexts} encoded
 * @returns {Uint8Array<ArrayBuffer>}
 * @example
 * link.href = URL.createObjectURL(new Blob([toSafetensors(encoded)]));
 * link.download = 'prompt.safetensors';
 */
export function toSafetensors(encoded) {
  const { negative, ...positive } = encoded;
  return writeSafetensors(
    { ...tensorsOf(positive, ''), ...(negative && tensorsOf(negative, 'negative_')) },
    { format: 'pt', producer: 'ocelli' },
  );
}

/** @param {EncodedPrompt} encoded @returns {EncodedText} */
function named({ states, ...rest }) {
  const rows = rest.tokens.length;
  return { hiddenStates: states, dims: [rows, states.length / rows], ...rest };
}

/** @param {EncodedText} encoded @param {string} prefix @returns {Record<string, import('../shared/safetensors.js').Tensor>} */
function tensorsOf({ hiddenStates, dims, pooled, projected, tokens, weights }, prefix) {
  return {
    [`${prefix}hidden_states`]: { shape: dims, values: hiddenStates },
    [`${prefix}pooled`]: { shape: [pooled.length], values: pooled },
    ...(projected && { [`${prefix}projected`]: { shape: [projected.length], values: projected } }),
    [`${prefix}tokens`]: { shape: [tokens.length], values: BigInt64Array.from(tokens, BigInt) },
    [`${prefix}weights`]: { shape: [weights.length], values: weights },
  };
}
