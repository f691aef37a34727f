/**
 * ocelli: tags and captions for pictures, computed in the browser.
 *
 * @typedef {import('./client/captioner.js').CaptionOptions} CaptionOptions
 * @typedef {import('./client/model.js').LoadOptions} LoadOptions
 * @typedef {import('./client/captioner.js').StreamOptions} StreamOptions
 * @typedef {import('./client/embedder.js').EmbedderOptions} EmbedderOptions
 * @typedef {import('./client/embedder.js').EmbedOptions} EmbedOptions
 * @typedef {import('./client/embedder.js').Similarity} Similarity
 * @typedef {import('./client/tagger.js').Label} Label
 * @typedef {import('./client/tagger.js').TagOptions} TagOptions
 * @typedef {import('./errors.js').ErrorCode} ErrorCode
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./models.js').ModelInfo} ModelInfo
 * @typedef {import('./models.js').StoredModel} StoredModel
 * @typedef {import('./protocol.js').Dtype} Dtype
 * @typedef {import('./protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('./runtime.js').Runtime} Runtime
 * @typedef {import('./runtime.js').VariantName} VariantName
 * @typedef {import('./vocabulary.js').Vocabulary} Vocabulary
 */

/**
 * @template {string | null} [L=string]
 * @typedef {import('./client/tagger.js').Tag<L>} Tag
 */

import { find, list, remove, stored } from './models.js';

export { Captioner } from './client/captioner.js';
export { Embedder } from './client/embedder.js';
export { Tagger } from './client/tagger.js';
export {
  AbortError,
  errorCodes,
  ImageError,
  LabelError,
  ModelError,
  NetworkError,
  OcelliError,
  WorkerError,
} from './errors.js';
export { templates } from './templates.js';
export { loadVocabulary } from './vocabulary.js';

/** The models that ocelli knows by name, and those that this browser keeps. */
export const models = Object.freeze({ find, list, remove, stored });
