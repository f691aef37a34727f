/**
 * What the page remembers: the pictures, the labels, and two lanes of work over them.
 * It knows the package but no element; `main.js` ties it to what is seen.
 */

import { Lane } from './lane.js';

/**
 * @typedef {import('ocelli').Tag} Tag
 * @typedef {import('ocelli').Tagger} Tagger
 * @typedef {import('ocelli').Captioner} Captioner
 *
 * @typedef {object} Picture
 * @property {string} id
 * @property {string} name the file's name, or what stands for it
 * @property {Blob} file
 *
 * @typedef {object} Question what tagging asks
 * @property {string[]} labels
 * @property {string} template
 *
 * @typedef {object} Loaders the package's two classes, or stand-ins
 * @property {Pick<typeof import('ocelli').Tagger, 'load'>} Tagger
 * @property {Pick<typeof import('ocelli').Captioner, 'load'>} Captioner
 */

/** Tags kept for each picture. */
const TAGS_SHOWN = 5;

/** @param {RegExp} codes @returns {(error: unknown) => boolean} */
function isOneOf(codes) {
  return (error) => error instanceof Error && 'code' in error && codes.test(String(error.code));
}

/** Errors about the question rather than about one picture. */
const concernsQuestion = isOneOf(/^(labels?-|template-)/);

/** Errors of the picture itself, whatever is asked about it. */
const concernsPicture = isOneOf(/^image-/);

/** Dispatches `change` whenever the pictures, a lane or a job changed. */
export class Session extends EventTarget {
  /** @type {Picture[]} newest batch first */
  pictures = [];
  /** @type {Question | Promise<Question>} a promise while the first labels are on their way */
  question;
  /** @type {Lane<Tagger, Tag[]>} */
  tags;
  /** @type {Lane<Captioner, string>} */
  captions;

  #count = 0;

  /**
   * @param {Loaders} loaders
   * @param {Question | Promise<Question>} question
   * @param {import('./options.js').LoadOptions} given how models are loaded
   */
  constructor({ Tagger, Captioner }, question, given) {
    super();
    this.question = question;
    this.tags = new Lane({
      load: (model, options) => Tagger.load(model, { ...options, ...given }),
      perform: async (tagger, picture, { signal, onProgress }) => {
        const { labels, template } = await this.question;
        return tagger.tag(picture.file, labels, { template, topK: TAGS_SHOWN, signal, onProgress });
      },
      final: concernsPicture,
      blocks: concernsQuestion,
    });
    this.captions = new Lane({
      load: (model, options) => Captioner.load(model, { ...options, ...given }),
      perform: (captioner, picture, { signal, onPiece }) =>
        captioner.caption(picture.file, { signal, onPiece }),
      final: concernsPicture,
    });
    for (const lane of this.lanes) lane.addEventListener('change', () => this.#changed());
  }

  /** Both lanes, where they are treated alike. */
  get lanes() {
    return [this.tags, this.captions];
  }

  /** @param {Blob[]} files one batch: it goes to the top, in its own order */
  add(files) {
    const batch = files.map((file) => {
      this.#count += 1;
      const name = file instanceof File && file.name !== '' ? file.name : `Picture ${this.#count}`;
      return { id: `picture-${this.#count}`, name, file };
    });
    this.pictures = [...batch, ...this.pictures];
    for (const lane of this.lanes) batch.forEach((picture) => lane.add(picture));
    this.#changed();
  }

  /** @param {Picture} picture */
  remove(picture) {
    this.pictures = this.pictures.filter((other) => other !== picture);
    for (const lane of this.lanes) lane.remove(picture);
    this.#changed();
  }

  /** @param {Picture} picture */
  retry(picture) {
    for (const lane of this.lanes) lane.retry(picture);
  }

  /** @param {Question} question every picture is tagged anew; old tags stay until then */
  ask(question) {
    this.question = question;
    this.tags.restart();
  }

  /** Stops both lanes' work. */
  stop() {
    for (const lane of this.lanes) lane.stop();
  }

  /** Takes up what was stopped. */
  resume() {
    for (const lane of this.lanes) lane.resume();
  }

  /** @returns {{ total: number, open: number, stopped: number, working: boolean }} how far the pictures are */
  tally() {
    const tally = { total: this.pictures.length, open: 0, stopped: 0, working: false };
    for (const picture of this.pictures) {
      const states = this.lanes.map((lane) => lane.jobs.get(picture)?.status);
      if (states.includes('running')) tally.working = true;
      if (states.includes('running') || states.includes('waiting')) tally.open += 1;
      else if (states.includes('stopped')) tally.stopped += 1;
    }
    return tally;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
