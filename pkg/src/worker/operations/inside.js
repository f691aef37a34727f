/**
 * A look inside a model: which parts of a picture made its answer. A map takes the way through the layers twice, there
 * and back, one layer at a time.
 *
 * @typedef {import('../handles.js').CaptionerHandle} CaptionerHandle
 * @typedef {import('../handles.js').ImageEncodingHandle} ImageEncodingHandle
 * @typedef {import('../handles.js').PatchMapHandle} PatchMapHandle
 * @typedef {import('../handles.js').TracingHandle} TracingHandle
 * @typedef {import('./image-encodings.js').ImageEncodings} ImageEncodings
 * @typedef {import('../../shared/types.js').ImageSource} ImageSource
 * @typedef {import('../../shared/protocol.js').AttentionArguments} AttentionArguments
 * @typedef {import('../../shared/protocol.js').Step} Step
 * @typedef {import('../../shared/types.js').PatchMap} PatchMap
 * @typedef {import('../../shared/types.js').WordMap} WordMap
 *
 * @typedef {import('../handles.js').ImageEncoder & import('../handles.js').TracingBack} Model
 */

import { isBlank } from '../../shared/texts.js';
import { progress } from './meter.js';
import { release } from './release.js';

/**
 * @param {ImageEncodings} encodings
 * @param {Model} model
 * @param {ImageSource} image
 * @param {(look: ImageEncodingHandle) => TracingHandle} begin begins the map of what was looked at
 * @returns {AsyncGenerator<Step, PatchMap, void>}
 */
export async function* mapOf(encodings, model, image, begin) {
  const encoding = await encodings.open(image);
  const { layers, tracing } = yield* there(encoding);
  try {
    for (let left = layers; left > 0;) {
      left = model.traceBack(tracing);
      yield progress('image', null, 2 * layers - left, 2 * layers);
    }
    return readMap(tracing.map());
  } finally {
    release(tracing);
  }

  /** @param {import('./image-encodings.js').ImageEncoding} encoding @returns {AsyncGenerator<Step, { layers: number, tracing: TracingHandle }, void>} */
  async function* there(encoding) {
    try {
      encoding.keepStates();
      for await (const step of encoding.encode()) {
        yield progress('image', null, step.progress.loaded, 2 * encoding.layers);
      }
      return { layers: encoding.layers, tracing: begin(encoding.handle) };
    } finally {
      encodings.close(encoding);
    }
  }
}

/**
 * The map of attention rollout.
 *
 * @param {ImageEncodings} encodings
 * @param {Model} model
 * @param {ImageSource} image
 */
export function rolloutOf(encodings, model, image) {
  return mapOf(encodings, model, image, (look) => model.beginRollout(look));
}

/**
 * What a captioner looks at when it writes each word of a caption: of the one given, or else of the one that it writes
 * as it is told to, which may have no words.
 *
 * @param {ImageEncodings} encodings
 * @param {CaptionerHandle} model
 * @param {AttentionArguments} given
 * @returns {AsyncGenerator<Step, WordMap[], void>}
 */
export async function* attentionOf(encodings, model, { image, caption, ...given }) {
  const plan = caption === undefined ? model.plan(given) : null;
  try {
    const encoding = await encodings.open(image);
    try {
      yield* encoding.encode();
      const look = encoding.handle;
      const text = plan ? yield* written(model.write(look, plan)) : /** @type {string} */ (caption);
      // Of a caption that was given it is the caller's mistake, which the wasm tells.
      if (plan && isBlank(text)) return [];
      return readWords(model.attention(look, text), text);
    } finally {
      encodings.close(encoding);
    }
  } finally {
    if (plan) release(plan);
  }
}

/**
 * @param {import('../handles.js').CaptionRunHandle} run is freed
 * @returns {Generator<Step, string, void>}
 */
export function* written(run) {
  try {
    let caption = '';
    for (let piece = run.next(); piece !== undefined; piece = run.next()) {
      caption += piece;
      yield { piece };
    }
    return caption;
  } finally {
    release(run);
  }
}

/**
 * @param {import('../handles.js').WordMapsHandle} words is freed
 * @param {string} text that they are of
 * @returns {WordMap[]}
 */
function readWords(words, text) {
  try {
    const places = words.places();
    const found = [];
    for (let i = 0; 2 * i < places.length; i += 1) {
      const [start, end] = /** @type {[number, number]} */ ([...places.subarray(2 * i, 2 * i + 2)]);
      const map = /** @type {PatchMapHandle} */ (words.map(i));
      found.push({ word: text.slice(start, end), start, end, map: readMap(map) });
    }
    return found;
  } finally {
    release(words);
  }
}

/**
 * @param {PatchMapHandle} handle is freed
 * @returns {PatchMap}
 */
export function readMap(handle) {
  try {
    const [left, top, width, height] = /** @type {[number, number, number, number]} */ ([...handle.frame()]);
    const { rows, columns } = handle;
    return { rows, columns, values: handle.values(), frame: { left, top, width, height } };
  } finally {
    release(handle);
  }
}
