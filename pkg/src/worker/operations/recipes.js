/**
 * How a model is made of its files, and what it can be asked then. For most models the task decides; a folder whose
 * configuration says `model_type` "ocelli" serves several tasks from one file.
 *
 * @typedef {import('../accelerator.js').Accelerator} Accelerator
 * @typedef {import('../handles.js').FilesHandle} FilesHandle
 * @typedef {import('../handles.js').TaggerHandle} TaggerHandle
 * @typedef {import('../handles.js').Wasm} Wasm
 * @typedef {import('../../shared/protocol.js').Calibration} Calibration
 * @typedef {import('../../shared/protocol.js').LoadArguments} LoadArguments
 * @typedef {import('../../shared/protocol.js').Task} Task
 * @typedef {import('../../cache/embeddings.js').Place} Place
 * @typedef {import('../../cache/index.js').Part} Part
 *
 * @typedef {Record<string, unknown>} Operations what can be asked, by name
 *
 * @typedef {object} ExtraFile
 * @property {string} name
 * @property {boolean} [optional] whether the model does without it
 *
 * @typedef {object} Model
 * @property {ReadonlyMap<Task, Operations>} operations
 * @property {Calibration | null} calibration where it tags
 *
 * @typedef {object} Recipe
 * @property {readonly Task[]} tasks what the model can be asked for
 * @property {Part} part what is kept of it
 * @property {readonly ExtraFile[]} extra small files besides the usual ones, in the order in which they are read
 * @property {string | null} knownLabels which of them lists the labels that the model can know
 * @property {(small: (Uint8Array | undefined)[]) => FilesHandle} read
 * @property {(files: FilesHandle, weights: any) => any} create consumes both; gives a handle
 * @property {(handle: any, place: Place | null, accelerator: Accelerator | null) => Model} finish with the handle, where the
 *   model is kept, and what computes its layers in the wasm's place
 */

import { AnswererOperations } from './answerer.js';
import { CaptionerOperations } from './captioner.js';
import { ClassifierOperations } from './classifier.js';
import { EmbedderOperations } from './embedder.js';
import { ImageEncodings } from './image-encodings.js';
import { KeptEmbeddings } from './kept-embeddings.js';
import { MatcherOperations } from './matcher.js';
import { parsed } from './small-files.js';
import { TaggerOperations } from './tagger.js';
import { TextEncoderOperations } from './text-encoder.js';

/** What a folder of `model_type` "ocelli" can be asked for. @type {readonly Task[]} */
const SHARED_TASKS = ['tag', 'embed', 'caption', 'match'];

/** The list of the labels that a model can know. */
const KNOWN_LABELS = 'labels.json';

/** @type {readonly ExtraFile[]} */
const SHARED_EXTRA = [
  { name: 'decoder_tokenizer.json' },
  { name: 'words.json', optional: true },
  { name: KNOWN_LABELS, optional: true },
];

/**
 * @typedef {'Tagger' | 'Captioner' | 'Matcher' | 'Answerer' | 'Classifier' | 'TextEncoder'} Name
 *
 * @typedef {object} Single
 * @property {Name} name of the wasm's classes
 * @property {Part} part
 * @property {(encodings: ImageEncodings, handle: any, kept: KeptEmbeddings | null, texts: Accelerator['texts']) => object}
 *   operations
 */

/**
 * Models of one task. A file can have heads for several: `part` tells what is kept of it for this one from what is kept
 * for others.
 *
 * @type {Readonly<Record<Task, Single>>}
 */
const SINGLE = {
  tag: { name: 'Tagger', part: 'both', operations: (...all) => new TaggerOperations(...all) },
  embed: { name: 'Tagger', part: 'both', operations: (...all) => new EmbedderOperations(...all) },
  caption: {
    name: 'Captioner',
    part: 'caption',
    operations: (encodings, handle, kept) => new CaptionerOperations(encodings, handle, kept),
  },
  match: {
    name: 'Matcher',
    part: 'match',
    operations: (encodings, handle) => new MatcherOperations(encodings, handle),
  },
  answer: {
    name: 'Answerer',
    part: 'answer',
    operations: (encodings, handle) => new AnswererOperations(encodings, handle),
  },
  classify: {
    name: 'Classifier',
    part: 'classify',
    operations: (encodings, handle) => new ClassifierOperations(encodings, handle),
  },
  'encode-text': {
    name: 'TextEncoder',
    // The same that an embedder of texts alone keeps.
    part: 'text',
    operations: (_encodings, handle) => new TextEncoderOperations(handle),
  },
};

/**
 * Under which parts a model may have been kept, before its configuration is read.
 *
 * @param {Pick<LoadArguments, 'task' | 'tower'>} params
 * @returns {Part[]}
 */
