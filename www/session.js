/**
 * What the page remembers: the pictures, what is asked about them, and lanes of work over them.
 * It knows the package but no element; `main.js` ties it to what is seen.
 */

import { answersQueue, matchesQueue } from './on-demand.js';
import { Corrections } from './corrections.js';
import { Embeddings } from './embeddings.js';
import { pathOf } from './gather.js';
import { Lessons } from './lessons.js';
import { ModelQueue } from './model-queue.js';
import { backIn, keyOf, takenAt } from './pictures.js';
import { above, tagWith, withExtra, withWords } from './tagging.js';

/**
 * @typedef {import('ocelli').Tag<string | null> & { own?: boolean, taught?: boolean }} Tag with `null` for "none of these"; `own`: people say so;
 *   `taught`: it is like pictures of which they do
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('ocelli').Captioner} Captioner
 * @typedef {import('ocelli').Classifier} Classifier
 * @typedef {import('ocelli').Classification} Classification
 * @typedef {import('./tagging.js').Question} Question
 * @typedef {import('./tagging.js').TagAnswer} TagAnswer
 * @typedef {import('./tagging.js').Asked} Asked
 *
 * @typedef {import('./pictures.js').Picture} Picture
 *
 * @typedef {object} CaptionSettings
 * @property {import('ocelli').StreamOptions} options how captions are searched for
 * @property {number} numCaptions how many are shown
 * @property {boolean} rematch whether matching chooses the best of them
 *
 * @typedef {{ caption: string, match?: number }} Candidate a caption, with the probability that it fits
 *
 * @typedef {object} Loaders the package's classes, or stand-ins
 * @property {Pick<typeof import('ocelli').Tagger, 'load'>} Tagger
 * @property {Pick<typeof import('ocelli').Captioner, 'load'>} Captioner
 * @property {Pick<typeof import('ocelli').Matcher, 'load'>} Matcher
 * @property {Pick<typeof import('ocelli').Answerer, 'load'>} Answerer
 * @property {Pick<typeof import('ocelli').Classifier, 'load'>} Classifier
 */

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

/** Dispatches `change` whenever the pictures, a queue or a job changed. */
export class Session extends EventTarget {
  /** @type {Picture[]} newest batch first, unless they were arranged otherwise */
  pictures = [];
  /** @type {Question | Promise<Question>} a promise while the first labels are on their way */
  question;
  /** Where somebody's own labels lie below others: "pets|dogs|Rex" by "Rex". @type {ReadonlyMap<string, string>} */
  paths = new Map();
  /** @type {CaptionSettings} */
  captionSettings = { options: {}, numCaptions: 1, rematch: false };
  /** What taggers know of the pictures. */
  embeddings = new Embeddings();
  /** What people say of them, and what they teach by them. */
  corrections = new Corrections();
  lessons = new Lessons((tagger, picture) => this.embeddings.known(tagger, picture));
  /** @type {ModelQueue<Tagger, TagAnswer>} */
  tags;
  /** @type {ModelQueue<Captioner, Candidate[]>} each picture's captions, best first */
  captions;
  /** @type {ModelQueue<Classifier, Classification[]>} without a model until one is chosen */
  classes;
  /** What is asked about single pictures; without models until something is. */
  matches;
  answers;

  /** @type {Picture[]} newest batch first */
  #arrived = [];
  /** Those alone that fit what is looked for. @type {Set<Picture> | null} */
  #fitting = null;
  #threshold = 0;
  /** Which of them are shown besides. @type {((picture: Picture) => boolean) | null} */
  #filter = null;
  #count = 0;
  /** Pictures of which there is only a copy, by their keys. @type {Map<string, Picture>} */
  #copies = new Map();
  /** @type {WeakMap<Tagger, Promise<readonly import('./labels.js').Label[]>>} */
  #knownLabels = new WeakMap();

