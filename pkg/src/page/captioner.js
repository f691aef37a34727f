/**
 * Captioning with BLIP.
 *
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('../shared/types.js').ImageSource} ImageSource
 * @typedef {import('../shared/types.js').PatchMap} PatchMap
 * @typedef {import('../shared/types.js').WordMap} WordMap
 * @typedef {import('./inside.js').InsideOptions} InsideOptions
 * @typedef {import('./model.js').LoadOptions} LoadOptions
 * @typedef {import('./model.js').ModelSource} ModelSource
 * @typedef {import('./writing.js').WritingOptions} WritingOptions
 *
 * @typedef {WritingOptions} StreamOptions
 * @typedef {WritingOptions & { onPiece?: (piece: string) => void }} CaptionOptions
 * @typedef {WritingOptions & { numCaptions?: number, numReturnSequences?: number, matcher?: Ranker }} CaptionsOptions
 *   `numCaptions`, or `numReturnSequences` as in transformers: how many captions, 1 by default, at most 64: draws, or the
 *   best of at least as many beams. `matcher`: a `Matcher`, which says how well each caption fits the picture
 *
 * @typedef {object} Ranker what captions are ordered by: a `Matcher`, or what ranks texts as it does, best first
 * @property {(image: ImageInput, texts: string[], options: { rerank: number, signal: AbortSignal | null })
 *   => Promise<readonly { text: string, match?: number }[]>} rank
 *
 * @typedef {object} CaptionCandidate
 * @property {string} caption
 * @property {number} score how probable it is: the sum of its new tokens' log-probabilities; with beams, as they were
 *   processed, and divided by its length to the power of `lengthPenalty`
 * @property {number} [match] with a matcher, the probability that caption and picture belong together
 *
 * @typedef {StreamOptions & { caption?: string }} AttentionOptions `caption`: the caption to be looked into, of whatever
 *   origin. Without it one is written, by the other options
 */

import { CALL, readOptions } from './options.js';
import { OcelliError } from '../shared/errors.js';
import { readImage, toInput } from './image-input.js';
import { beginning, isBlank } from '../shared/texts.js';
import { readInside } from './inside.js';
import { LoadedModel } from './model.js';
import { streamed } from './streamed.js';
import { WRITING, writing } from './writing.js';

/**
 * A BLIP model: describes a picture in a sentence.
 *
 * @example
 * const captioner = await Captioner.load('ocelli');
 * for await (const piece of captioner.stream('beach.jpg')) document.body.append(piece);
 */
