/**
 * ocelli: tags and captions for pictures, computed in the browser.
 *
 * @typedef {import('./client/answerer.js').AnswerOptions} AnswerOptions
 * @typedef {import('./client/answerer.js').RankAnswersOptions} RankAnswersOptions
 * @typedef {import('./client/answerer.js').RankedAnswer} RankedAnswer
 * @typedef {import('./client/captioner.js').CaptionCandidate} CaptionCandidate
 * @typedef {import('./client/captioner.js').AttentionOptions} AttentionOptions
 * @typedef {import('./client/captioner.js').CaptionOptions} CaptionOptions
 * @typedef {import('./client/captioner.js').CaptionsOptions} CaptionsOptions
 * @typedef {import('./client/captioner.js').Ranker} Ranker
 * @typedef {import('./client/classifier.js').ClassifyOptions} ClassifyOptions
 * @typedef {import('./client/inside.js').InsideOptions} InsideOptions
 * @typedef {import('./client/matcher.js').MatchOptions} MatchOptions
 * @typedef {import('./client/matcher.js').RankOptions} RankOptions
 * @typedef {import('./client/matcher.js').RankedText} RankedText
 * @typedef {import('./client/matcher.js').TextMatch} TextMatch
 * @typedef {import('./client/model.js').LoadOptions} LoadOptions
 * @typedef {import('./client/captioner.js').StreamOptions} StreamOptions
 * @typedef {import('./client/embedder.js').EmbedderOptions} EmbedderOptions
 * @typedef {import('./client/embedder.js').EmbedOptions} EmbedOptions
 * @typedef {import('./client/embedder.js').Similarity} Similarity
 * @typedef {import('./client/tagger.js').Label} Label
 * @typedef {import('./client/tagger.js').PrepareOptions} PrepareOptions
 * @typedef {import('./client/tagger.js').TagOptions} TagOptions
 * @typedef {import('./protocol.js').Calibration} Calibration
 * @typedef {import('./errors.js').ErrorCode} ErrorCode
 * @typedef {import('./image-input.js').ImageInput} ImageInput
 * @typedef {import('./models.js').ModelInfo} ModelInfo
 * @typedef {import('./models.js').StoredModel} StoredModel
 * @typedef {import('./overlay.js').OverlayOptions} OverlayOptions
 * @typedef {import('./protocol.js').Dtype} Dtype
 * @typedef {import('./protocol.js').ProgressEvent} ProgressEvent
 * @typedef {import('./runtime.js').Runtime} Runtime
 * @typedef {import('./runtime.js').VariantName} VariantName
 * @typedef {import('./vocabulary.js').Vocabulary} Vocabulary
 * @typedef {import('./verbs/classifier.js').Classification} Classification
 * @typedef {import('./verbs/inside.js').PatchMap} PatchMap
 * @typedef {import('./verbs/inside.js').WordMap} WordMap
 */

/**
 * @template {string | null} [L=string]
 * @typedef {import('./client/tagger.js').Tag<L>} Tag
 */

import { find, list, remove, stored } from './models.js';

export { Answerer } from './client/answerer.js';
export { Captioner } from './client/captioner.js';
export { Classifier } from './client/classifier.js';
export { Embedder } from './client/embedder.js';
export { Matcher } from './client/matcher.js';
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
export { overlay } from './overlay.js';

/** The models that ocelli knows by name, and those that this browser keeps. */
export const models = Object.freeze({ find, list, remove, stored });
