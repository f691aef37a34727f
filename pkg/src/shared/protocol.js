/**
 * Every message between the page and its worker. A call has an id, and everything that answers it bears
 * the same id: nothing is matched by its order.
 *
 * @typedef {import('./errors.js').ErrorData} ErrorData
 * @typedef {import('./types.js').ImageSource} ImageSource
 * @typedef {import('./types.js').ModelFiles} ModelFiles
 * @typedef {import('./types.js').Runtime} Runtime
 * @typedef {import('./types.js').VariantName} VariantName
 *
 * @typedef {import('./tasks.js').Task} Task
 * @typedef {'image' | 'text' | 'both'} Tower Which half of an image-text model is built.
 * @typedef {'int8' | 'f16' | 'f32'} Dtype How the matrices of a model are stored in memory.
 *
 * @typedef {Task | 'index'} Service What a worker is asked for: a task of its model, or its index.
 *
 * @typedef {object} Progress How far a call has come.
 * @property {'download' | 'cache' | 'build' | 'ready' | 'image' | 'labels' | 'texts' | 'words' | 'answers' | 'fits' | 'vectors'} phase what goes on,
 *   and with it the unit of `loaded` and `total`:
 *   - `download`: bytes of all files together; `cache`: bytes of what was kept, while it is read
 *   - `build`, `ready`: bytes, all of them
 *   - `image`: layers of the image tower; of a map, there and back
 *   - `labels`: labels or terms encoded, those known from before among them; `texts`: texts encoded, or readings of texts
 *     compared with a picture; of a prompt layers of the text tower, and of one that grows texts with the term that comes next;
 *     `words`: words that captions are prompted with, encoded; `answers`: answers weighed; `fits`: fits of labels to their
 *     examples; `vectors`: those of an index, compared with all others
 * @property {string | null} file the file in flight, while downloading
 * @property {number} loaded in the phase's unit; at its end as many as `total`
 * @property {number | null} total null where it is unknown
 *
 * @typedef {{ progress: Progress } | { piece: string } | { prompt: FoundPrompt } | { tasks: readonly Task[] } |
 *   { runtime: Runtime }} Step What a call tells before it ends. `prompt`, of an interrogation: the best so far. `tasks`, of
 *   a load: what the model can be asked for, told as soon as its configuration is read. `runtime`: it runs on something else
 *   from now on
 *
 * @typedef {object} LoadArguments
 * @property {Task} task
 * @property {ModelFiles} files
 * @property {Dtype} dtype how matrices are stored in memory
 * @property {import('../cache/index.js').Kept | null} cache who it is, where the model is to be kept between visits
 * @property {Tower} [tower] where only one half of the model may be wanted
 * @property {'auto' | number} threads
 * @property {import('./types.js').Device} [device] whether a GPU may compute; `wasm` where it is absent
 * @property {VariantName} [variant]
 * @property {string} [wasmUrl] where the `.wasm` files are
 *
 * @typedef {object} Calibration How the scores of a tagger are to be read, from the section `ocelli` of `config.json`.
 * @property {number} temperature what logits are divided by, fitted so that a score is right about that often; 1 where
 *   nothing was fitted
 * @property {number | null} sureThreshold the score of the best tag below which the model is not sure; null where nothing
 *   was measured
 * @property {number} noneOffset what is added to the logit of "none of these"
 *
 * @typedef {object} LoadedModelInfo What is known of a model once it is loaded.
 * @property {Runtime} runtime what it runs on
 * @property {readonly Task[]} tasks what it can be asked for
 * @property {Calibration | null} calibration where it tags
 * @property {Uint8Array | null} knownLabels `labels.json`, the list of labels that it can know, where it has one
 *
 * @typedef {object} TagArguments
 * @property {ImageSource} image
 * @property {string} labels a `Label[]` as JSON: a thousand of them are one thing to hand over, and to know again
 * @property {string[]} templates
 * @property {'softmax' | 'independent'} scores
 * @property {boolean} none whether the score of "none of these" is wanted
 * @property {TaughtRows | undefined} [taught] what examples have added
 * @property {number | undefined} [noneOffset]
 *
 * @typedef {Omit<TagArguments, 'image'> & { embeddings: Float32Array[] }} TagEmbeddingsArguments
 *
 * @typedef {object} TaughtRows
 * @property {Uint32Array} places of those labels that were taught
 * @property {Float32Array} weights a row of numbers for each of them: what its logit gains is their product with the picture's
 *   embedding
 * @property {number} kept how much of what their words say, from 0 to 1
 * @property {number} temperature what logits are divided by then
 *
 * @typedef {object} TeachArguments
 * @property {import('./types.js').Label[]} labels
 * @property {string[]} templates
 * @property {Float32Array} embeddings of the examples, one after the other
 * @property {Uint32Array} places the place of each one's label
 *
 * @typedef {object} TeachAnswer
 * @property {Float32Array} weights `(labels, dim)`
 * @property {number} kept how much of what the words say, from 0 to 1
 * @property {number | null} strength of the penalty; null where nothing was learnt
 * @property {number} temperature
 *
 * @typedef {{ labels?: string, templates?: string[] }} PrepareArguments of a tagger the labels, as JSON, and templates to come, of a
 *   captioner nothing
 *
 * @typedef {object} TagAnswer
 * @property {Float32Array} labels one score for each label, in their order
 * @property {number | null} none the score of "none of these", where it was wanted
 *
 * @typedef {object} SimilarityAnswer
 * @property {Float32Array} cosine of the picture and each text, in their order
 * @property {Float32Array} logits the same, scaled
 *
 * @typedef {object} DecodedImage A picture's pixels, as `ImageData` and `<canvas>` take them.
 * @property {Uint8ClampedArray<ArrayBuffer>} data rows of RGBA, 8 bits each: upright, over white, opaque
 * @property {number} width in pixels, of what is in `data`
 * @property {number} height the same
 * @property {number} naturalWidth in pixels, of the picture itself
 * @property {number} naturalHeight the same
 *
 * @typedef {object} FeatureArguments
 * @property {ImageSource} image
 * @property {boolean} pool whether one vector is wanted also of a model that gives one for each token
 *
 * @typedef {object} Features What a model gives before anything is scaled.
 * @property {Float32Array} data
 * @property {number[]} dims how many numbers there are in each dimension, the last one's next to each other
 *
 * @typedef {object} FoundPrompt What a picture could have been made with.
 * @property {string} prompt
 * @property {number} similarity the cosine of prompt and picture
 * @property {string} caption what the prompt begins with; empty in the mode `negative`
 *
 * @typedef {Record<'mediums' | 'artists' | 'movements' | 'sites' | 'flavors' | 'negative', string>} TermTexts Lists of terms,
 *   one a line.
 *
 * @typedef {object} InterrogateArguments
 * @property {ImageSource} image
 * @property {TermTexts} terms
 * @property {string[]} captions of which the most similar is taken; none in the mode `negative`
 * @property {'best' | 'fast' | 'classic' | 'negative'} mode
 * @property {number} minFlavors
 * @property {number | undefined} maxFlavors
 * @property {number} shortlist
 *
 * @typedef {import('./types.js').GenerationOptions & { image: ImageSource }} CaptionArguments
 *
 * @typedef {object} ScoredCaption
 * @property {string} caption
 * @property {number} score
 *
 * @typedef {CaptionArguments & { caption: string | undefined }} AttentionArguments
 *
 * @typedef {object} MatchArguments
 * @property {ImageSource} image
 * @property {string[]} texts
 * @property {number | undefined} rerank how many of the most similar texts are read again; all where undefined
 *
 * @typedef {object} Matches
 * @property {Uint32Array} ranking places of the texts, best first
 * @property {Float32Array} similarities one for each text, in their order
 * @property {Float32Array} probabilities the same; `NaN` where the text was not read again
 *
 * @typedef {import('./types.js').GenerationOptions & { image: ImageSource, question: string }} AnswerArguments
 *
 * @typedef {object} ChoiceArguments
 * @property {ImageSource} image
 * @property {string} question
 * @property {string[]} answers
 *
 * @typedef {object} WeighedChoices
 * @property {Float32Array} logLikelihoods one for each answer, in their order
 * @property {Float32Array} probabilities of each among the answers
 *
 * @typedef {object} ClassifyArguments
 * @property {ImageSource} image
 * @property {number | undefined} topK
 * @property {number | undefined} threshold the least score that is returned
 * @property {Record<string, number> | undefined} thresholds the same by kinds of classes
 *
 * @typedef {object} EncodeTextArguments
 * @property {string} prompt
 * @property {string | undefined} [negativePrompt]
 * @property {number | undefined} [skip] layers from the end that are left out
 * @property {boolean | undefined} [finalNorm]
 * @property {boolean | undefined} [attentionMask]
 * @property {'trained' | 'end' | number | undefined} [padding]
 * @property {'original' | 'no-norm' | 'none' | undefined} [emphasis]
 * @property {number | undefined} [commaBacktrack] tokens
 * @property {boolean | undefined} [truncate]
 *
 * @typedef {object} EncodedPrompt
 * @property {Float32Array} states of each token, row by row
 * @property {Float32Array} pooled
 * @property {Float32Array | null} projected where the model has a projection
 * @property {Uint32Array} tokens
 * @property {Float32Array} weights of each token
 *
 * @typedef {object} EncodeTextAnswer
 * @property {EncodedPrompt} prompt
 * @property {EncodedPrompt | null} negative
 *
 * @typedef {object} IndexModel Which model made the vectors of an index.
 * @property {string} id its name, or that of its folder; empty where it is unknown
 * @property {string} revision of its files; empty where it has none
 * @property {Dtype | ''} dtype how its matrices were kept
 *
 * @typedef {{ kind: 'blob', blob: Blob } | { kind: 'kept', name: string }} IndexSource a file, or what is kept under a name
 *
 * @typedef {object} IndexArguments
 * @property {IndexModel} model of an index that is new
 * @property {IndexSource | null} source of one that is not
 * @property {'auto' | number} threads
 * @property {VariantName} [variant]
 * @property {string} [wasmUrl]
 *
 * @typedef {object} IndexState
 * @property {IndexModel} model
 * @property {number | null} width numbers of a vector; null before the first
 * @property {number} size vectors
 * @property {number} memory bytes that they take
 * @property {boolean} hasBackground whether it has texts to compare scores with
 * @property {number} version changes with every row
 *
 * @typedef {{ ids: string[] } | { bits: Uint8Array, version: number }} IndexFilter what is looked at: some ids, or a bit for
 *   each row of a version
 *
 * @typedef {object} Hits
 * @property {string[]} ids best first
 * @property {Float32Array} scores their cosines
 * @property {Float32Array} standard their standard scores; empty where they were not wanted
 *
 * @typedef {object} SearchArguments
 * @property {Float32Array} query
 * @property {number} topK
 * @property {IndexFilter | null} filter
 * @property {boolean} standard whether standard scores are wanted
 *
 * @typedef {object} DiverseArguments
 * @property {number} count
 * @property {Float32Array | null} query
 * @property {number} lambda
 * @property {number} among
 * @property {IndexFilter | null} filter
 *
 * @typedef {object} DuplicateArguments
 * @property {number} threshold
 * @property {{ times: Float64Array, within: number, version: number } | null} burst times of the rows of a version
 *
 * @typedef {{ image: ImageSource }} RolloutArguments
 * @typedef {{ image: ImageSource, text: string }} ExplainArguments
 */

