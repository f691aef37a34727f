/**
 * What the page remembers: the pictures, what is asked about them, and lanes of work over them.
 * It knows the package but no element; `main.js` ties it to what is seen.
 */

import { answersQueue, matchesQueue } from './on-demand.js';
import { Corrections, withoutNaming } from './corrections.js';
import { Embeddings } from './embeddings.js';
import { FileWords } from './file-words.js';
import { pathOf } from './gather.js';
import { Lessons } from './lessons.js';
import { absentFrom, backIn, inOrder, inPlace, pictureOf } from './pictures.js';
import { captionsQueue, classesQueue, tagsQueue } from './queues.js';
import { Recognition } from './recognition.js';
import { tallyOf } from './tally.js';
import { TagPaths } from './tag-paths.js';
import { TagQuestion } from './tag-question.js';
import { above, withFiled, without, withWords } from './tagging.js';
import { Turn } from './turn.js';
import { lookAgain } from './turned.js';

/**
 * @typedef {import('ocelli').Tag<string | null> & { own?: boolean, taught?: boolean, filed?: boolean }} Tag with `null` for "none of these"; `own`: people say so;
 *   `taught`: it is like pictures of which they do; `filed`: the picture's file does
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
 * @typedef {{ caption: string, match?: number, filed?: true }} Candidate a caption, with the probability that it fits; `filed`: of its file
 *
 * @typedef {object} Loaders the package's classes, or stand-ins
 * @property {Pick<typeof import('ocelli').Tagger, 'load'>} Tagger
 * @property {Pick<typeof import('ocelli').Captioner, 'load'>} Captioner
 * @property {Pick<typeof import('ocelli').Matcher, 'load'>} Matcher
 * @property {Pick<typeof import('ocelli').Answerer, 'load'>} Answerer
 * @property {Pick<typeof import('ocelli').Classifier, 'load'>} Classifier
 */

/** Dispatches `change` whenever the pictures, a queue or a job changed. */
export class Session extends EventTarget {
  /** @type {Picture[]} newest batch first, unless they were arranged otherwise */
  pictures = [];
  /** The same in the order in which they came. @type {Picture[]} */
  arrived = [];
  /** What taggers are asked. @type {TagQuestion} */
  question;
  /** Where somebody's own labels lie below others: "pets|dogs|Rex" by "Rex". */
  paths = new TagPaths();
  /** @type {CaptionSettings} */
  captionSettings = { options: {}, numCaptions: 1, rematch: false };
  /** What taggers know of the pictures. */
  embeddings = new Embeddings();
  /** What their files say. */
  fileWords = new FileWords();
  /** By what they are known again. */
  recognition = new Recognition();
  /** What people say of them, and what they teach by them. */
  corrections = new Corrections();
  lessons = new Lessons((tagger, picture) => this.embeddings.known(tagger, picture));
  /** Which of the groups they are arranged in has a picture; null where they are in none. @type {ReadonlyMap<Picture, number> | null} */
  groups = null;
  /** What every picture passes through. */
  tags;
  captions;
  classes;
  /** What is asked about single pictures; without models until something is. */
  matches;
  answers;

  /** How they were arranged otherwise. @type {readonly Picture[] | null} */
  #order = null;
  /** Those alone that fit what is looked for. @type {Set<Picture> | null} */
  #fitting = null;
  #threshold = 0;
  /** Which of them are shown besides. @type {((picture: Picture) => boolean) | null} */
  #filter = null;
  #ids = 0;
  #batch = 0;
  /** Files that came, for those without a name. */
  #count = 0;