  /**
   * @param {Loaders} loaders
   * @param {Question | Promise<Question>} question
   * @param {import('./options.js').LoadOptions} given how models are loaded
   */
  constructor({ Tagger, Captioner, Matcher, Answerer, Classifier }, question, given) {
    super();
    this.question = question;
    this.tags = new ModelQueue({
      load: async (model, options) => {
        const tagger = await Tagger.load(model, { ...options, ...given });
        await this.embeddings.recognise(tagger, options.signal);
        void this.#prepareTags(tagger, options);
        return tagger;
      },
      perform: async (tagger, picture, options) => {
        const embedding = await this.embeddings.of(tagger, picture, options.signal);
        const [answer] = await tagWith(tagger, [embedding], await this.asked(tagger), options);
        if (!answer) throw new Error('one picture has one answer');
        return answer;
      },
      // What is known of a picture serves whatever else is asked about it.
      isQuick: (tagger, picture) => this.embeddings.has(tagger, picture),
      performAll: async (tagger, pictures, options) => {
        const known = await Promise.all(
          pictures.map((one) => this.embeddings.of(tagger, one, options.signal)),
        );
        return tagWith(tagger, known, await this.asked(tagger), options);
      },
      final: concernsPicture,
      blocks: concernsQuestion,
    });
    this.captions = new ModelQueue({
      load: async (model, { signal, onProgress }) => {
        const captioner = await Captioner.load(model, { signal, onProgress, ...given });
        // The first caption tells what is wrong, if anything is.
        captioner.prepare({ signal }).catch(() => {});
        return captioner;
      },
      perform: (captioner, picture, options) => this.#describe(captioner, picture, options),
      final: concernsPicture,
    });
    this.classes = new ModelQueue({
      load: (model, options) => Classifier.load(model, { ...options, ...given }),
      perform: (classifier, picture, { signal, onProgress }) =>
        classifier.classify(picture.file, { topK: CLASSES_SHOWN, signal, onProgress }),
      final: concernsPicture,
    });
    this.matches = matchesQueue(Matcher, given);
    this.answers = answersQueue(Answerer, given);
    for (const source of [...this.everyLane, this.corrections, this.lessons]) {
      source.addEventListener('change', () => this.#changed());
    }
  }

  /** The lanes that every picture passes through, where they are treated alike. */
  get lanes() {
    return [this.tags, this.captions, this.classes];
  }

  /** Those, and the lanes of what is asked about single pictures. */
  get everyLane() {
    return [...this.lanes, this.matches.queue, this.answers.queue];
  }

  /** @param {Blob[]} files one batch: it goes to the top, in its own order */
  add(files) {
    const fresh = files.filter((file) => !this.#takeBack(file));
    const now = Date.now();
    const batch = fresh.map((file, index) => {
      this.#count += 1;
      const known = file instanceof File ? file.name : (pathOf(file)?.split('/').at(-1) ?? '');
      const name = known || `Picture ${this.#count}`;
      const path = pathOf(file) ?? name;
      const key = keyOf(file, path);
      return { id: `picture-${this.#count}`, name, path, key, batch: now, index, taken: takenAt(file), file };
    });
    // What comes in now is to be seen.
    this.#fitting = null;
    this.pictures = [...batch, ...this.pictures];
    this.#arrived = [...batch, ...this.#arrived];
    for (const queue of this.lanes) queue.add(batch);
    this.#changed();
  }

  /**
   * Puts an original in the place of its copy.
   * @param {Blob} file
   * @returns {boolean} whether it is known from an earlier visit
   */
  #takeBack(file) {
    const path = pathOf(file) ?? (file instanceof File ? file.name : '');
    const picture = this.#copies.get(keyOf(file, path));
    if (!picture) return false;
    this.#copies.delete(picture.key);
    picture.file = file;
    return true;
  }

  /**
   * Takes up pictures of an earlier visit, with what is known of them.
   * @param {readonly import('./library/store.js').Entry[]} entries
   * @param {import('./embeddings.js').Probe} probe of the tagger that was there last
   * @returns {Picture[]} in the order of the entries
   */
  restore(entries, probe) {
    const pictures = entries.map(({ key, name, path, batch, index, taken = 0, copy }) => {
      this.#count += 1;
      return { id: `picture-${this.#count}`, name, path, key, batch, index, taken, file: copy };
    });
    for (const picture of pictures) this.#copies.set(picture.key, picture);
    this.corrections.putAll(pictures.map((picture, i) => ({ picture, said: entries[i]?.said })));
    const known = new Map();
    for (const [i, picture] of pictures.entries()) {
      // What another tagger knew helps this one nothing.
      if (entries[i]?.tagger === probe.id) known.set(picture, entries[i].embedding);
    }
    this.embeddings.adopt(probe, known);
    this.pictures = [...this.pictures, ...pictures];
    this.#arrived = [...this.#arrived, ...pictures];
    this.tags.add(pictures);
    this.classes.add(pictures);
    this.captions.add(pictures, (_, i) => ({
      by: entries[i]?.captionModel ?? '',
      result: entries[i]?.captions ?? [],
    }));
    this.#changed();
    return pictures;
  }

  /** Pictures that somebody looks at come before the others. @param {readonly Picture[]} pictures */
  prefer(pictures) {
    for (const queue of this.lanes) queue.prefer(pictures);
  }

  /** @param {readonly Picture[]} pictures @returns {() => void} what brings them back, with their answers, to where they were */
  remove(...pictures) {
    const [shown, arrived] = [this.pictures, this.#arrived];
    const going = new Set(pictures);
    const known = pictures.map((picture) => this.captions.jobs.get(picture)?.result ?? null);
    const by = this.captions.model?.id ?? '';
    this.pictures = shown.filter((picture) => !going.has(picture));
    this.#arrived = arrived.filter((picture) => !going.has(picture));
    for (const queue of this.everyLane) queue.remove(...pictures);
    this.#changed();
    return () => {
      this.pictures = backIn(this.pictures, shown, going);
      this.#arrived = backIn(this.#arrived, arrived, going);
      // What is known of them makes tags in no time; captions took theirs.
      this.tags.add(pictures);
      this.classes.add(pictures);
      this.captions.add(pictures, (_, i) => known[i] && { by, result: known[i] });
      this.#changed();
    };
  }

  /**
   * Puts the pictures in another order.
   * @param {Picture[] | null} order those that are not in it go behind; `null` for the order in which they came
   * @param {{ alone?: boolean }} [options] `alone`: the others are not shown
   */
  arrange(order, { alone = false } = {}) {
    const arrived = new Set(this.#arrived);
    const wanted = new Set(order?.filter((picture) => arrived.has(picture)));
    this.pictures = [...wanted, ...this.#arrived.filter((picture) => !wanted.has(picture))];
    this.#fitting = order && alone ? wanted : null;
    this.#changed();
  }

  /** How many pictures fit what is looked for; all where nothing is. */
  get arranged() {
    return this.#fitting?.size ?? this.pictures.length;
  }

  /** @param {((picture: Picture) => boolean) | null} filter which pictures are shown */
  show(filter) {
    this.#filter = filter;
    this.#changed();
  }

  /** The least score that is shown, from 0 to 1: nothing is asked anew. */
  get threshold() {
    return this.#threshold;
  }

  set threshold(threshold) {
    this.#threshold = threshold;
    this.#changed();
  }

  /** The pictures that are shown, in their order. */
  get shown() {
    const [fitting, filter] = [this.#fitting, this.#filter];
    if (!fitting && !filter) return this.pictures;
    return this.pictures.filter((one) => (fitting?.has(one) ?? true) && (filter?.(one) ?? true));
  }

  /** What is known of a picture's tags, from the tagger and from people. @param {Picture} picture */
  answerOf(picture) {
    const found = this.tags.jobs.get(picture)?.result ?? null;
    const answer = this.corrections.answer(picture, found);
    return above(answer && withWords(answer, this.#wordsOf(picture)), this.#threshold);
  }

  /** Words that a picture gets because it is like those of which they were taught. @param {Picture} picture */
  #wordsOf(picture) {
    const tagger = this.tags.engine;
    if (!tagger) return [];
    const words = this.lessons.of(tagger, picture, this.pictures);
    const gone = this.corrections.of(picture)?.gone;
    return gone ? words.filter((word) => !gone.includes(word)) : words;
  }

  /** How many pictures have a word because they are like those of which it was taught. @param {string} word */
  countTaught(word) {
    const has = (/** @type {Picture} */ picture) =>
      this.answerOf(picture)?.tags.some(({ label, taught }) => taught && label === word);
    return this.pictures.filter(has).length;
  }

  /** The same of its captions, best first. @param {Picture} picture */
  captionsOf(picture) {
    return this.corrections.captions(picture, this.captions.jobs.get(picture)?.result ?? null);
  }

  /** @param {Picture} picture */
  retry(picture) {
    for (const queue of this.lanes) queue.retry(picture);
  }

  /**
   * What a tagger is asked now, with all of its labels.
   * @param {Tagger} tagger
   * @returns {Promise<Asked>}
   */
  async asked(tagger) {
    const question = await this.question;
    const { labels, vocabulary, extra = [] } = question;
    const known = vocabulary ? () => this.#labelsOf(tagger, vocabulary) : null;
    if (labels !== null) {
      const beside = known && tagger.calibration.sureThreshold !== null ? await known() : [];
      return { ...question, labels, judged: false, beside };
    }
    if (!known) throw new Error('a question without labels has a vocabulary');
    return { ...question, labels: withExtra(await known(), extra), judged: true, beside: [] };
  }

  /**
   * The labels of the vocabulary that a tagger can know.
   * @param {Tagger} tagger
   * @param {import('ocelli').Vocabulary} vocabulary
   */
  #labelsOf(tagger, vocabulary) {
    // A list that cannot be had costs time, and no answer.
    const labels =
      this.#knownLabels.get(tagger) ?? vocabulary.labelsFor(tagger).catch(() => vocabulary.labels);
    this.#knownLabels.set(tagger, labels);
    return labels;
  }

  /**
   * Reads the labels before the first picture comes.
   * @param {Tagger} tagger
   * @param {{ signal: AbortSignal, onProgress: (progress: import('ocelli').ProgressEvent) => void }} options
   */
  async #prepareTags(tagger, { signal, onProgress }) {
    try {
      const { labels, template, templates } = await this.asked(tagger);
      await tagger.prepare(labels, { template: templates ?? template, signal, onProgress });
    } catch {
      // Tagging tells what is wrong, if anything is.
    }
  }

  /** @param {Question} question every picture is tagged anew; old tags stay until then */
  ask(question) {
    this.question = question;
    this.tags.restart();
  }

  /** @param {CaptionSettings} settings every picture is described anew; old captions stay until then */
  describe(settings) {
    this.captionSettings = settings;
    this.captions.restart();
  }

  /** Stops the lanes' work. */
  stop() {
    for (const queue of this.lanes) queue.stop();
  }

  /** Takes up what was stopped. */
  resume() {
    for (const queue of this.lanes) queue.resume();
  }

  /** @returns {{ total: number, open: number, stopped: number, working: boolean }} how far the pictures are */
  tally() {
    const tally = { total: this.pictures.length, open: 0, stopped: 0, working: false };
    const lanes = this.lanes.filter(({ status }) => status !== 'empty');
    for (const picture of this.pictures) {
      const states = lanes.map((queue) => queue.jobs.get(picture)?.status);
      if (states.includes('running')) tally.working = true;
      if (states.includes('running') || states.includes('waiting')) tally.open += 1;
      else if (states.includes('stopped')) tally.stopped += 1;
    }
    return tally;
  }

  /**
   * @param {Captioner} captioner
   * @param {Picture} picture
   * @param {{ signal: AbortSignal, onPiece: (piece: string) => void }} options
   * @returns {Promise<Candidate[]>}
   */
  async #describe(captioner, picture, { signal, onPiece }) {
    const { options, numCaptions, rematch } = this.captionSettings;
    if (numCaptions === 1) {
      return [{ caption: await captioner.caption(picture.file, { ...options, signal, onPiece }) }];
    }
    const matcher = rematch ? await this.matches.engine(this.captions.model, signal) : undefined;
    return captioner.captions(picture.file, { ...options, numCaptions, ...(matcher && { matcher }), signal });
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