/**
 * The operations: what each is given, and what it answers.
 *
 * @typedef {object} Operations
 * @property {{ params: LoadArguments, answer: LoadedModelInfo }} load
 * @property {{ params: TagArguments, answer: TagAnswer }} tag
 * @property {{ params: TagEmbeddingsArguments, answer: TagAnswer[] }} tagEmbeddings
 * @property {{ params: PrepareArguments, answer: void }} prepare
 * @property {{ params: TeachArguments, answer: TeachAnswer }} teach
 * @property {{ params: { image: ImageSource }, answer: Float32Array }} embedImage a vector of unit length
 * @property {{ params: { images: ImageSource[] }, answer: Float32Array[] }} embedImages the same of several at once
 * @property {{ params: { image: ImageSource, longestEdge: number | undefined }, answer: DecodedImage }} decodeImage
 * @property {{ params: { texts: string[] }, answer: Float32Array }} embedTexts their vectors, one after the other
 * @property {{ params: { image: ImageSource, texts: string[] }, answer: SimilarityAnswer }} similarity
 * @property {{ params: FeatureArguments, answer: Features }} imageFeatures not scaled to any length
 * @property {{ params: { texts: string[] }, answer: Features }} textFeatures the same of texts
 * @property {{ params: { terms: TermTexts }, answer: void }} prepareTerms
 * @property {{ params: InterrogateArguments, answer: FoundPrompt }} interrogate
 * @property {{ params: CaptionArguments, answer: string }} caption
 * @property {{ params: CaptionArguments, answer: ScoredCaption[] }} captions as many as `numCaptions` says, best first
 * @property {{ params: MatchArguments, answer: Matches }} match
 * @property {{ params: AnswerArguments, answer: string }} answer
 * @property {{ params: ChoiceArguments, answer: WeighedChoices }} choose
 * @property {{ params: ClassifyArguments, answer: import('./types.js').Classification[] }} classify best first
 * @property {{ params: EncodeTextArguments, answer: EncodeTextAnswer }} encodeText
 * @property {{ params: AttentionArguments, answer: import('./types.js').WordMap[] }} attention
 * @property {{ params: RolloutArguments, answer: import('./types.js').PatchMap }} rollout
 * @property {{ params: ExplainArguments, answer: import('./types.js').PatchMap }} explain
 * @property {{ params: IndexArguments, answer: { runtime: Runtime, state: IndexState } }} openIndex
 * @property {{ params: { ids: string[], vectors: Float32Array, width: number }, answer: IndexState }} add
 * @property {{ params: { ids: string[] }, answer: { removed: number, state: IndexState } }} remove
 * @property {{ params: { vectors: Float32Array, width: number }, answer: IndexState }} background
 * @property {{ params: {}, answer: { ids: string[], version: number } }} ids of all rows
 * @property {{ params: { ids: string[] }, answer: boolean[] }} has
 * @property {{ params: { ids: string[] }, answer: Float32Array }} vectors one after the other
 * @property {{ params: { begin: number, version: number }, answer: Float32Array | null }} rows some vectors from a row on; null
 *   where the rows have changed
 * @property {{ params: SearchArguments, answer: Hits | null }} search null where the filter is of other rows
 * @property {{ params: DiverseArguments, answer: Hits | null }} diverse the same
 * @property {{ params: DuplicateArguments, answer: string[][] | null }} duplicates the same of the times
 * @property {{ params: {}, answer: Uint8Array[] }} file in pieces
 * @property {{ params: { name: string }, answer: void }} keep
 *
 * @typedef {keyof Operations} OperationName
 */

