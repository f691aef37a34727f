/**
 * The page's side of the evaluation: the package as everybody loads it, over pictures that are fetched while others are
 * being encoded. What it is asked comes from model.mjs.
 */

import { Captioner, Tagger, loadVocabulary } from 'ocelli';

/** @type {Map<string, Promise<any>>} loaded models, by task and address */
const models = new Map();

/** @param {string} task @param {string} address @param {object} options */
function model(task, address, options) {
  const key = `${task} ${address}`;
  const Class = task === 'tag' ? Tagger : Captioner;
  const known = models.get(key) ?? Class.load(new URL(address, location.href), options);
  models.set(key, known);
  return known;
}

/** @param {string} url */
async function fetchPicture(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.blob();
}

/**
 * Does something with each picture, in their order, while the next are on their way.
 * @template T
 * @param {string[]} urls
 * @param {(picture: Blob) => Promise<T>} work
 * @returns {Promise<T[]>}
 */
async function each(urls, work) {
  const coming = urls.map(fetchPicture);
  const done = [];
  for (const picture of coming) done.push(await work(await picture));
  return done;
}

const operations = {
  /** @param {any} given */
  async info({ address, options }) {
    const tagger = await model('tag', address, options);
    const { cosine, logits } = await tagger.similarity([blank()], ['a photo.']);
    return {
      runtime: tagger.runtime,
      calibration: tagger.calibration,
      logitScale: logits[0][0] / cosine[0][0],
    };
  },
  /** @param {any} given @returns {Promise<number[][]>} */
  async embedImages({ address, options, urls }) {
    const tagger = await model('tag', address, options);
    return each(urls, async (picture) => [...(await tagger.embedImages([picture]))[0]]);
  },
  /** @param {any} given @returns {Promise<number[][]>} */
  async embedTexts({ address, options, texts }) {
    const tagger = await model('tag', address, options);
    return (await tagger.embedTexts(texts)).map((/** @type {Float32Array} */ row) => [...row]);
  },
  /** Tags as the page asks them, with what it would show first. @param {any} given */
  async tag({ address, options, urls, topK }) {
    const tagger = await model('tag', address, options);
    const vocabulary = await loadVocabulary(new URL('/vocabulary/everyday.tsv', location.href));
    const labels = await vocabulary.labelsFor(tagger);
    const { sureThreshold } = tagger.calibration;
    const pictures = await each(urls, async (picture) => {
      const tags = await tagger.tag(picture, labels);
      const named = tags.filter(({ label }) => label !== null);
      return { best: named.slice(0, topK), shown: vocabulary.surest(tags, sureThreshold ?? 0) };
    });
    return { pictures, labels: labels.map(({ label }) => label) };
  },
  /** Best first. @param {any} given */
  async choose({ address, options, questions }) {
    const tagger = await model('tag', address, options);
    return Promise.all(
      questions.map((/** @type {any} */ { url, labels }) => tagger.tag(url, labels, { none: true })),
    );
  },
  /** The parents of each tag of the vocabulary. */
  async implied() {
    const vocabulary = await loadVocabulary(new URL('/vocabulary/everyday.tsv', location.href));
    return Object.fromEntries(vocabulary.tags.map(({ tag }) => [tag, vocabulary.implied(tag)]));
  },
  /** @param {any} given @returns {Promise<string[]>} */
  async caption({ address, options, urls }) {
    const captioner = await model('caption', address, options);
    return each(urls, (picture) => captioner.caption(picture));
  },
};

function blank() {
  return { data: new Uint8ClampedArray(4 * 16 * 16).fill(255), width: 16, height: 16 };
}

Object.assign(globalThis, { operations });
