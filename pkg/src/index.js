/**
 * ocelli: tags and captions for pictures, computed in the browser.
 *
 * @typedef {import('./page/answerer.js').AnswerOptions} AnswerOptions
 * @typedef {import('./page/answerer.js').RankAnswersOptions} RankAnswersOptions
 * @typedef {import('./page/answerer.js').RankedAnswer} RankedAnswer
 * @typedef {import('./page/captioner.js').CaptionCandidate} CaptionCandidate
 * @typedef {import('./page/captioner.js').AttentionOptions} AttentionOptions
 * @typedef {import('./page/captioner.js').CaptionOptions} CaptionOptions
 * @typedef {import('./page/captioner.js').CaptionsOptions} CaptionsOptions
 * @typedef {import('./page/captioner.js').Ranker} Ranker
 * @typedef {import('./page/classifier.js').ClassifyOptions} ClassifyOptions
 * @typedef {import('./page/inside.js').InsideOptions} InsideOptions
 * @typedef {import('./page/interrogator.js').InterrogateOptions} InterrogateOptions
 * @typedef {import('./page/interrogator.js').InterrogatorOptions} InterrogatorOptions
 * @typedef {import('./shared/protocol.js').FoundPrompt} FoundPrompt
 * @typedef {import('./page/term-lists.js').TermList} TermList
 * @typedef {import('./page/term-lists.js').TermLists} TermLists
 * @typedef {import('./page/matcher.js').MatchOptions} MatchOptions
 * @typedef {import('./page/matcher.js').RankOptions} RankOptions
 * @typedef {import('./page/matcher.js').RankedText} RankedText
 * @typedef {import('./page/matcher.js').TextMatch} TextMatch
 * @typedef {import('./page/model.js').LoadOptions} LoadOptions
 * @typedef {import('./page/model.js').ModelSource} ModelSource
 * @typedef {import('./page/hub.js').ModelAddresses} ModelAddresses
 * @typedef {import('./page/catalogue.js').ModelId} ModelId
 * @typedef {import('./page/captioner.js').StreamOptions} StreamOptions
 * @typedef {import('./page/embedder.js').EmbedderOptions} EmbedderOptions
 * @typedef {import('./page/embedder.js').EmbedOptions} EmbedOptions
 * @typedef {import('./page/embedder.js').Similarity} Similarity
 * @typedef {import('./page/index-options.js').DiverseOptions} DiverseOptions
 * @typedef {import('./page/index-options.js').DuplicateOptions} DuplicateOptions
 * @typedef {import('./page/index-options.js').Hit} Hit
 * @typedef {import('./page/index-options.js').IndexFile} IndexFile
 * @typedef {import('./page/index-options.js').IndexFilter} IndexFilter
 * @typedef {import('./page/index-options.js').IndexOptions} IndexOptions
 * @typedef {import('./page/index-options.js').IndexedImage} IndexedImage
 * @typedef {import('./page/index-options.js').IndexedVector} IndexedVector
 * @typedef {import('./page/index-options.js').SearchOptions} SearchOptions
 * @typedef {import('./page/index-query.js').IndexQuery} IndexQuery
 * @typedef {import('./page/index-query.js').QueryPart} QueryPart
 * @typedef {import('./page/tagger.js').Label} Label
 * @typedef {import('./page/tagger.js').PrepareOptions} PrepareOptions
 * @typedef {import('./page/tagger.js').TagOptions} TagOptions
 * @typedef {import('./page/tagger.js').TeachOptions} TeachOptions
 * @typedef {import('./page/examples.js').Examples} Examples
 * @typedef {import('./page/saved-teacher.js').ModelIdentity} ModelIdentity
 * @typedef {import('./page/saved-teacher.js').SavedTeacher} SavedTeacher
 * @typedef {import('./page/text-encoder.js').EncodedText} EncodedText
 * @typedef {import('./page/text-encoder.js').EncodedTexts} EncodedTexts
 * @typedef {import('./page/text-encoder.js').EncodeOptions} EncodeOptions
 * @typedef {import('./shared/protocol.js').Calibration} Calibration
 * @typedef {import('./shared/errors.js').ErrorCode} ErrorCode
 * @typedef {import('./page/image-input.js').ImageInput} ImageInput
 * @typedef {import('./page/image-input.js').ImageInputs} ImageInputs
 * @typedef {import('./page/catalogue.js').ModelInfo} ModelInfo
 * @typedef {import('./page/catalogue.js').StoredModel} StoredModel
 * @typedef {import('./extras/overlay.js').OverlayOptions} OverlayOptions
 * @typedef {import('./shared/protocol.js').DecodedImage} DecodedImage
 * @typedef {import('./shared/protocol.js').Dtype} Dtype
 * @typedef {import('./shared/protocol.js').Progress} Progress
 * @typedef {import('./shared/protocol.js').Progress} ProgressEvent deprecated: `Progress`
 * @typedef {import('./shared/tasks.js').Task} Task
 * @typedef {import('./shared/types.js').Runtime} Runtime
 * @typedef {import('./shared/types.js').VariantName} VariantName
 * @typedef {import('./extras/vocabulary.js').Vocabulary} Vocabulary
 * @typedef {import('./extras/vocabulary.js').VocabularyLabel} VocabularyLabel
 * @typedef {import('./extras/xmp.js').XmpContent} XmpContent
 * @typedef {import('./shared/types.js').Classification} Classification
 * @typedef {import('./shared/types.js').PatchMap} PatchMap
 * @typedef {import('./shared/types.js').WordMap} WordMap
 */

/**
 * @template {string | null} [L=string]
 * @typedef {import('./page/tagger.js').Tag<L>} Tag
 */

import { find, forgetGpus, list, recommend, refresh, remove, stored } from './page/catalogue.js';

export { Answerer } from './page/answerer.js';
export { Captioner } from './page/captioner.js';
export { Classifier } from './page/classifier.js';
export { Embedder } from './page/embedder.js';
export { Index } from './page/vector-index.js';
export { Interrogator } from './page/interrogator.js';
export { Matcher } from './page/matcher.js';
export { Tagger } from './page/tagger.js';
export { Teacher } from './page/teacher.js';
export { ClipTextEncoder as TextEncoder, toSafetensors } from './page/text-encoder.js';
export {
  AbortError,
  errorCodes,
  ImageError,
  IndexError,
  LabelError,
  ModelError,
  NetworkError,
  OcelliError,
  WorkerError,
} from './shared/errors.js';
export { setBase } from './files.js';
export { templates } from './page/templates.js';
export { loadVocabulary } from './extras/vocabulary.js';
export { overlay } from './extras/overlay.js';
export { xmpPacket } from './extras/xmp.js';

/** The models that ocelli knows by name, and those that this browser keeps. */
export const models = Object.freeze({ find, forgetGpus, list, recommend, refresh, remove, stored });
