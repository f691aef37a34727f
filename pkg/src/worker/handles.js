/**
 * The generated wasm module as the engine sees it: types only. Every handle owns memory inside the wasm
 * and must be freed. `engine.js` checks the generated declarations against these whenever they exist.
 *
 * @typedef {import('../shared/types.js').GenerationOptions} GenerationOptions
 * @typedef {import('../shared/types.js').Label} Label
 *
 * @typedef {object} WeightsHandle
 * @property {(chunk: Uint8Array) => void} push
 * @property {() => void} nextFile ends one of the files that a model is published in
 * @property {() => Uint8Array} takePacked
 * @property {() => void} free
 *
 * @typedef {object} PictureHandle
 * @property {number} width
 * @property {number} height
 * @property {(longestEdge: number) => PictureHandle} thumbnail
 * @property {() => Uint8Array<ArrayBuffer>} rgba its pixels, opaque
 * @property {() => void} free
 *
 * @typedef {object} ImageEncodingHandle a picture that a model is looking at
 * @property {() => void} keep keeps the states of all layers, for a tracing; comes before the first layer
 * @property {() => void} whole has the last layer compute the states of all tokens, for `statesOf`; comes before that layer
 * @property {() => void} free
 *
 * @typedef {object} ImageEncoder what every model that sees has
 * @property {(picture: any) => ImageEncodingHandle} encodeImage begins; computes no layer
 * @property {(encoding: any) => number} advance computes one more layer; returns how many are left
 *
 * @typedef {object} VisionTowerHandle a vision transformer, for a device that computes its layers in the wasm's place
 * @property {() => string} description JSON: see `gpu/types.js`
 * @property {(name: string) => TowerTensorHandle | undefined} parameter
 * @property {(encoding: any) => Float32Array} patches of a picture of which no layer is computed yet
 * @property {(encoding: any) => Float32Array} states after the layers that are computed
 * @property {(encoding: any) => boolean} wantsAll whether the states of all tokens are asked for, or the class token's alone
 * @property {(encoding: any, layer: number) => Float32Array} keyValues what a layer of the model's texts sees of a picture, as the
 *   wasm computes it
 * @property {(encoding: any, states: Float32Array, keyValues: Float32Array[]) => void} complete takes over the states after the last
 *   layer, and what each layer of the model's texts sees, where the description has those
 * @property {() => void} free
 *
 * @typedef {object} TextTowerHandle a tagger's text tower, for a device that computes its layers in the wasm's place
 * @property {() => string} description JSON: see `gpu/types.js`
 * @property {(name: string) => TowerTensorHandle | undefined} parameter
 * @property {(set: any) => number} waiting how many texts of a set have to be computed
 * @property {(set: any, limit: number) => TextBatchHandle | undefined} next up to `limit` of them; none where the device can do
 *   nothing for them
 * @property {(batch: any, length: number) => Float32Array} rows what goes into the first layer, `length` of each text
 * @property {(batch: any, first: number, count: number, layers: number) => Float32Array} states of some of the texts after so many
 *   layers, as the wasm computes them
 * @property {(batch: any, first: number, count: number) => Float32Array} pooled those that stand for some of the texts, after the
 *   last layer
 * @property {(set: any, batch: any, states: Float32Array) => number} complete takes over those that stand for all of the texts;
 *   returns how many texts of the set are pending
 * @property {() => void} free
 *
 * @typedef {object} TextBatchHandle texts on their way through such a device
 * @property {number} count
 * @property {number} length rows of the longest one
 * @property {() => Uint32Array} lengths rows of each
 * @property {() => Uint32Array} ends the row of each that stands for all of it
 * @property {() => void} free
 *
 * @typedef {object} TowerTensorHandle
 * @property {'int8' | 'f16' | 'f32'} dtype
 * @property {number} rows 0 of a vector
 * @property {number} columns
 * @property {Uint8Array} values
 * @property {Float32Array} scales
 * @property {() => void} free
 *
 * @typedef {object} PatchMapHandle
 * @property {number} rows
 * @property {number} columns
 * @property {() => Float32Array} values row by row
 * @property {() => Float32Array} frame the part of the picture that the patches cover: left, top, width and height, in
 *   fractions of the picture's
 * @property {() => void} free
 *
 * @typedef {object} TracingHandle a map on its way back through the layers of a model
 * @property {() => PatchMapHandle} map once no layer is left
 * @property {() => void} free
 *
 * @typedef {object} WordMapsHandle
 * @property {() => Uint32Array} places where the words begin and end: two numbers for each
 * @property {(word: number) => PatchMapHandle | undefined} map by its place among the words
 * @property {() => void} free
 *
 * @typedef {object} TracingBack what every model has that can be looked into
 * @property {(encoding: any) => TracingHandle} beginRollout
 * @property {(tracing: any) => number} traceBack goes back through one more layer; returns how many are left
 *
 * @typedef {object} LabelSetHandle
 * @property {number} length
 * @property {number} prompts each label in each template
 * @property {number} pending prompts that are not encoded yet
 * @property {() => Float32Array} embeddings those known so far, one after the other
 * @property {() => void} free
 *
 * @typedef {object} TeachRunHandle a tagger that learns from examples
 * @property {number} total how many fits are made
 * @property {() => number} step makes one more fit; returns how many are left
 * @property {() => Float32Array} weights what each label gains, once none is left
 * @property {number} kept how much of what the words say
 * @property {number} [strength] of the penalty; none where nothing was learnt
 * @property {number} temperature
 * @property {() => void} free
 *
 * @typedef {ImageEncoder & TracingBack & TaggerMethods} TaggerHandle
 *
 * @typedef {object} TaggerMethods
 * @property {(labels: Label[], templates: string[]) => LabelSetHandle} labels
 * @property {(texts: string[]) => LabelSetHandle} texts to be embedded
 * @property {(texts: string[]) => LabelSetHandle} queries to be compared with pictures
 * @property {(set: any, limit: number) => number} encodeLabels encodes up to `limit` prompts more; returns what is pending
 * @property {TextTowerHandle} [textTower] where another device can compute its layers
 * @property {(limit: number) => Uint8Array | undefined} exportEmbeddings the embeddings of labels, where there are new ones
 * @property {(bytes: Uint8Array) => void} importEmbeddings takes over what `exportEmbeddings` gave
 * @property {(encoding: any) => Float32Array} embeddingOf
 * @property {(encoding: any) => Float32Array} featuresOf the same before it is scaled to length 1
 * @property {(encoding: any) => Float32Array} statesOf the states of all tokens, of a model without a projection
 * @property {boolean} projectsImages whether an embedding is a projection of what the image tower pools
 * @property {(texts: string[]) => Float32Array} textFeatures of a few texts, one after the other, not scaled
 * @property {(embedding: Float32Array, set: any) => Float32Array} tag
 * @property {(encoding: any, text: string) => TracingHandle} beginExplanation
 * @property {(embedding: Float32Array, set: any, background: any, independent: boolean, offset?: number) => Float32Array} score of
 *   each label, and then of none of them
 * @property {(embedding: Float32Array, set: any, background: any, independent: boolean, offset: number | undefined,
 *   alone: boolean, weights: Float32Array, places: Uint32Array, kept: number, temperature: number) => Float32Array} scoreTaught the same, of labels that
 *   were taught
 * @property {(set: any, background: any, embeddings: Float32Array, places: Uint32Array) => TeachRunHandle} teach begins
 * @property {(encoding: any, set: any) => Float32Array} similarity cosines
 * @property {(mediums: string, artists: string, movements: string, sites: string, flavors: string, negative: string) =>
 *   TermsHandle} terms
 * @property {(encoding: any, terms: any, captions: string[], mode: string, minFlavors: number, maxFlavors: number | undefined,
 *   shortlist: number) => InterrogationHandle} interrogate begins
 * @property {number} logitScale
 * @property {number | undefined} logitBias
 * @property {number} temperature what logits are divided by; 1 where the configuration has none
 * @property {number} [sureThreshold] the least score of the best label with which the model is sure
 * @property {number} noneOffset what the logit of "none of these" has added, where the caller gives no other
 * @property {() => void} free
 *
 * @typedef {object} TermsHandle what prompts are made of
 * @property {number} length
 * @property {number} pending those that are not encoded yet
 * @property {() => LabelSetHandle | undefined} takeBatch the next ones as labels, to be encoded and put back; none where all are
 *   encoded
 * @property {(batch: any) => void} putBack takes back what `takeBatch` gave
 * @property {() => void} free
 *
 * @typedef {object} InterrogationHandle
 * @property {(terms: any, limit: number) => boolean} step reads up to `limit` texts more; returns whether it goes on
 * @property {string} prompt the best so far
 * @property {number} similarity its cosine
 * @property {string} caption the one that was taken, once that is known
 * @property {number} done how many texts have been read of those that are being compared
 * @property {number} total how many are being compared
 * @property {() => void} free
 *
 * @typedef {object} CaptionRunHandle
 * @property {() => string | undefined} next
 * @property {() => string[]} captions what was asked for, best first, once `next` has come to its end
 * @property {() => Float32Array} scores one for each of them
 * @property {() => string[]} words the words that the captions were prompted with
 * @property {() => void} free
 *
 * @typedef {object} CaptionPlanHandle how a caption is to be written, checked
 * @property {() => void} free
 *
 * @typedef {ImageEncoder & TracingBack & CaptionerMethods} CaptionerHandle
 *
 * @typedef {object} CaptionerMethods
 * @property {(options: GenerationOptions) => CaptionPlanHandle} plan
 * @property {(encoding: any, plan: any) => CaptionRunHandle} write
 * @property {(encoding: any, caption: string) => WordMapsHandle} attention
 * @property {number} wordsTotal how many words captions may be prompted with
 * @property {number} wordsPending those that are not encoded yet
 * @property {(limit: number) => number} encodeWords encodes up to `limit` more; returns how many are pending
 * @property {() => void} free
 *
 * @typedef {object} MatchTextsHandle texts, checked
 * @property {() => void} free
 *
 * @typedef {object} MatchRunHandle a picture being compared with texts; its answers are known once no reading is left
 * @property {number} total how many readings of texts there are
 * @property {() => Uint32Array} ranking places of the texts, best first
 * @property {() => Float32Array} similarities one for each text, in their order
 * @property {() => Float32Array} probabilities the same; `NaN` where the text was not read again
 * @property {() => void} free
 *
 * @typedef {ImageEncoder & MatcherMethods} MatcherHandle
 *
 * @typedef {object} MatcherMethods
 * @property {(texts: string[]) => MatchTextsHandle} texts
 * @property {(encoding: any, texts: any, rerank: number | undefined) => MatchRunHandle} compare begins
 * @property {(run: any, limit: number) => number} step reads up to `limit` texts more; returns how many readings are left
 * @property {(encoding: any, texts: any, index: number) => PatchMapHandle} explain what makes the text at `index` match
 * @property {() => void} free
 *
 * @typedef {object} AnswerPlanHandle a question and how it is to be answered, checked
 * @property {() => void} free
 *
 * @typedef {object} AnswerRunHandle
 * @property {() => boolean} step writes one more token; returns whether the answer goes on
 * @property {() => string} answer as far as it is written
 * @property {() => void} free
 *
 * @typedef {object} ChoicesHandle a question and its possible answers, checked
 * @property {() => void} free
 *
 * @typedef {object} ChoiceRunHandle
 * @property {(limit: number) => number} step weighs up to `limit` answers more; returns how many are left
 * @property {() => Float32Array} scores the log-likelihood of each answer
 * @property {() => Float32Array} probabilities of each among the answers
 * @property {() => void} free
 *
 * @typedef {ImageEncoder & AnswererMethods} AnswererHandle
 *
 * @typedef {object} AnswererMethods
 * @property {(question: string, options: GenerationOptions) => AnswerPlanHandle} plan
 * @property {(question: string, answers: string[]) => ChoicesHandle} choices
 * @property {(encoding: any, plan: any) => AnswerRunHandle} write
 * @property {(encoding: any, choices: any) => ChoiceRunHandle} weigh
 * @property {() => void} free
 *
 * @typedef {ImageEncoder & OcelliMethods} OcelliHandle one image tower for several tasks: what it looks at serves all of them
 *
 * @typedef {object} OcelliMethods
 * @property {() => TaggerHandle} tagger
 * @property {() => CaptionerHandle} captioner
 * @property {() => MatcherHandle} matcher
 * @property {() => void} free the others go on without it
 *
 * @typedef {ImageEncoder & TracingBack & ClassifierMethods} ClassifierHandle
 *
 * @typedef {object} ClassifierMethods
 * @property {() => string[]} labels what the classes are called, in their order
 * @property {() => string[] | undefined} kinds of what kind each is, where there are several kinds
 * @property {(encoding: any) => Float32Array} classify the probability of each
 * @property {() => void} free
 *
 * @typedef {Omit<import('../shared/protocol.js').EncodeTextArguments, 'padding'> & { padding?: string }} PromptOptions `padding`
 *   is `trained`, `end`, or the id of a token
 *
 * @typedef {object} EncodedPromptHandle
 * @property {() => Float32Array} states of each token, row by row
 * @property {() => Float32Array} pooled
 * @property {() => Float32Array | undefined} projected where the model has a projection
 * @property {() => Uint32Array} tokens
 * @property {() => Float32Array} weights of each token
 * @property {() => void} free
 *
 * @typedef {object} PromptRunHandle a prompt on its way through the text tower; its answers are known once no step is left
 * @property {number} total how many steps there are
 * @property {(negative: boolean) => EncodedPromptHandle | undefined} encoded of the prompt; or of the negative one, where there
 *   is one
 * @property {() => void} free
 *
 * @typedef {object} TextEncoderHandle
 * @property {(options: any) => PromptRunHandle} begin with `PromptOptions`; computes nothing
 * @property {(run: any) => number} step computes one more layer of a few chunks; returns how many steps are left
 * @property {() => void} free
 */

