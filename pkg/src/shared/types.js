/**
 * Types that both threads know. Those of messages are in `protocol.js`.
 *
 * @typedef {{ kind: 'blob', blob: Blob, key: number }
 *   | { kind: 'bytes', bytes: Uint8Array }
 *   | { kind: 'pixels', rgba: Uint8Array, width: number, height: number }} ImageSource
 *   A picture as it is sent to the worker. A blob is read there, when its turn has come: a queue of a hundred
 *   pictures does not hold a hundred files in memory. Its `key` tells one blob from another: the same is not encoded twice
 *   in a row.
 *
 * @typedef {object} WorkerLike What ocelli uses of a `Worker`.
 * @property {(message: any, transfer: Transferable[]) => void} postMessage
 * @property {(type: 'message' | 'messageerror' | 'error', listener: (event: any) => void) => void} addEventListener
 * @property {() => void} terminate
 * @property {() => void} [ref] in Node: keeps the program from ending
 * @property {() => void} [unref] lets it end
 *
 * @typedef {string | { label: string, hint?: string }} Label with the sense that is meant, where a word has several
 *
 * @typedef {object} GenerationOptions How a text is to be written.
 * @property {string | undefined} [prompt]
 * @property {number | undefined} [maxTokens]
 * @property {number | undefined} [minTokens]
 * @property {number | undefined} [numBeams]
 * @property {number | undefined} [lengthPenalty]
 * @property {boolean | undefined} [earlyStopping]
 * @property {number | undefined} [repetitionPenalty]
 * @property {number | undefined} [noRepeatNgramSize]
 * @property {number | undefined} [temperature]
 * @property {number | undefined} [topK]
 * @property {number | undefined} [topP]
 * @property {number | undefined} [seed] with it, tokens are drawn
 * @property {number | undefined} [numCaptions]
 *
 * @typedef {object} PatchMap A number for each patch of a picture.
 * @property {number} rows patches from top to bottom
 * @property {number} columns patches from left to right
 * @property {Float32Array} values row by row, as the method gives them: on no common scale
 * @property {Frame} frame the part of the picture that the patches cover
 *
 * @typedef {object} Frame A part of a picture, in fractions of its width and height. Models that crop see the middle of a
 *   picture; where one pads, its frame reaches beyond 0 and 1.
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 *
 * @typedef {object} WordMap A word of a caption, and what the model looked at when it wrote it.
 * @property {string} word
 * @property {number} start where it begins in the caption
 * @property {number} end where it ends
 * @property {PatchMap} map
 *
 * @typedef {object} Classification A class that a classifier gives a picture.
 * @property {string} label what the model calls the class
 * @property {number} score its probability
 * @property {number} index the id of the class
 * @property {string} [kind] of a tagger with tags of several kinds, which: `general`, `character`, `rating`, `copyright`,
 *   `artist`, `meta` or `other`
 *
 * @typedef {'simd128' | 'relaxed' | 'simd128-threads' | 'relaxed-threads'} VariantName
 *
 * @typedef {'auto' | 'wasm' | 'webgpu'} Device what computes
 *
 * @typedef {object} Runtime
 * @property {'wasm' | 'webgpu'} device what computes the layers of pictures, and of many texts at once; all else is
 *   WebAssembly's
 * @property {VariantName} variant with or without relaxed SIMD, with or without threads
 * @property {number} threads how many compute; 1 without a pool
 * @property {string} reason why this variant and not a faster one, and why the GPU or not, a sentence each
 * @property {string} why deprecated: `reason`
 *
 * @typedef {object} RuntimeOptions
 * @property {'auto' | number} [threads] `auto`: one for each core, at most 8, where the page allows threads
 * @property {Device} [device] whether a GPU may compute; `wasm` where it is absent
 * @property {VariantName} [variant] for tests and reports of faults: this one and no other
 * @property {string} [wasmUrl] where the `.wasm` files are, absolute
 *
 * @typedef {object} ModelFile
 * @property {string} name
 * @property {string} url absolute
 * @property {ModelFile[]} [others] where else to look, in order, if there is no such file
 * @property {Access} [access] how to ask for it, where not as everybody may
 *
 * @typedef {object} Access What lets in to a private model, and what tells that it is the right one.
 * @property {Record<string, string>} [headers] of each request
 * @property {RequestCredentials} [credentials] whether cookies go along; `omit` by default
 * @property {Record<string, string>} [integrity] of files by their names: `sha256-` and the digest in Base64
 *
 * @typedef {object} ModelFiles
 * @property {ModelFile} config
 * @property {ModelFile} preprocessor
 * @property {ModelFile} [tokenizer] where the model reads texts
 * @property {ModelFile} weights
 * @property {Record<string, string>} [beside] addresses of further files by their names, where they do not lie beside the
 *   configuration
 */

export {};