/**
 * @typedef {{ type: 'call', id: number, task: Service, operation: OperationName, params: Operations[OperationName]['params'] }} CallMessage `task` tells which
 *   of the models that share the worker is meant
 * @typedef {{ type: 'abort', id: number }} AbortMessage
 * @typedef {{ type: 'threads-started' }} ThreadsStartedMessage The threads that it asked for wait for work.
 * @typedef {{ type: 'threads-failed', reason: string }} ThreadsFailedMessage There are none.
 * @typedef {CallMessage | AbortMessage | ThreadsStartedMessage | ThreadsFailedMessage} ClientMessage What the worker receives.
 *
 * @typedef {object} ThreadMessage The first message of a worker that is a thread. It answers `thread-ready`, or
 *   `thread-failed` with a reason.
 * @property {'thread'} type
 * @property {VariantName} variant
 * @property {WebAssembly.Module} compiled
 * @property {WebAssembly.Memory} memory
 *
 * @typedef {{ type: 'step', id: number, step: Step }} StepMessage
 * @typedef {{ type: 'done', id: number, answer: Operations[OperationName]['answer'] }} DoneMessage
 * @typedef {{ type: 'failed', id: number, error: ErrorData }} FailedMessage
 * @typedef {{ type: 'started' }} StartedMessage The worker's first word, to the first call: its script has been
 *   loaded.
 * @typedef {{ type: 'fatal', error: ErrorData }} FatalMessage The worker's last word: all calls are lost.
 * @typedef {{ type: 'start-threads', count: number, message: ThreadMessage }} StartThreadsMessage
 * @typedef {{ type: 'end-threads' }} EndThreadsMessage
 * @typedef {StartThreadsMessage | EndThreadsMessage} ThreadRequest
 * @typedef {ThreadRequest | StartedMessage | StepMessage | DoneMessage | FailedMessage | FatalMessage} WorkerMessage What the page receives.
 */

export {};