/**
 * @typedef {object} HitsHandle vectors that were found, best first
 * @property {() => Uint32Array} rows
 * @property {() => Float32Array} scores
 * @property {() => Float32Array} standard empty where they were not wanted
 * @property {() => void} free
 *
 * @typedef {object} GroupScanHandle
 * @property {() => Uint32Array} groups rows, and behind each group's last 0xffffffff
 * @property {() => void} free
 *
 * @typedef {object} IndexReaderHandle
 * @property {(chunk: Uint8Array) => void} push
 * @property {() => void} free
 *
 * @typedef {object} IndexHandle
 * @property {number} width
 * @property {number} size
 * @property {number} memory
 * @property {boolean} hasBackground
 * @property {() => string[]} model id, revision and dtype
 * @property {(vectors: Float32Array) => void} setBackground
 * @property {() => string[]} ids
 * @property {(row: number) => string} id
 * @property {(id: string) => number | undefined} row
 * @property {(ids: string[]) => Uint8Array} bits
 * @property {(begin: number, count: number) => Float32Array} vectors
 * @property {(ids: string[], vectors: Float32Array) => void} add
 * @property {(ids: string[]) => number} remove
 * @property {(query: Float32Array, top: number, bits: Uint8Array | undefined, standard: boolean) => HitsHandle} search
 * @property {(count: number, query: Float32Array | undefined, lambda: number, among: number, bits: Uint8Array | undefined)
 *   => HitsHandle} diverse
 * @property {(threshold: number, times: Float64Array | undefined, within: number) => GroupScanHandle} beginGroups
 * @property {(scan: any) => number} stepGroups returns how many vectors are left
 * @property {(write: (piece: Uint8Array) => void) => void} write
 * @property {() => void} free
 */