  /**
   * @param {Loaders} loaders
   * @param {Question | Promise<Question>} question
   * @param {import('./options.js').LoadOptions} given how models are loaded
   */
  constructor({ Tagger, Captioner, Matcher, Answerer, Classifier }, question, given) {
    super();
    this.question = new TagQuestion(question);
    this.tags = tagsQueue(Tagger, given, this);
    this.captions = captionsQueue(
      Captioner,
      given,
      () => this.captionSettings,
      (signal) => this.matches.engine(this.captions.model, signal),
    );
    this.classes = classesQueue(Classifier, given);
    this.matches = matchesQueue(Matcher, given);
    this.answers = answersQueue(Answerer, given);
    for (const source of [...this.everyLane, this.corrections, this.lessons, this.fileWords]) {
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

  /**
   * Takes in files: one batch, which goes to the top, in its own order. What cannot have been seen before is there at once.
   * @param {readonly Blob[]} files
   * @returns {Promise<number>} how many were here already, once all of them are known again, or new
   */
  async add(files) {
    const batch = (this.#batch = Math.max(Date.now(), this.#batch + 1));
    /** @type {import('./recognition.js').Arrival[]} */
    const maybe = [];
    /** @type {Picture[]} */
    const strangers = [];
    const turn = new Turn();
    // What comes in now is to be seen.
    this.#fitting = this.groups = null;
    for (const [index, file] of files.entries()) {
      const arrival = { file, index, path: this.#pathFor(file) };
      // Browsers look up the length of each file that was picked when they are asked, which takes them a while.
      if (this.recognition.mayKnow(file, arrival.path, batch)) maybe.push(arrival);
      else strangers.push(this.#picture(arrival, batch));
      if (!turn.isOver) continue;
      this.#takeIn(strangers.splice(0));
      await turn.next();
    }
    this.#takeIn(strangers);
    let again = 0;
    for await (const met of this.recognition.meet(maybe)) {
      const { arrival, picture, isIt, isAgain, isTurned, content, pixels } = met;
      if (isAgain) again += 1;
      if (isTurned && picture) lookAgain(this, picture);
      if (isIt) this.#changed();
      else this.#takeIn([{ ...this.#picture(arrival, batch), content, pixels }], picture);
    }
    return again;
  }

  /** @param {Blob} file */
  #pathFor(file) {
    this.#count += 1;
    return pathOf(file) ?? ((file instanceof File && file.name) || `Picture ${this.#count}`);
  }

  /** @param {import('./recognition.js').Arrival} arrival @param {number} batch */
  #picture(arrival, batch) {
    this.#ids += 1;
    return pictureOf(`picture-${this.#ids}`, arrival, batch);
  }

  /** @param {readonly Picture[]} pictures @param {Picture | null} [twin] a picture of the same content, which all is known of already */
  #takeIn(pictures, twin = null) {
    const [first] = pictures;
    if (!first) return;
    this.recognition.learn(pictures);
    this.pictures = inPlace(this.pictures, pictures);
    this.arrived = inPlace(this.arrived, pictures);
    const captions = twin && this.captions.jobs.get(twin);
    const known = captions?.status === 'done' ? captions.result : null;
    const by = this.captions.model?.id ?? '';
    if (twin) {
      this.embeddings.link(first, twin);
      this.corrections.put(first, this.corrections.of(twin));
    }
    this.tags.add(pictures);
    this.captions.add(pictures, () => known && { by, result: known });
    this.classes.add(pictures);
    this.#changed();
  }

  /**
   * Takes up pictures of an earlier visit, with what is known of them.
   * @param {readonly import('./library/store.js').Entry[]} entries
   * @param {import('./embeddings.js').Probe} probe of the tagger that was there last
   * @returns {Picture[]} in the order of the entries
   */
  restore(entries, probe) {
    const pictures = entries.map((entry) => {
      const { quick, size, content, sample, pixels, name, path, batch, index, taken = 0, copy } = entry;
      this.#ids += 1;
      const known = { key: quick, size, content, sample, pixels, name, path, batch, index, taken };
      return { id: `picture-${this.#ids}`, ...known, file: copy };
    });
    this.recognition.learn(pictures, { copies: true });
    this.corrections.putAll(pictures.map((picture, i) => ({ picture, said: entries[i]?.said })));
    for (const [i, picture] of pictures.entries()) this.fileWords.restore(picture, entries[i] ?? {});
    const known = new Map();
    for (const [i, picture] of pictures.entries()) {
      // What another tagger knew helps this one nothing.
      if (entries[i]?.tagger === probe.id) known.set(picture, entries[i].embedding);
    }
    this.embeddings.adopt(probe, known);
    this.pictures = [...this.pictures, ...pictures];
    this.arrived = [...this.arrived, ...pictures];
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
    const [shown, arrived, order] = [this.pictures, this.arrived, this.#order];
    const going = new Set(pictures);
    const by = this.captions.model?.id ?? '';
    const known = new Map(pictures.map((one) => [one, this.captions.jobs.get(one)?.result]));
    const copies = pictures.filter((picture) => !this.recognition.hasOriginal(picture));
    this.pictures = shown.filter((picture) => !going.has(picture));
    this.arrived = arrived.filter((picture) => !going.has(picture));
    for (const queue of this.everyLane) queue.remove(...pictures);
    this.recognition.forget(pictures);
    this.#changed();
    return () => {
      // Some may have come again by themselves.
      const back = absentFrom(this.pictures, pictures);
      const coming = new Set(back);
      this.recognition.learn(back);
      this.recognition.learn(absentFrom(this.pictures, copies), { copies: true });
      this.arrived = backIn(this.arrived, arrived, coming);
      // Arranged anew meanwhile, they have other places.
      const isSame = this.#order === order;
      this.pictures = isSame ? backIn(this.pictures, shown, coming) : inOrder(this.arrived, this.#order);
      // What is known of them makes tags in no time; captions took theirs.
      this.tags.add(back);
      this.classes.add(back);
      this.captions.add(back, (one) => {
        const result = known.get(one);
        return result && { by, result };
      });
      this.#changed();
    };
  }

  /**
   * Puts the pictures in another order.
   * @param {Picture[] | null} order those that are not in it go behind; `null` for the order in which they came
   * @param {{ alone?: boolean, groups?: readonly Picture[][] }} [options] `alone`: the others are not shown; `groups`: those that the order
   *   is made of
   */
  arrange(order, { alone = false, groups = [] } = {}) {
    const numbered = groups.flatMap((group, i) => group.map((one) => /** @type {const} */ ([one, i])));
    this.groups = groups.length > 0 ? new Map(numbered) : null;
    this.#order = order;
    this.pictures = inOrder(this.arrived, order);
    this.#fitting = order && alone ? new Set(order) : null;
    this.#changed();
  }

  /** How many pictures fit what is looked for; all where nothing is. */
  get arranged() {
    return this.pictures.filter((picture) => this.#fitting?.has(picture) ?? true).length;
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
    const said = this.corrections.of(picture);
    const answer = this.corrections.answer(picture, found);
    if (!answer) return null;
    const gone = this.fileWords.goneOf(picture, said);
    const left = without(withWords(answer, this.#wordsOf(picture, gone)), gone);
    return above(withFiled(left, this.fileWords.tagsOf(picture, said)), this.#threshold);
  }

  /** Reads what the files of pictures say that have their tags. */
  async readFiles() {
    const confirmed = await this.fileWords.read(
      this.pictures.filter(
        (one) =>
          !this.fileWords.hasRead(one) &&
          this.recognition.hasOriginal(one) &&
          this.tags.jobs.get(one)?.status === 'done',
      ),
    );
    this.corrections.confirm(confirmed);
  }

  /** Words that a picture gets because it is like those of which they were taught. @param {Picture} picture @param {readonly string[]} gone */
  #wordsOf(picture, gone) {
    const tagger = this.tags.engine;
    if (!tagger) return [];
    const words = this.lessons.of(tagger, picture, this.pictures);
    return gone.length > 0 ? words.filter((word) => !gone.includes(word)) : words;
  }

  /** How many pictures have a word because they are like those of which it was taught. @param {string} word */
  countTaught(word) {
    const has = (/** @type {Picture} */ picture) =>
      this.answerOf(picture)?.tags.some(({ label, taught }) => taught && label === word);
    return this.pictures.filter(has).length;
  }

  /** The same of its captions, best first. @param {Picture} picture */
  captionsOf(picture) {
    const said = this.corrections.of(picture);
    const filed = this.fileWords.captionsOf(picture, said);
    if (filed) return filed;
    const found = this.captions.jobs.get(picture)?.result ?? null;
    const left = found && withoutNaming(found, this.fileWords.goneOf(picture, said));
    return this.corrections.captions(picture, left);
  }

  /** @param {Picture} picture */
  retry(picture) {
    for (const queue of this.lanes) queue.retry(picture);
  }

  /** @param {Question} question every picture is tagged anew; old tags stay until then */
  ask(question) {
    this.question.current = question;
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

  /** Whether a picture could not be read, or not answered. @param {Picture} picture */
  hasFailed(picture) {
    return this.lanes.some((lane) => lane.status !== 'empty' && lane.jobs.get(picture)?.status === 'failed');
  }

  /** How far the pictures are: tags and captions are to come, though their models are not chosen yet. */
  tally() {
    const lanes = this.lanes.filter((lane) => lane !== this.classes || lane.status !== 'empty');
    return tallyOf(this.pictures, lanes);
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