export class Captioner extends LoadedModel {
  /**
   * Downloads a model and builds it in a worker.
   *
   * @param {ModelSource} model a built-in model's name, `organisation/name` on the hub, the address of a folder with the
   *   model's files, or the address of each
   * @param {LoadOptions} [options]
   * @returns {Promise<Captioner>}
   * @throws {ModelError} what is wrong with the model's files: `config-invalid`, `weights-invalid`, `not-a-model` and the like
   * @throws {NetworkError} `network`, `http-status`, `not-found`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `unsupported-browser`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  static async load(model, options = {}) {
    return LoadedModel.open('caption', model, options, (opened) => new Captioner(opened));
  }

  /**
   * Makes ready what captions need besides a picture, such as the words that the built-in model is prompted with. The
   * first caption does it where nobody has.
   *
   * @param {{ signal?: AbortSignal | null, onProgress?: (event: import('../shared/protocol.js').Progress) => void }} [options]
   *   `onProgress`: the phase `words`
   * @returns {Promise<void>}
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async prepare(options = {}) {
    const { signal, onProgress } = readOptions(options, CALL);
    await this.request('prepare', {}, { signal, onProgress });
  }

  /**
   * The picture's caption.
   *
   * @param {ImageInput} image
   * @param {CaptionOptions} [options]
   * @returns {Promise<string>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async caption(image, options = {}) {
    const { onPiece, onProgress, signal, ...read } = readOptions(options, [...WRITING, 'onPiece']);
    const given = writing(read);
    const { source, transfer } = await readImage(image, { signal });
    return this.request('caption', { image: source, ...given }, { signal, transfer, onProgress, onPiece });
  }

  /**
   * Several captions of the picture, best first: draws, which may be alike, or the best of several beams. With a
   * matcher they all differ, none is blank, and they are ordered by how well they fit the picture, as BLIP's authors
   * filtered captions (CapFilt).
   *
   * @param {ImageInput} image
   * @param {CaptionsOptions} [options]
   * @returns {Promise<CaptionCandidate[]>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async captions(image, options = {}) {
    const { numCaptions, matcher, ...read } = readOptions(options, [...WRITING, 'numCaptions', 'matcher']);
    const { onProgress, signal } = read;
    const given = writing(read);
    const { source, transfer } = await readImage(image, { signal });
    // What is moved to one worker is gone for the other.
    const moved = matcher ? [] : transfer;
    const captions = await this.request(
      'captions',
      { image: source, ...given, numCaptions },
      { signal, transfer: moved, onProgress },
    );
    return matcher ? rank(matcher, source, captions, signal) : captions;
  }

  /**
   * The caption piece by piece, as it is written; the pieces joined are the caption. Leaving the loop early
   * ends the writing. Options are checked at once, the picture with the first piece.
   *
   * @param {ImageInput} image
   * @param {StreamOptions} [options]
   * @returns {AsyncGenerator<string, void, void>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  stream(image, options = {}) {
    const { signal, ...read } = readOptions(options, WRITING);
    return streamed(signal, (linked, onPiece) => this.caption(image, { ...read, signal: linked, onPiece }));
  }

  /**
   * The words of a caption, each with the parts of the picture that the model looked at when it wrote it, or would have
   * looked at: its cross-attention, averaged over heads, layers and the pieces of a word. None where the model writes nothing.
   *
   * @param {ImageInput} image
   * @param {AttentionOptions} [options]
   * @returns {Promise<WordMap[]>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async attention(image, options = {}) {
    const { caption, onProgress, signal, ...read } = readOptions(options, [...WRITING, 'caption']);
    const given = writing(read);
    const { source, transfer } = await readImage(image, { signal });
    return this.request('attention', { image: source, caption, ...given }, { signal, transfer, onProgress });
  }

  /**
   * Which parts of the picture its class token is made of, whatever the caption: attention rollout (Abnar and Zuidema
   * 2020). Convolutional towers, as the built-in model's, have no attention and refuse.
   *
   * @param {ImageInput} image
   * @param {InsideOptions} [options]
   * @returns {Promise<PatchMap>}
   * @throws {ImageError} `image-empty`, `image-unsupported`, `image-damaged`, `image-too-large`, `image-unreadable`
   * @throws {AbortError} `aborted`
   * @throws {WorkerError} `disposed`, `worker-failed`
   * @throws {OcelliError} `argument-invalid`
   */
  async rollout(image, options = {}) {
    const { source, asked } = await readInside(image, options);
    return this.request('rollout', { image: source }, asked);
  }
}

/**
 * The captions that differ and say something, each with its match, in the order of the matcher.
 *
 * @param {Ranker} matcher
 * @param {ImageSource} source
 * @param {CaptionCandidate[]} captions best first
 * @param {AbortSignal | null | undefined} signal
 * @returns {Promise<CaptionCandidate[]>}
 */
async function rank(matcher, source, captions, signal) {
  const pending = byBeginning(captions);
  const texts = [...pending.keys()];
  if (texts.length === 0) return [];
  const ranked = await matcher.rank(toInput(source), texts, { rerank: texts.length, signal: signal ?? null });
  /** @type {CaptionCandidate[]} */
  const found = [];
  for (const { text, match } of ranked) {
    if (typeof match !== 'number') continue;
    for (const caption of pending.get(text) ?? []) found.push({ ...caption, match });
    pending.delete(text);
  }
  if (pending.size === 0) return found;
  throw new OcelliError('argument-invalid', 'The matcher gave a caption no match.');
}

/**
 * The captions that differ, by what a matcher is given of them: one that is too long shares its match with those that
 * begin alike. Those that are blank are left out, for a matcher refuses them.
 *
 * @param {CaptionCandidate[]} captions best first
 */
function byBeginning(captions) {
  /** @type {Map<string, CaptionCandidate[]>} */
  const groups = new Map();
  for (const caption of captions) {
    const text = beginning(caption.caption);
    if (isBlank(text)) continue;
    const group = groups.get(text) ?? [];
    if (!group.some((other) => other.caption === caption.caption)) group.push(caption);
    groups.set(text, group);
  }
  return groups;
}
