// A model in a headless Chromium, asked from here in batches.

import path from 'node:path';
import { chromium } from 'playwright-core';
import webpack from 'webpack';
import { findChrome } from '../../../scripts/lib/find.mjs';
import { Failure, ROOT } from '../../../scripts/lib/run.mjs';
import { serve } from '../../../scripts/serve.mjs';
import { DATA } from './data.mjs';

const OUT = path.join(ROOT, 'target/evaluate');
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Pictures of one call. */
const BATCH = 64;
/** Progress is told this often, in milliseconds. */
const INTERVAL = 10_000;

/** Bundles page.js with the package. */
export async function bundle() {
  const compiler = webpack({
    mode: 'production',
    context: ROOT,
    entry: { page: path.join(ROOT, 'tests/evaluate/page.js') },
    output: { path: OUT, filename: '[name].js', publicPath: 'auto', module: true, clean: true },
    experiments: { outputModule: true },
    performance: { hints: false },
  });
  await new Promise((resolve, reject) => {
    compiler?.run((error, stats) => {
      if (error) reject(error);
      else if (stats?.hasErrors()) reject(new Failure(stats.toString('errors-only')));
      else resolve(undefined);
    });
  });
}

/** A browser with one page, and what it is served. */
export class Laboratory {
  #page;
  #close;

  /** @param {import('playwright-core').Page} page @param {() => Promise<void>} close */
  constructor(page, close) {
    this.#page = page;
    this.#close = close;
  }

  /**
   * @param {Record<string, string>} folders of models, by the name that they are served under
   * @returns {Promise<Laboratory>}
   */
  static async open(folders) {
    const executablePath = findChrome();
    if (!executablePath) throw new Failure('There is no Chromium: run `npm run setup` first.');
    await bundle();
    const made = process.env.OCELLI_DRAWINGS;
    const models = Object.entries(folders).map(([name, folder]) => [
      `/models/${name}/`,
      path.resolve(folder),
    ]);
    const server = await serve({
      root: OUT,
      mounts: {
        ...Object.fromEntries(models),
        '/vocabulary/': path.join(ROOT, 'pkg/vocabulary'),
        '/pictures/': DATA,
        '/pictures/repository/': ROOT,
        ...(made && { '/pictures/made/': path.resolve(made) }),
        '/empty.html': (rest) => (rest === '' ? path.join(ROOT, 'tests/evaluate/empty.html') : null),
      },
    });
    const browser = await chromium.launch({ executablePath, args: FLAGS });
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await page.goto(`${server.url}empty.html`);
    await page.addScriptTag({ url: '/page.js', type: 'module' });
    await page.waitForFunction(() => 'operations' in globalThis);
    return new Laboratory(page, async () => {
      await browser.close();
      await server.close();
    });
  }

  /** @param {string} operation @param {object} [given] @returns {Promise<any>} */
  ask(operation, given = {}) {
    return this.#page.evaluate(
      ({ operation, given }) => /** @type {any} */ (globalThis).operations[operation](given),
      { operation, given },
    );
  }

  close() {
    return this.#close();
  }
}

/** One model, with all that was embedded once. */
export class MeasuredModel {
  #laboratory;
  #given;
  /** @type {Map<string, number[]>} */
  #images = new Map();
  /** @type {Map<string, number[]>} */
  #texts = new Map();

  /** @param {Laboratory} laboratory @param {string} name that its folder is served under @param {object} options of loading */
  constructor(laboratory, name, options) {
    this.#laboratory = laboratory;
    this.#given = { address: `/models/${name}/`, options };
  }

  /** @returns {Promise<{ runtime: any, calibration: any, logitScale: number }>} */
  info() {
    return this.#ask('info', {});
  }

  /**
   * Vectors of unit length.
   * @param {string[]} urls below ../shared/data
   * @returns {Promise<number[][]>}
   */
  async images(urls) {
    const pending = [...new Set(urls)].filter((url) => !this.#images.has(url));
    const found = await this.#inBatches('embedded', pending, (part) =>
      this.#ask('embedImages', { urls: part.map(served) }),
    );
    pending.forEach((url, i) => this.#images.set(url, found[i]));
    return urls.map((url) => /** @type {number[]} */ (this.#images.get(url)));
  }

  /** @param {string[]} texts @returns {Promise<number[][]>} vectors of unit length */
  async texts(texts) {
    const pending = [...new Set(texts)].filter((text) => !this.#texts.has(text));
    const found = await this.#inBatches('texts read', pending, (part) =>
      this.#ask('embedTexts', { texts: part }),
    );
    pending.forEach((text, i) => this.#texts.set(text, found[i]));
    return texts.map((text) => /** @type {number[]} */ (this.#texts.get(text)));
  }

  /**
   * @param {string[]} urls
   * @param {number} topK
   * @returns {Promise<{ pictures: { best: Tag[], shown: Tag | null }[], labels: string[] }>}
   */
  async tags(urls, topK) {
    /** @type {string[]} */
    let labels = [];
    const pictures = await this.#inBatches('tagged', urls, async (part) => {
      const answer = await this.#ask('tag', { urls: part.map(served), topK });
      labels = answer.labels;
      return answer.pictures;
    });
    return { pictures, labels };
  }

  /**
   * Tags of pictures, each asked its own labels, with "none of these" beside them.
   * @param {{ url: string, labels: string[] }[]} questions
   * @returns {Promise<{ label: string | null, score: number }[][]>}
   */
  choices(questions) {
    return this.#inBatches('asked', questions, (part) =>
      this.#ask('choose', { questions: part.map(({ url, labels }) => ({ url: served(url), labels })) }),
    );
  }

  /** @param {string[]} urls @returns {Promise<string[]>} */
  captions(urls) {
    return this.#inBatches('described', urls, (part) => this.#ask('caption', { urls: part.map(served) }));
  }

  /** The tags that each tag of the vocabulary implies. @returns {Promise<Record<string, string[]>>} */
  implied() {
    return this.#ask('implied', {});
  }

  /** @param {string} operation @param {object} given */
  #ask(operation, given) {
    return this.#laboratory.ask(operation, { ...this.#given, ...given });
  }

  /**
   * @template T
   * @param {string} what is done to each
   * @param {T[]} all
   * @param {(part: T[]) => Promise<any[]>} work
   * @returns {Promise<any[]>}
   */
  async #inBatches(what, all, work) {
    const done = [];
    let lastReported = performance.now();
    for (let start = 0; start < all.length; start += BATCH) {
      done.push(...(await work(all.slice(start, start + BATCH))));
      if (performance.now() - lastReported < INTERVAL) continue;
      lastReported = performance.now();
      console.error(`  ${done.length} of ${all.length} ${what}`);
    }
    return done;
  }
}

/** @typedef {{ label: string, score: number }} Tag */

/** @param {string} url below ../shared/data */
function served(url) {
  return `/pictures/${url.split('/').map(encodeURIComponent).join('/')}`;
}
