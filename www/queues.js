/**
 * The queues that every picture passes through: of tags, captions and classes.
 *
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('ocelli').Captioner} Captioner
 * @typedef {import('ocelli').Classifier} Classifier
 * @typedef {import('ocelli').Classification} Classification
 * @typedef {import('./options.js').LoadOptions} LoadOptions
 * @typedef {import('./session.js').Candidate} Candidate
 * @typedef {import('./session.js').CaptionSettings} CaptionSettings
 * @typedef {import('./tagging.js').TagAnswer} TagAnswer
 */

import { calm } from './calm.js';
import { ModelQueue } from './model-queue.js';
import { tagWith } from './tagging.js';

/** Pictures that a GPU computes in one turn: so many that it is busy, so few that answers appear one after the other. */
const COMPUTED_TOGETHER = 16;
/** Pictures with known embeddings that share a turn: so many that asking costs little, so few that the page stays awake. */
const KNOWN_TOGETHER = 64;
/** Classes kept for each picture. */
const CLASSES_SHOWN = 3;

/** @param {RegExp} codes @returns {(error: unknown) => boolean} */
function isOneOf(codes) {
  return (error) => error instanceof Error && 'code' in error && codes.test(String(error.code));
}

/** Errors about the question rather than about one picture. */
const concernsQuestion = isOneOf(/^(labels?-|template-)/);

/** Errors of the picture itself, whatever is asked about it. */
export const concernsPicture = isOneOf(/^image-/);

/**
 * @param {Pick<typeof import('ocelli').Tagger, 'load'>} Tagger
 * @param {LoadOptions} given
 * @param {{ embeddings: import('./embeddings.js').Embeddings, question: import('./tag-question.js').TagQuestion }} known what taggers
 *   know of the pictures, and what they are asked
 * @returns {ModelQueue<Tagger, TagAnswer>}
 */
export function tagsQueue(Tagger, given, { embeddings, question }) {
  return new ModelQueue({
    load: async (model, options) => {
      const tagger = await Tagger.load(model, { ...options, ...given });
      await embeddings.recognise(tagger, options.signal);
      void question.prepare(tagger, options);
      return tagger;
    },
    perform: async (tagger, picture, options) => {
      await calm(options.signal);
      const embedding = await embeddings.of(tagger, picture, options.signal);
      const [answer] = await tagWith(tagger, [embedding], await question.of(tagger), options);
      if (!answer) throw new Error('one picture has one answer');
      return answer;
    },
    // What is known of a picture serves whatever else is asked about it. A GPU takes several at once.
    turnSize: (tagger, picture) => {
      if (embeddings.has(tagger, picture)) return KNOWN_TOGETHER;
      return tagger.runtime.device === 'webgpu' ? COMPUTED_TOGETHER : 1;
    },
    performAll: async (tagger, pictures, options) => {
      await calm(options.signal);
      const known = await embeddings.ofAll(tagger, pictures, options.signal);
      return tagWith(tagger, known, await question.of(tagger), options);
    },
    final: concernsPicture,
    blocks: concernsQuestion,
  });
}

/**
 * @param {Pick<typeof import('ocelli').Captioner, 'load'>} Captioner
 * @param {LoadOptions} given
 * @param {() => CaptionSettings} settings as they are when a picture's turn comes
 * @param {(signal: AbortSignal) => Promise<import('ocelli').Matcher>} matcher loads it where it is wanted
 * @returns {ModelQueue<Captioner, Candidate[]>} each picture's captions, best first
 */
export function captionsQueue(Captioner, given, settings, matcher) {
  return new ModelQueue({
    load: async (model, { signal, onProgress }) => {
      const captioner = await Captioner.load(model, { signal, onProgress, ...given });
      // The first caption tells what is wrong, if anything is.
      captioner.prepare({ signal }).catch(() => {});
      return captioner;
    },
    perform: async (captioner, { file }, { signal, onPiece }) => {
      await calm(signal);
      const { options, numCaptions, rematch } = settings();
      if (numCaptions === 1) {
        return [{ caption: await captioner.caption(file, { ...options, signal, onPiece }) }];
      }
      const chooser = rematch && { matcher: await matcher(signal) };
      return captioner.captions(file, { ...options, numCaptions, ...chooser, signal });
    },
    final: concernsPicture,
  });
}

/**
 * @param {Pick<typeof import('ocelli').Classifier, 'load'>} Classifier
 * @param {LoadOptions} given
 * @returns {ModelQueue<Classifier, Classification[]>} without a model until one is chosen
 */
export function classesQueue(Classifier, given) {
  return new ModelQueue({
    load: (model, options) => Classifier.load(model, { ...options, ...given }),
    perform: async (classifier, picture, { signal, onProgress }) => {
      await calm(signal);
      return classifier.classify(picture.file, { topK: CLASSES_SHOWN, signal, onProgress });
    },
    final: concernsPicture,
  });
}