export function possibleParts({ task, tower }) {
  const own = tower ?? SINGLE[task].part;
  return SHARED_TASKS.includes(task) ? ['all', own] : [own];
}

/**
 * @param {Wasm} wasm
 * @param {Pick<LoadArguments, 'task' | 'tower'>} params
 * @param {Uint8Array} config the model's configuration
 * @returns {Recipe}
 */
export function recipeFor(wasm, params, config) {
  const shared = SHARED_TASKS.includes(params.task) && modelType(config) === 'ocelli';
  return shared ? sharedRecipe(wasm) : singleRecipe(wasm, params, config);
}

/**
 * Which of the usual small files a model does without: those that only the tower which it lacks would need, and what an
 * `open_clip_config.json` says itself.
 *
 * @param {Pick<LoadArguments, 'task' | 'tower'>} params
 * @param {Uint8Array} config the model's configuration
 * @returns {{ preprocessor: boolean, tokenizer: boolean }}
 */
export function dispensableFiles({ task, tower }, config) {
  const read = parsed(config);
  if (task === 'encode-text') return { preprocessor: true, tokenizer: false };
  if (task === 'classify') return { preprocessor: isOfTimm(read), tokenizer: false };
  if (task !== 'tag' && task !== 'embed') return { preprocessor: false, tokenizer: false };
  const type = String(read?.model_type ?? '');
  return {
    preprocessor: tower === 'text' || type.endsWith('_text_model') || read?.model_cfg !== undefined,
    tokenizer: tower === 'image' || type.endsWith('_vision_model') || type.startsWith('dinov2'),
  };
}

/** Whether `timm` has written a configuration, which says itself how pictures are prepared. @param {any} config */
function isOfTimm(config) {
  return config?.architecture !== undefined;
}

/** @param {Uint8Array} config @returns {unknown} */
function modelType(config) {
  return parsed(config)?.model_type;
}

/**
 * @param {Wasm} wasm
 * @param {Pick<LoadArguments, 'task' | 'tower'>} params
 * @param {Uint8Array} config
 * @returns {Recipe}
 */
function singleRecipe(wasm, { task, tower }, config) {
  const { name, part, operations } = SINGLE[task];
  return {
    tasks: [task],
    part: tower ?? part,
    // What the classes of a tagger are called.
    extra:
      task === 'classify' && isOfTimm(parsed(config)) ? [{ name: 'selected_tags.csv', optional: true }] : [],
    knownLabels: null,
    read: (small) => wasm[`${name}Files`].read(...small, ...(tower ? [tower] : [])),
    create: (files, weights) => wasm[`${name}Handle`].create(files, weights),
    finish(handle, place, accelerator) {
      const kept = name === 'Tagger' && place ? new KeptEmbeddings(place, handle) : null;
      const encodings = new ImageEncodings(wasm, handle, { accelerator });
      const made = operations(encodings, handle, kept, accelerator?.texts ?? null);
      return {
        operations: new Map([[task, /** @type {Operations} */ (made)]]),
        calibration: task === 'tag' ? calibrationOf(handle) : null,
      };
    },
  };
}

/**
 * One image tower for all tasks: a picture is encoded once for its tags, its caption and its matches.
 *
 * @param {Wasm} wasm
 * @returns {Recipe}
 */
function sharedRecipe(wasm) {
  return {
    tasks: SHARED_TASKS,
    part: 'all',
    extra: SHARED_EXTRA,
    knownLabels: KNOWN_LABELS,
    read: ([config, preprocessor, tokenizer, decoderTokenizer, words]) =>
      wasm.OcelliFiles.read(config, preprocessor, tokenizer, decoderTokenizer, words, []),
    create: (files, weights) => wasm.OcelliHandle.create(files, weights),
    finish(/** @type {import('../handles.js').OcelliHandle} */ handle, place) {
      const encodings = new ImageEncodings(wasm, handle, { reuse: true });
      const tagger = handle.tagger();
      const kept = place && new KeptEmbeddings(place, tagger);
      /** @type {[Task, object][]} */
      const operations = [
        ['tag', new TaggerOperations(encodings, tagger, kept)],
        ['embed', new EmbedderOperations(encodings, tagger, kept)],
        ['caption', new CaptionerOperations(encodings, handle.captioner(), kept)],
        ['match', new MatcherOperations(encodings, handle.matcher())],
      ];
      return {
        operations: new Map(/** @type {[Task, Operations][]} */ (operations)),
        calibration: calibrationOf(tagger),
      };
    },
  };
}

/** @param {TaggerHandle} handle @returns {Calibration} */
function calibrationOf({ temperature, sureThreshold, noneOffset }) {
  return { temperature, sureThreshold: sureThreshold ?? null, noneOffset };
}