/**
 * @typedef {object} FilesHandle the small files of a model, read and checked
 * @property {(weights: any) => void} passOver tells the loader which tensors of the file the model does without
 * @property {() => void} free
 *
 * @typedef {object} FilesClass
 * @property {(...small: any[]) => FilesHandle} read takes configuration, preprocessor and, where the model reads texts,
 *   tokenizer, each a Uint8Array; then, of CLIP, which tower; of a model for several tasks the decoder's tokenizer, the words
 *   and the parts that are wanted
 */

/**
 * @template Handle
 * @typedef {object} HandleClass
 * @property {(files: any, weights: any) => Handle} create consumes both
 */

/**
 * @typedef {object} Wasm
 * @property {() => number} packingVersion
 * @property {new (dtype: string, keep: boolean) => WeightsHandle} WeightsLoader
 * @property {{
 *   decode: (bytes: Uint8Array) => PictureHandle,
 *   fromRgba: (width: number, height: number, rgba: Uint8Array) => PictureHandle,
 *   fromImageData: (pixels: ImageData) => PictureHandle,
 * }} Picture
 * @property {FilesClass} TaggerFiles
 * @property {HandleClass<TaggerHandle>} TaggerHandle
 * @property {FilesClass} CaptionerFiles
 * @property {HandleClass<CaptionerHandle>} CaptionerHandle
 * @property {FilesClass} MatcherFiles
 * @property {HandleClass<MatcherHandle>} MatcherHandle
 * @property {FilesClass} AnswererFiles
 * @property {HandleClass<AnswererHandle>} AnswererHandle
 * @property {FilesClass} ClassifierFiles
 * @property {FilesClass} OcelliFiles
 * @property {HandleClass<OcelliHandle>} OcelliHandle
 * @property {HandleClass<ClassifierHandle>} ClassifierHandle
 * @property {FilesClass} TextEncoderFiles
 * @property {HandleClass<TextEncoderHandle>} TextEncoderHandle
 * @property {new () => IndexReaderHandle} IndexReader
 * @property {{ create: (model: string, revision: string, dtype: string, width: number) => IndexHandle,
 *   read: (reader: any) => IndexHandle }} IndexHandle
 */

export {};
